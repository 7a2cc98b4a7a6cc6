"""zalo.md §3, §4, §8: what may be sent to whom and when, uploads, limits, faults."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from sandbox_remote import Remote
from webhook_receiver import Receiver

USER = "2222222222222222222"
HOUR = 3600
Send = Callable[[str, Any], dict[str, Any]]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def remote(remote: Remote) -> Remote:
    """The sandbox in which one person has written."""
    remote.control("zalo/say", user=USER, text="xin chào")
    return remote


def template(**payload: Any) -> dict[str, Any]:
    return {"type": "template", "payload": payload}


def media(**element: Any) -> dict[str, Any]:
    return {"text": "Xem ảnh", "attachment": template(template_type="media", elements=[element])}


def button(n: int = 1, **changes: Any) -> dict[str, Any]:
    return {"title": f"Nút {n}", "type": "oa.query.show", "payload": f"#p{n}"} | changes


def with_buttons(*buttons: Any) -> dict[str, Any]:
    return {"text": "Chọn", "attachment": template(buttons=list(buttons))}


def upload(zalo: Remote, kind: str, content: bytes, name: str) -> dict[str, Any]:
    files = {"file": (name, io.BytesIO(content))}
    answer: dict[str, Any] = zalo.post(f"/zalo/openapi/v2.0/oa/upload/{kind}", files=files).json()
    return answer


def test_a_text_is_accepted_with_its_quota(cs: Send, remote: Remote) -> None:
    answer = cs(USER, {"text": "Chào quý khách"})
    assert (answer["error"], answer["message"]) == (0, "Success")
    assert answer["data"]["user_id"] == USER
    assert answer["data"]["quota"]["quota_type"] == "reply"
    [shown] = remote.see("zalo/messages", user=USER)["messages"]
    assert shown["message_id"] == answer["data"]["message_id"]
    assert shown["text"] == "Chào quý khách"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"text": "a" * 2000}, 0),
        ({"text": "a" * 2001}, -210),
        ({"text": "ệ" * 2000}, 0),
        ({"text": " "}, -201),
        ({"text": 5}, -201),
        ({}, -201),
        (None, -201),
        ({"text": "a", "quote_message_id": "none"}, -201),
        ({"text": "a", "attachment": {"type": "image", "payload": {"attachment_id": "x"}}}, -201),
        (with_buttons(button()), 0),
        (with_buttons(*map(button, range(5))), 0),
        (with_buttons(*map(button, range(6))), -201),
        (with_buttons(), -201),
        (with_buttons(button(title="")), -201),
        (with_buttons(button(title="x" * 101)), -201),
        (with_buttons(button(payload={"url": "https://a.vn"})), -201),
        (with_buttons(button(type="postback")), -201),
        (with_buttons(button(type="oa.open.url", payload={"url": "https://a.vn"})), 0),
        (with_buttons(button(type="oa.open.url", payload="https://a.vn")), -201),
        (with_buttons(button(type="oa.open.phone", payload={"phone_code": "842086269999"})), 0),
        (with_buttons(button(type="oa.open.sms", payload={"content": "a", "phone_code": "84"})), 0),
        (with_buttons(button(type="oa.open.sms", payload={"phone_code": "84"})), -201),
        ({"attachment": template(buttons=[button()])}, -201),
        (media(media_type="image", url="https://a.vn/a.png"), 0),
        (media(media_type="image", url="https://a.vn/a.png", attachment_id="x"), -201),
        (media(media_type="image"), -201),
        (media(media_type="image", attachment_id="unknown"), -201),
        (media(media_type="gif", url="https://a.vn/a.gif", width=1, height=1), -201),
        (media(media_type="sticker", attachment_id="xin-chao"), 0),
        (media(media_type="article", attachment_id="x"), -201),
        ({"attachment": template(template_type="list", elements=[])}, -233),
        (
            {
                "attachment": template(
                    template_type="request_user_info",
                    elements=[{"title": "a", "subtitle": "b", "image_url": "https://a.vn/a.png"}],
                )
            },
            0,
        ),
        ({"attachment": template(template_type="request_user_info", elements=[{"title": "a"}])}, -201),
        ({"attachment": {"type": "file", "payload": {"token": "unknown"}}}, -201),
    ],
)
def test_shapes(shared: Remote, message: Any, error: int) -> None:
    shared.control("zalo/say", user=USER, text="xin chào")
    assert shared.consult(USER, message)["error"] == error


def test_buttons_are_shown_as_sent(cs: Send, remote: Remote) -> None:
    cs(USER, with_buttons(button(1), button(2, type="oa.open.url", payload={"url": "https://a.vn"})))
    [shown] = remote.see("zalo/messages", user=USER)["messages"]
    assert [(b["title"], b["type"], b["payload"], b["url"]) for b in shown["buttons"]] == [
        ("Nút 1", "oa.query.show", "#p1", None),
        ("Nút 2", "oa.open.url", None, "https://a.vn"),
    ]


def test_buttons_can_be_refused_to_try_the_text_fallback(cs: Send, remote: Remote) -> None:
    remote.control("zalo/options", buttons=-233)
    assert cs(USER, with_buttons(button()))["error"] == -233
    assert cs(USER, {"text": "1. Xem hóa đơn"})["error"] == 0


@pytest.mark.parametrize(
    ("hours", "error", "quota_type"),
    [(0, 0, "reply"), (48, 0, "reply"), (48.001, 0, "sub_quota"), (168, 0, "sub_quota"), (168.001, -230, None)],
)
def test_the_reply_window(cs: Send, remote: Remote, hours: float, error: int, quota_type: str | None) -> None:
    remote.control("zalo/clock", advance_seconds=hours * HOUR)
    answer = cs(USER, {"text": "a"})
    assert answer["error"] == error
    assert answer.get("data", {}).get("quota", {}).get("quota_type") == quota_type


def test_writing_reopens_the_window(cs: Send, remote: Remote) -> None:
    remote.control("zalo/clock", advance_seconds=200 * HOUR)
    assert cs(USER, {"text": "a"})["error"] == -230
    remote.control("zalo/say", user=USER, text="còn đó không")
    assert cs(USER, {"text": "a"})["error"] == 0


def test_strangers_and_passers_by(cs: Send, remote: Remote) -> None:
    assert cs("999", {"text": "a"})["error"] == -201
    remote.control("zalo/users", user="998")
    assert cs("998", {"text": "a"})["error"] == -232
    remote.control("zalo/open", user="998")
    assert cs("998", {"text": "a"})["data"]["quota"]["quota_type"] == "welcome_msg"
    remote.control("zalo/follow", user="997")
    assert cs("997", {"text": "a"})["data"]["quota"]["quota_type"] == "reply"


def test_package_quota_runs_out_after_48_hours(cs: Send, remote: Remote) -> None:
    remote.control("zalo/options", sub_quota=1)
    remote.control("zalo/clock", advance_seconds=50 * HOUR)
    assert cs(USER, {"text": "a"})["data"]["quota"]["remain"] == "0"
    assert cs(USER, {"text": "a"})["error"] == -211


def test_a_person_can_refuse(cs: Send, remote: Remote) -> None:
    remote.control("zalo/users", user=USER, refuses=-244)
    assert cs(USER, {"text": "a"})["error"] == -244
    remote.control("zalo/users", user=USER, refuses=None)
    assert cs(USER, {"text": "a"})["error"] == 0


def test_the_quota_call_tells_the_last_interaction(zalo: Remote) -> None:
    data = zalo.post("/zalo/openapi/v3.0/oa/quota/message", {"user_id": USER}).json()["data"]
    assert data["last_interaction"] == "1795410000000"
    assert data["cs_reply"] == {"remain": 8, "total": 8}
    [asset] = zalo.post(
        "/zalo/openapi/v3.0/oa/quota/message", {"quota_owner": "OA", "product_type": "cs", "quota_type": "sub_quota"}
    ).json()["data"]
    assert asset["remain"] == asset["total"]


@pytest.mark.parametrize(
    ("kind", "content", "name", "error", "key"),
    [
        ("image", PNG, "a.png", 0, "attachment_id"),
        ("image", b"\xff\xd8\xff", "a.JPG", 0, "attachment_id"),
        ("image", PNG + bytes(1024 * 1024), "a.png", -210, None),
        ("image", b"GIF89a", "a.png", -201, None),
        ("image", PNG, "a", 0, None),
        ("gif", b"GIF89a", "a.gif", 0, "attachment_id"),
        ("file", b"%PDF-1.7", "hóa đơn.pdf", 0, "token"),
        ("file", b"x" * (5 * 1024 * 1024 + 1), "a.csv", -210, None),
        ("file", b"MZ", "a.exe", 0, None),
    ],
)
def test_uploads(shared: Remote, kind: str, content: bytes, name: str, error: int, key: str | None) -> None:
    answer = upload(shared.with_zalo_token(), kind, content, name)
    assert answer["error"] == error
    assert list(answer.get("data", {})) == ([key] if key else [])


def test_an_uploaded_picture_is_shown_and_expires_after_seven_days(zalo: Remote, cs: Send, remote: Remote) -> None:
    attachment_id = upload(zalo, "image", PNG, "qr.png")["data"]["attachment_id"]
    assert cs(USER, media(media_type="image", attachment_id=attachment_id))["error"] == 0
    [shown] = remote.see("zalo/messages", user=USER)["messages"]
    assert requests.get(shown["media"][0]["url"], timeout=10).content == PNG
    remote.control("zalo/clock", advance_seconds=7 * 24 * HOUR + 1)
    remote.control("zalo/say", user=USER, text="a")
    expired = cs(USER, media(media_type="image", attachment_id=attachment_id))
    assert expired["error"] == -100


def test_a_file_goes_by_its_token(zalo: Remote, cs: Send, receiver: Receiver) -> None:
    token = upload(zalo, "file", b"%PDF-1.7", "hoa-don.pdf")["data"]["token"]
    assert cs(USER, {"attachment": {"type": "file", "payload": {"token": token}}})["error"] == 0
    [echo] = receiver.named("oa_send_file")
    assert echo.event["message"]["attachments"][0]["payload"]["name"] == "hoa-don.pdf"


def test_the_rate_limit_counts_per_minute_and_says_what_remains(zalo: Remote, remote: Remote) -> None:
    remote.control("zalo/rate", per_minute=2)
    remote.control("zalo/clock", advance_seconds=60)
    answers = [zalo.get("/zalo/openapi/v2.0/oa/getoa") for _ in range(3)]
    assert [a.json()["error"] for a in answers] == [0, 0, -32]
    assert [a.headers["X-RateLimit-Remain"] for a in answers] == ["1", "0", "0"]
    assert answers[0].headers["X-RateLimit-Limit"] == "2"
    remote.control("zalo/clock", advance_seconds=60)
    assert zalo.get("/zalo/openapi/v2.0/oa/getoa").json()["error"] == 0


def test_injected_errors_last_as_long_as_asked(cs: Send, remote: Remote) -> None:
    remote.control("zalo/faults", kind="error", code=-218, count=2)
    assert [cs(USER, {"text": "a"})["error"] for _ in range(3)] == [-218, -218, 0]
    assert remote.see("zalo/messages", user=USER)["messages"][0]["text"] == "a"


def test_a_server_error_is_not_json_and_an_empty_body_is_empty(zalo: Remote, remote: Remote) -> None:
    body = {"recipient": {"user_id": USER}, "message": {"text": "a"}}
    remote.control("zalo/faults", kind="status", status=502)
    assert zalo.post("/zalo/openapi/v3.0/oa/message/cs", body).status_code == 502
    remote.control("zalo/faults", kind="empty")
    assert zalo.post("/zalo/openapi/v3.0/oa/message/cs", body).content == b""
    assert remote.see("zalo/messages", user=USER)["messages"] == []


@pytest.mark.parametrize(("kind", "delivered"), [("hang", 0), ("accept_then_hang", 1)])
def test_a_call_that_hangs_may_have_been_accepted(zalo: Remote, remote: Remote, kind: str, delivered: int) -> None:
    remote.control("zalo/faults", kind=kind, seconds=60)
    body = {"recipient": {"user_id": USER}, "message": {"text": "a"}}
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{zalo.base}/zalo/openapi/v3.0/oa/message/cs", json=body, headers=zalo.headers, timeout=(1, 0.4))
    assert len(remote.see("zalo/messages", user=USER)["messages"]) == delivered


def test_waiting_for_messages(cs: Send, remote: Remote) -> None:
    assert remote.see("zalo/messages", user=USER, timeout=0.05) == {"messages": [], "next": 0}
    sender = threading.Thread(target=lambda: [cs(USER, {"text": t}) for t in ("một", "hai")])
    sender.start()
    got = remote.see("zalo/messages", user=USER, count=2, timeout=10)
    sender.join()
    assert [m["text"] for m in got["messages"]] == ["một", "hai"]
    assert remote.see("zalo/messages", user=USER, after=got["next"])["messages"] == []
    assert [m["author"] for m in remote.see("zalo/messages", user=USER, author="all")["messages"]] == [
        "user",
        "bot",
        "bot",
    ]


def test_reactions_and_the_old_message_call(zalo: Remote, remote: Remote, cs: Send) -> None:
    sent = remote.see("zalo/messages", user=USER, author="user")["messages"][0]["message_id"]
    action = {"react_icon": "/-heart", "react_message_id": sent}
    body = {"recipient": {"user_id": USER}, "sender_action": action}
    assert zalo.post("/zalo/openapi/v2.0/oa/message", body).json()["error"] == 0
    assert remote.see("zalo/messages", user=USER, author="user")["messages"][0]["reaction"] == "/-heart"
    action["react_icon"] = "👍"
    assert zalo.post("/zalo/openapi/v2.0/oa/message", body).json()["error"] == -201
    old = {"recipient": {"user_id": USER}, "message": {"text": "a"}}
    assert zalo.post("/zalo/openapi/v2.0/oa/message", old).json()["error"] == -240
    assert zalo.post("/zalo/openapi/v3.0/oa/message/transaction", old).json()["error"] == -240
    assert cs(USER, {"text": "a", "quote_message_id": sent})["error"] == 0


def test_people_tags_and_history(zalo: Remote, cs: Send) -> None:
    cs(USER, {"text": "Chào"})
    data = zalo.get("/zalo/openapi/v3.0/oa/user/detail", data=f'{{"user_id":"{USER}"}}').json()["data"]
    assert (data["user_id"], data["user_last_interaction_date"]) == (USER, "23/11/2026")
    assert zalo.get("/zalo/openapi/v3.0/oa/user/detail", data='{"user_id":"9"}').json()["error"] == -201
    assert zalo.get("/zalo/openapi/v3.0/oa/user/detail", data="{").json()["error"] == -201
    zalo.post("/zalo/openapi/v2.0/oa/tag/tagfollower", {"user_id": USER, "tag_name": "da-lien-ket"})
    assert zalo.get("/zalo/openapi/v2.0/oa/tag/gettagsofoa").json()["data"] == ["da-lien-ket"]
    page = '{"offset":0,"count":50,"tag_name":"da-lien-ket","last_interaction_period":"L7D"}'
    assert zalo.get("/zalo/openapi/v3.0/oa/user/getlist", data=page).json()["data"]["users"] == [{"user_id": USER}]
    assert zalo.get("/zalo/openapi/v3.0/oa/user/getlist", data='{"count":51}').json()["error"] == -201
    recent = zalo.get("/zalo/openapi/v2.0/oa/listrecentchat", data='{"offset":0,"count":10}').json()["data"]
    assert [(m["src"], m["message"]) for m in recent] == [(0, "Chào")]
    page = f'{{"user_id":"{USER}","offset":0,"count":10}}'
    chat = zalo.get("/zalo/openapi/v2.0/oa/conversation", data=page).json()["data"]
    assert [(m["src"], m["message"]) for m in chat] == [(0, "Chào"), (1, "xin chào")]
