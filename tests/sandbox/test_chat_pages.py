"""The chat pages: what they ask and tell over HTTP, and how they work in a browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sandbox_remote import Remote
from webhook_receiver import Receiver

Send = Callable[..., dict[str, Any]]


@pytest.fixture
def tab(browser: Any) -> Iterator[Page]:
    """A tab of 1366×768 in which any script error fails the test."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, permissions=["clipboard-read"])
    tab = context.new_page()
    tab.set_default_timeout(10_000)
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    context.close()
    assert errors == []


@pytest.fixture
def hoa(remote: Remote) -> dict[str, Any]:
    """The first person of the list."""
    person: dict[str, Any] = remote.get("/chat/personas").json()[0]
    return person


def test_every_person_has_both_chats(remote: Remote) -> None:
    page = remote.get("/").text
    people = remote.get("/chat/personas").json()
    assert len(people) >= 10
    for person in people:
        assert person["name"] in page
        for platform in ("zalo", "messenger"):
            path = f"/chat/{platform}/{person[platform]}"
            assert path in page
            assert person["name"] in remote.get(path).text
    assert remote.get("/chat/telegram/1").status_code == 404


def test_open_pages_need_nothing_from_elsewhere(remote: Remote, hoa: dict[str, Any]) -> None:
    for path in ("/", f"/chat/zalo/{hoa['zalo']}"):
        page = remote.get(path).text
        for mark in ('src="', 'href="'):
            for address in (part.partition('"')[0] for part in page.split(mark)[1:]):
                assert address.startswith(("/", remote.sandbox.settings.public_url)), address


def test_an_open_page_receives_and_a_shown_one_sees(
    remote: Remote, hoa: dict[str, Any], cs: Send, receiver: Receiver
) -> None:
    user = hoa["zalo"]
    remote.control("zalo/say", user=user, text="a")
    sent = cs(user, {"text": "b"})["data"]["message_id"]
    changes = remote.get(f"/chat/zalo/{user}/changes").json()
    assert [m["text"] for m in changes["messages"]] == ["a", "b"]
    assert receiver.named("user_received_message")[0].event["message"] == {"msg_id": sent}
    assert "user_seen_message" not in {r.name for r in receiver.received}
    remote.get(f"/chat/zalo/{user}/changes", since=changes["revision"], seeing=1)
    assert receiver.named("user_seen_message")[0].event["message"] == {"msg_ids": [sent]}


def test_hidden_taps_are_not_shown(remote: Remote, hoa: dict[str, Any], cs: Send, receiver: Receiver) -> None:
    user = hoa["zalo"]
    remote.control("zalo/say", user=user, text="a")
    tap = {"title": "Chọn", "type": "oa.query.hide", "payload": "#x"}
    remote.post(f"/chat/zalo/{user}/tap", tap)
    assert receiver.named("user_send_text", 2)[-1].event["message"]["text"] == "#x"
    shown = remote.get(f"/chat/zalo/{user}/changes").json()["messages"]
    assert [m["text"] for m in shown] == ["a"]


def test_a_messenger_link_with_a_ref_opens_the_thread(remote: Remote, hoa: dict[str, Any], receiver: Receiver) -> None:
    path = f"/chat/messenger/{hoa['messenger']}"
    remote.control("messenger/say", user=hoa["messenger"], text="a")
    page = remote.get(path, ref="nonce-9")
    assert page.url == remote.base + path
    [got] = receiver.wait_for(1, lambda r: b"referral" in r.body)
    assert got.event["entry"][0]["messaging"][0]["referral"]["ref"] == "nonce-9"


def test_wrong_calls_are_refused(remote: Remote, hoa: dict[str, Any]) -> None:
    base = f"/chat/zalo/{hoa['zalo']}"
    assert remote.post(f"{base}/say", {"text": "  "}).status_code == 400
    assert remote.post(f"{base}/say").status_code == 400
    assert remote.post(f"{base}/file").status_code == 400
    assert remote.post(f"/chat/messenger/{hoa['messenger']}/follow").status_code == 404


def test_the_backends_are_mounted(remote: Remote, hoa: dict[str, Any]) -> None:
    code = hoa["codes"][0]
    path = f"{remote.base}/billing/v1/customers/{code}"
    assert remote.get(f"/billing/v1/customers/{code}").status_code == 401
    token = remote.sandbox.settings.backend_token
    caller = Remote(remote.sandbox, remote.base, {"Authorization": f"Bearer {token}"})
    assert caller.get(path.removeprefix(remote.base)).json()["code"] == code
    assert caller.get(f"/service/v1/customers/{code}/contract").status_code == 200
    assert remote.get("/control/backends").status_code == 200
    assert remote.get("/pay/none").status_code == 404


