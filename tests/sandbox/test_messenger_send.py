"""messenger.md §1, §5, §6, §7: what may be sent, windows, errors, uploads, profile, templates."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from sandbox_remote import Remote
from webhook_receiver import Receiver

from sandbox.messenger.emulator import appsecret_proof

USER = "24000000000000001"
HOUR = 3600
Send = Callable[..., dict[str, Any]]
GRAPH = "/messenger/v25.0"


@pytest.fixture
def remote(remote: Remote) -> Remote:
    """The sandbox in which one person has written."""
    remote.control("messenger/users", user=USER, name="Ma Thị Hoa")
    remote.control("messenger/say", user=USER, text="xin chào")
    return remote


def refused(answer: dict[str, Any]) -> tuple[int, int | None]:
    return answer["error"]["code"], answer["error"].get("error_subcode")


def template(**payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": payload}}


def buttons(count: int = 1, text: str = "Chọn", **changes: Any) -> dict[str, Any]:
    listed = [{"type": "postback", "title": f"Nút {n}", "payload": f"P{n}"} | changes for n in range(count)]
    return template(template_type="button", text=text, buttons=listed)


def generic(count: int = 1, **changes: Any) -> dict[str, Any]:
    elements = [{"title": "a", "subtitle": "b"} | changes for _ in range(count)]
    return template(template_type="generic", elements=elements)


def quick(count: int, **changes: Any) -> dict[str, Any]:
    listed = [{"content_type": "text", "title": f"Nút {n}", "payload": f"P{n}"} | changes for n in range(count)]
    return {"text": "Chọn", "quick_replies": listed}


@pytest.mark.parametrize(
    ("message", "accepted"),
    [
        ({"text": "a" * 1999}, True),
        ({"text": "a" * 2000}, False),
        ({"text": ""}, False),
        ({}, False),
        ({"text": "a", "metadata": "m" * 999}, True),
        ({"text": "a", "metadata": "m" * 1000}, False),
        (quick(13), True),
        (quick(14), False),
        (quick(1, title="x" * 30), True),
        (quick(1, payload=""), False),
        (quick(1, content_type="location"), False),
        (buttons(3), True),
        (buttons(4), False),
        (buttons(0), False),
        (buttons(text="a" * 640), True),
        (buttons(text="a" * 641), False),
        (buttons(title="x" * 21), False),
        (buttons(payload="x" * 1001), False),
        (buttons(type="web_url", url="https://a.vn"), True),
        (buttons(type="web_url"), False),
        (buttons(type="phone_number", payload="+842086269999"), True),
        (buttons(type="phone_number", payload="19006769"), False),
        (generic(10), True),
        (generic(11), False),
        (generic(title="x" * 81), False),
        (generic(subtitle=""), False),
        (template(template_type="list"), False),
        ({"sticker_id": 369239263222822}, True),
        ({"text": "a", "sticker_id": 1}, False),
        ({"attachment": {"type": "image", "payload": {}}}, False),
    ],
)
def test_shapes(shared: Remote, message: dict[str, Any], accepted: bool) -> None:
    shared.control("messenger/say", user=USER, text="xin chào")
    answer = shared.send(USER, message)
    if accepted:
        assert answer["recipient_id"] == USER
        assert answer["message_id"].startswith("m_")
    else:
        assert refused(answer) == (100, None)
        assert answer["error"]["fbtrace_id"]


def test_long_quick_reply_titles_are_cut(send: Send, remote: Remote) -> None:
    send(USER, quick(1, title="x" * 30))
    [shown] = remote.see("messenger/messages", user=USER)["messages"]
    assert shown["quick_replies"][0]["title"] == "x" * 20


@pytest.mark.parametrize(
    ("hours", "beside", "error"),
    [
        (24, {}, None),
        (24.001, {}, (10, 2018278)),
        (24.001, {"messaging_type": "UPDATE"}, (10, 2018278)),
        (1, {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"}, (100, None)),
        (1, {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}, (200, 2018027)),
        (1, {"messaging_type": "OTHER"}, (100, None)),
        (1, {"messaging_type": "UTILITY"}, (100, None)),
        (1, {"notification_type": "LOUD"}, (100, None)),
    ],
)
def test_the_window_and_the_types(
    send: Send, remote: Remote, hours: float, beside: dict[str, str], error: tuple[int, int | None] | None
) -> None:
    remote.control("messenger/clock", advance_seconds=hours * HOUR)
    answer = send(USER, {"text": "a"}, **beside)
    assert (refused(answer) if "error" in answer else None) == error


def test_a_human_agent_has_seven_days_where_allowed(send: Send, remote: Remote) -> None:
    remote.control("messenger/options", human_agent=True)
    remote.control("messenger/clock", advance_seconds=7 * 24 * HOUR)
    tag = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert "message_id" in send(USER, {"text": "a"}, **tag)
    remote.control("messenger/clock", advance_seconds=1)
    assert refused(send(USER, {"text": "a"}, **tag)) == (10, 2018278)


def test_unknown_silent_and_blocked_people(send: Send, remote: Remote) -> None:
    assert refused(send("9", {"text": "a"})) == (100, 2018001)
    remote.control("messenger/users", user="8")
    assert refused(send("8", {"text": "a"})) == (10, 2018278)
    remote.control("messenger/users", user=USER, blocked=True)
    assert refused(send(USER, {"text": "a"})) == (551, 1545041)


def test_typing_and_seen(page: Remote, remote: Remote) -> None:
    def act(action: str, **beside: Any) -> dict[str, Any]:
        body = {"recipient": {"id": USER}, "sender_action": action, **beside}
        answer: dict[str, Any] = page.post(f"{GRAPH}/me/messages", body).json()
        return answer

    assert act("typing_on") == {"recipient_id": USER}
    assert act("mark_seen") == {"recipient_id": USER}
    assert remote.see("messenger/messages", user=USER, author="user")["messages"][0]["seen_at"]
    assert refused(act("wave")) == (100, None)
    assert refused(act("typing_on", message={"text": "a"})) == (100, 2018014)
    remote.control("messenger/clock", advance_seconds=25 * HOUR)
    assert refused(act("typing_on")) == (10, 2018278)


def test_the_token_goes_in_query_or_header_and_its_proof_is_checked(remote: Remote, send: Send) -> None:
    settings = remote.sandbox.settings
    token = settings.messenger_page_token
    proof = appsecret_proof(token, settings.messenger_app_secret)

    def call(headers: dict[str, str] | None = None, **query: str) -> Any:
        return requests.get(f"{remote.base}{GRAPH}/{USER}", params=query, headers=headers, timeout=10).json()

    assert refused(call()) == (190, None)
    assert refused(call(access_token="other")) == (190, None)
    assert call(access_token=token)["first_name"] == "Hoa"
    assert call({"Authorization": f"Bearer {token}"})["last_name"] == "Ma Thị"
    assert refused(call(access_token=token, appsecret_proof="00")) == (100, None)
    assert call(access_token=token, appsecret_proof=proof)["id"] == USER
    remote.control("messenger/options", require_proof=True)
    assert refused(call(access_token=token)) == (100, None)
    remote.control("messenger/options", require_proof=False)
    remote.control("messenger/token", code=190, subcode=460)
    assert refused(send(USER, {"text": "a"})) == (190, 460)
    remote.control("messenger/token")
    assert "message_id" in send(USER, {"text": "a"})


def test_another_page_is_not_ours(page: Remote) -> None:
    body = {"recipient": {"id": USER}, "message": {"text": "a"}}
    assert refused(page.post(f"{GRAPH}/42/messages", body).json()) == (100, 33)
    own = page.sandbox.settings.messenger_page_id
    assert "message_id" in page.post(f"/messenger/v26.0/{own}/messages", body).json()


def test_names_may_be_withheld(page: Remote) -> None:
    assert refused(page.get(f"{GRAPH}/9", fields="first_name").json()) == (100, 33)
    page.control("messenger/options", profile_access=False)
    assert page.get(f"{GRAPH}/{USER}", fields="first_name").json() == {}


def test_a_picture_is_uploaded_and_shown(page: Remote, send: Send, remote: Remote) -> None:
    attachment_id = upload(page, b"\x89PNG", "image/png")["attachment_id"]
    picture = {"attachment": {"type": "image", "payload": {"attachment_id": attachment_id}}}
    assert "message_id" in send(USER, picture)
    [shown] = remote.see("messenger/messages", user=USER)["messages"]
    assert requests.get(shown["media"][0]["url"], timeout=10).content == b"\x89PNG"
    picture["attachment"]["type"] = "video"
    assert refused(send(USER, picture)) == (100, 2018074)
    assert refused(upload(page, b"%PDF", "application/pdf")) == (100, 2018047)
    assert refused(upload(page, bytes(25 * 1024 * 1024 + 1), "image/png")) == (100, 2018109)
    nothing = page.post(f"{GRAPH}/me/message_attachments", {"message": {"attachment": {"type": "image"}}})
    assert refused(nothing.json()) == (100, None)


def upload(page: Remote, content: bytes, content_type: str) -> dict[str, Any]:
    message = {"attachment": {"type": "image", "payload": {"is_reusable": True}}}
    answer: dict[str, Any] = page.post(
        f"{GRAPH}/me/message_attachments",
        data={"message": json.dumps(message)},
        files={"filedata": ("a.png", io.BytesIO(content), content_type)},
    ).json()
    return answer


def test_a_picture_by_address_is_fetched(send: Send, remote: Remote, receiver: Receiver) -> None:
    own = f"{remote.base}/control/messenger/clock"
    assert refused(send(USER, by_url("image", own))) == (100, 2018047)
    assert "message_id" in send(USER, by_url("file", own))
    assert refused(send(USER, by_url("image", f"{remote.base}/nowhere.png"))) == (100, 2018008)
    uploaded = remote.control("messenger/say", user=USER, image=True)["message_id"]
    shown = remote.see("messenger/messages", user=USER, author="user")["messages"]
    [photo] = [m["media"][0]["url"] for m in shown if m["message_id"] == uploaded]
    many = {"attachments": [by_url("image", photo)["attachment"]] * 2}
    assert "message_id" in send(USER, many)
    many["attachments"][1] = by_url("file", photo)["attachment"]
    assert refused(send(USER, many)) == (100, None)


def by_url(kind: str, url: str) -> dict[str, Any]:
    return {"attachment": {"type": kind, "payload": {"url": url, "is_reusable": False}}}


def test_the_rate_limit(send: Send, remote: Remote) -> None:
    remote.control("messenger/rate", per_second=1)
    assert "message_id" in send(USER, {"text": "a"})
    assert refused(send(USER, {"text": "b"})) == (613, None)
    remote.control("messenger/clock", advance_seconds=1)
    assert "message_id" in send(USER, {"text": "b"})


def test_faults(send: Send, page: Remote) -> None:
    page.control("messenger/faults", kind="error", code=2, count=1)
    page.control("messenger/faults", kind="error", code=1, subcode=1357046)
    page.control("messenger/faults", kind="status", status=504)
    assert refused(send(USER, {"text": "a"})) == (2, None)
    assert refused(send(USER, {"text": "a"})) == (1, 1357046)
    body = {"recipient": {"id": USER}, "message": {"text": "a"}}
    assert page.post(f"{GRAPH}/me/messages", body).status_code == 504
    assert page.see("messenger/messages", user=USER)["messages"] == []
    page.control("messenger/faults", kind="accept_then_hang", seconds=60)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{page.base}{GRAPH}/me/messages", json=body, headers=page.headers, timeout=(1, 0.3))
    assert len(page.see("messenger/messages", user=USER)["messages"]) == 1


def test_the_profile(page: Remote) -> None:
    path = f"{GRAPH}/me/messenger_profile"
    item = {"type": "postback", "title": "Hóa đơn", "payload": "BILL"}
    menu = {"persistent_menu": [{"locale": "default", "call_to_actions": [item]}]}
    assert refused(page.post(path, menu).json()) == (100, None), "a menu needs Get Started"
    assert page.post(path, {"get_started": {"payload": "START"}} | menu).json() == {"result": "success"}
    assert refused(page.post(path, {"persistent_menu": [{"locale": "vi_VN"}]}).json()) == (100, None)
    assert refused(page.post(path, {"colour": "blue"}).json()) == (100, None)
    questions = [{"question": f"q{n}", "payload": f"q{n}"} for n in range(5)]
    assert refused(page.post(path, {"ice_breakers": questions}).json()) == (100, None)
    assert page.get(path, fields="get_started").json() == {"data": [{"get_started": {"payload": "START"}}]}
    assert page.control("messenger/tap", user=USER, button="Hóa đơn")["payload"] == "BILL"
    requests.delete(page.base + path, json={"fields": ["get_started"]}, headers=page.headers, timeout=10)
    assert page.get(path, fields="get_started").json() == {"data": []}


BILL = {
    "name": "bill_ready",
    "language": "vi",
    "category": "UTILITY",
    "parameter_format": "NAMED",
    "components": [
        {
            "type": "BODY",
            "text": "Hóa đơn {{period}} là {{amount}} đồng.",
            "example": {
                "body_text_named_params": [
                    {"param_name": "period", "example": "10/2026"},
                    {"param_name": "amount", "example": "512.340"},
                ]
            },
        },
        {"type": "BUTTONS", "buttons": [{"type": "POSTBACK", "text": "Chi tiết", "payload": "BILL"}]},
    ],
}
BODY = {
    "type": "body",
    "parameters": [
        {"type": "text", "parameter_name": "period", "text": "10/2026"},
        {"type": "text", "parameter_name": "amount", "text": "512.340"},
    ],
}


def create(page: Remote, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = page.post(f"{GRAPH}/me/message_templates", BILL | changes).json()
    return answer


def with_body(text: str, **example: Any) -> dict[str, Any]:
    return {"parameter_format": None, "components": [{"type": "BODY", "text": text, "example": example}]}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, None),
        ({"name": "Bill"}, (100, None)),
        ({"category": "MARKETING"}, (100, None)),
        (with_body("{{1}} đồng.", body_text=[["1"]]), (100, None)),
        (with_body("Kỳ {{1}} và {{3}}.", body_text=[["1", "2"]]), (100, None)),
        (with_body("Kỳ {{1}}.", body_text=[["1"]]), None),
        (with_body("Kỳ {{1}}."), (100, None)),
        (
            {"components": [BILL["components"][0], {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY"}]}]},  # type: ignore[index]
            (100, 2018416),
        ),
    ],
)
def test_templates_are_checked(page: Remote, changes: dict[str, Any], error: tuple[int, int | None] | None) -> None:
    answer = create(page, **changes)
    assert (refused(answer) if "error" in answer else None) == error
    assert "error" in answer or answer["status"] == "APPROVED"


@pytest.mark.parametrize("shape", ["A", "B"])
def test_a_utility_template_goes_outside_the_window_in_both_shapes(
    page: Remote, send: Send, receiver: Receiver, shape: str
) -> None:
    create(page)
    page.control("messenger/clock", advance_seconds=1000 * HOUR)
    if shape == "A":
        tapped = {"type": "buttons", "parameters": [{"type": "POSTBACK", "payload": "BILL:10"}]}
        message = {"template": {"name": "bill_ready", "language": {"code": "vi"}, "components": [BODY, tapped]}}
    else:
        parameters = [{"type": "text", "text": "BILL:10"}]
        tapped = {"type": "button", "sub_type": "postback", "index": 0, "parameters": parameters}
        message = template(
            template_type="utility_messages", name="bill_ready", language={"code": "vi"}, components=[BODY, tapped]
        )
    assert "message_id" in send(USER, message, messaging_type="UTILITY")
    assert refused(send(USER, message)) == (100, None), "only as UTILITY"
    [shown] = page.see("messenger/messages", user=USER)["messages"]
    assert shown["text"] == "Hóa đơn 10/2026 là 512.340 đồng."
    assert page.control("messenger/tap", user=USER, button="Chi tiết")["payload"] == "BILL:10"


@pytest.mark.parametrize(
    ("name", "language", "components"),
    [
        ("other", "vi", [BODY]),
        ("bill_ready", "vi_VN", [BODY]),
        ("bill_ready", "vi", []),
        ("bill_ready", "vi", [{"type": "body", "parameters": BODY["parameters"][:1]}]),
        ("bill_ready", "vi", [{"type": "body", "parameters": [{"type": "text", "text": "a"}] * 2}]),
    ],
)
def test_a_utility_send_must_match_its_template(
    page: Remote, send: Send, name: str, language: str, components: list[Any]
) -> None:
    create(page)
    message = {"template": {"name": name, "language": {"code": language}, "components": components}}
    assert refused(send(USER, message, messaging_type="UTILITY")) == (100, None)


def test_templates_are_reviewed_listed_and_deleted(page: Remote, receiver: Receiver, send: Send) -> None:
    page.control("messenger/options", template_review="PENDING")
    created = create(page)
    assert created["status"] == "PENDING"
    message = {"template": {"name": "bill_ready", "language": {"code": "vi"}, "components": [BODY]}}
    assert refused(send(USER, message, messaging_type="UTILITY")) == (100, None)
    page.control("messenger/templates/review", name="bill_ready", language="vi", status="APPROVED")
    [got] = receiver.wait_for(1, lambda r: b"changes" in r.body)
    [change] = got.event["entry"][0]["changes"]
    assert change["field"] == "message_template_status_update"
    assert change["value"]["event"] == "APPROVED"
    assert "message_id" in send(USER, message, messaging_type="UTILITY")
    assert refused(create(page)) == (100, None), "no edit: delete and recreate"
    [listed] = page.get(f"{GRAPH}/me/message_templates", name="bill_ready").json()["data"]
    assert listed["id"] == created["id"]
    gone = requests.delete(
        f"{page.base}{GRAPH}/me/message_templates", params={"hsm_id": created["id"]}, headers=page.headers, timeout=10
    )
    assert gone.json() == {"success": True}
    assert page.get(f"{GRAPH}/me/message_templates", name="bill_ready").json() == {"data": []}