def test_zalo_in_the_browser(tab: Page, remote: Remote, hoa: dict[str, Any], cs: Send, receiver: Receiver) -> None:
    user = hoa["zalo"]
    tab.goto(f"{remote.base}/chat/zalo/{user}")
    expect(tab.get_by_text("Quý khách chưa nhắn tin")).to_be_visible()
    expect(tab.get_by_text("Chưa có tin nhắn nào.")).to_be_visible()
    tab.get_by_test_id("chat-input").fill("tiền điện <b>tháng này</b>?")
    tab.get_by_test_id("send").click()
    expect(tab.get_by_test_id("message-out")).to_have_text("tiền điện <b>tháng này</b>?12:00 · Đã nhận")
    expect(tab.get_by_test_id("chat-input")).to_have_value("")
    buttons = [{"title": "Hóa đơn", "type": "oa.query.show", "payload": "#bill"}]
    cs(user, {"text": "Chọn:", "attachment": {"type": "template", "payload": {"buttons": buttons}}})
    tab.get_by_test_id("button").click()
    expect(tab.get_by_test_id("message-out")).to_have_count(2)
    assert receiver.named("user_send_text", 2)[-1].event["message"]["text"] == "#bill"
    remote.sandbox.world.sms.deliver(hoa["phone"], "Ma xac thuc: 482913")
    expect(tab.get_by_test_id("sms")).to_contain_text("482913")
    tab.get_by_test_id("copy-code").click()
    expect(tab.get_by_text("Đã sao chép 482913")).to_be_visible()
    assert tab.evaluate("navigator.clipboard.readText()") == "482913"
    tab.get_by_test_id("follow").click()
    assert receiver.named("follow")[0].event["follower"] == {"id": user}
    receiver.named("user_seen_message")


def test_sending_other_things_in_the_browser(
    tab: Page, remote: Remote, hoa: dict[str, Any], receiver: Receiver
) -> None:
    tab.goto(f"{remote.base}/chat/zalo/{hoa['zalo']}")
    tab.get_by_test_id("attach").click()
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG"}
    tab.get_by_test_id("file").set_input_files(picture)  # type: ignore[arg-type]
    receiver.named("user_send_image")
    tab.get_by_test_id("attach").click()
    tab.locator("[data-panel=stickers]").click()
    tab.get_by_title("Cảm ơn").click()
    receiver.named("user_send_sticker")
    tab.get_by_test_id("attach").click()
    tab.locator("[data-panel=places]").click()
    tab.get_by_text("Phổ Yên").click()
    location = receiver.named("user_send_location")[0].event["message"]["attachments"][0]["payload"]
    assert location["coordinates"] == {"latitude": "21.4158", "longitude": "105.8736"}
    tab.get_by_test_id("attach").click()
    tab.get_by_test_id("voice").click()
    receiver.named("user_send_audio")
    expect(tab.get_by_test_id("message-out")).to_have_count(4)


def test_messenger_in_the_browser(tab: Page, page: Remote, hoa: dict[str, Any], send: Send) -> None:
    user = hoa["messenger"]
    page.post("/messenger/v25.0/me/messenger_profile", {"get_started": {"payload": "START"}})
    tab.goto(f"{page.base}/chat/messenger/{user}")
    tab.get_by_text("Bắt đầu").click()
    expect(tab.get_by_test_id("message-out")).to_have_count(1)
    page.post("/messenger/v25.0/me/messages", {"recipient": {"id": user}, "sender_action": "typing_on"})
    expect(tab.get_by_test_id("typing")).to_be_visible()
    replies = [{"content_type": "text", "title": "Cả xóm", "payload": "ALL"}]
    send(user, {"text": "Chỉ nhà mình hay cả xóm?", "quick_replies": replies})
    expect(tab.get_by_test_id("message-in")).to_contain_text("cả xóm?")
    expect(tab.get_by_test_id("typing")).to_be_hidden()
    tab.get_by_role("button", name="Cả xóm").click()
    expect(tab.get_by_test_id("message-out")).to_have_count(2)
    expect(tab.get_by_role("button", name="Cả xóm")).to_have_count(0)
    page.post("/messenger/v25.0/me/messages", {"recipient": {"id": user}, "sender_action": "mark_seen"})
    expect(tab.get_by_test_id("message-out").last).to_contain_text("Đã xem")


def test_the_page_fits_a_phone_and_keeps_the_sms_at_hand(tab: Page, remote: Remote, hoa: dict[str, Any]) -> None:
    tab.set_viewport_size({"width": 375, "height": 700})
    tab.goto(f"{remote.base}/chat/zalo/{hoa['zalo']}")
    assert tab.evaluate("document.documentElement.scrollWidth") == 375
    remote.sandbox.world.sms.deliver(hoa["phone"], "Ma xac thuc: 482913")
    expect(tab.locator("#sms-count")).to_have_text("1")
    tab.locator("#sms-open").click()
    expect(tab.get_by_test_id("copy-code")).to_be_in_viewport()
    tab.goto(remote.base)
    assert tab.evaluate("document.documentElement.scrollWidth") == 375


def test_a_silent_product_is_said(tab: Page, remote: Remote, hoa: dict[str, Any], receiver: Receiver) -> None:
    receiver.healthy = False
    tab.goto(f"{remote.base}/chat/zalo/{hoa['zalo']}")
    expect(tab.get_by_test_id("trouble")).to_contain_text("Trợ lý Điện chưa chạy")
    receiver.healthy = True
    receiver.answers.append(500)
    remote.control("zalo/say", user=hoa["zalo"], text="a")
    receiver.wait_for(1)
    tab.reload()
    expect(tab.get_by_test_id("trouble")).to_contain_text("đang báo lỗi (500)")
