"""Messenger's calls on the wire, and what their answers make of a send."""

import json
from datetime import timedelta

import pytest
from pydantic import SecretStr
from scripted import Drop, Hang, Platform, Say, StoppedClock

from bot.channels.base import Picture
from bot.channels.http import HttpClient
from bot.channels.messenger.api import MessengerApi, appsecret_proof
from bot.channels.messenger.channel import MessengerChannel
from bot.channels.outcomes import BadRequest, OutcomeUnknown, Reauthorise, Retry, Sent, WindowClosed
from bot.messages import Button, ChannelName, OutMessage
from bot.settings import MessengerSettings

PSID = "7777777777777777"
ACCEPTED = Say({"recipient_id": PSID, "message_id": "m_1"})
PNG = Picture(b"\x89PNG picture", "image/png")
TAPS = (Button(title="Tiền điện", payload="#bill"),)


@pytest.fixture
def channel(platform: Platform, clock: StoppedClock) -> MessengerChannel:
    settings = MessengerSettings(
        _env_file=None,
        app_secret=SecretStr("test_app_secret"),
        verify_token=SecretStr("v"),
        page_id="555",
        page_token=SecretStr("test_token"),
        api_url=platform.url + "/v25.0",
    )
    platform.otherwise = ACCEPTED
    return MessengerChannel(
        settings, MessengerApi(settings, clock, HttpClient(ChannelName.MESSENGER, read_timeout=0.3))
    )


def send(channel: MessengerChannel, message: OutMessage, picture: Picture | None = None) -> Sent:
    return channel.send(PSID, message, delivery_key="reply:1:0", picture=picture)


def graph_error(code: int, subcode: int | None = None, status: int = 400) -> Say:
    error = {"message": "(#1) Some words", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return Say({"error": error | ({"error_subcode": subcode} if subcode else {})}, status)


def test_the_proof_is_metas() -> None:
    proof = appsecret_proof("test_token", "test_app_secret")
    assert proof == "596cbf9dee78d953a94438ce5d3d44d386afc2225780e20c39a7edf37d5496da"


def test_a_text_on_the_wire(channel: MessengerChannel, platform: Platform) -> None:
    assert send(channel, OutMessage(text="Tiền điện: 512.340 đ")) == Sent("m_1")
    [asked] = platform.asked
    assert (asked.method, asked.path) == ("POST", "/v25.0/555/messages")
    assert asked.query == {"appsecret_proof": appsecret_proof("test_token", "test_app_secret")}
    assert asked.headers["Authorization"] == "Bearer test_token"
    assert asked.json == {
        "recipient": {"id": PSID},
        "messaging_type": "RESPONSE",
        "message": {"text": "Tiền điện: 512.340 đ", "metadata": "reply:1:0"},
    }


def test_a_template_carries_the_key_too(channel: MessengerChannel, platform: Platform) -> None:
    send(channel, OutMessage(text="Chọn:", buttons=TAPS))
    message = platform.asked[0].json["message"]
    assert message["metadata"] == "reply:1:0"
    assert message["attachment"]["payload"]["template_type"] == "button"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (graph_error(10, 2018278), WindowClosed),
        (graph_error(190, 463, status=401), Reauthorise),
        (graph_error(2, status=500), Retry),
        (graph_error(1, 1357046, status=500), OutcomeUnknown),
        (graph_error(100), BadRequest),
        (Say(b"<html>", 500), Retry),
        (Say(b"<html>", 502), OutcomeUnknown),
        (Say(b""), OutcomeUnknown),
        (Hang, OutcomeUnknown),
        (Drop, OutcomeUnknown),
    ],
)
def test_the_code_decides_then_the_status_and_nothing_is_repeated(
    channel: MessengerChannel, platform: Platform, answer: Say, error: type[Exception]
) -> None:
    platform.otherwise = answer
    with pytest.raises(error) as caught:
        send(channel, OutMessage(text="Xin chào"))
    assert type(caught.value) is error
    assert len(platform.asked) == 1


def test_a_picture_is_uploaded_and_sent(channel: MessengerChannel, platform: Platform) -> None:
    platform.script.append(Say({"attachment_id": "99"}))
    assert send(channel, OutMessage(media_id=1), PNG) == Sent("m_1")
    upload, message = platform.asked
    assert upload.path == "/v25.0/me/message_attachments"
    assert b'name="filedata"; filename="picture.png"' in upload.body
    assert b'{"attachment": {"type": "image", "payload": {"is_reusable": true}}}' in upload.body
    assert PNG.content in upload.body
    assert message.json["message"] == {
        "attachment": {"type": "image", "payload": {"attachment_id": "99"}},
        "metadata": "reply:1:0",
    }


@pytest.mark.parametrize("trouble", [graph_error(100), Say({}), Say(b"", 503), Hang])
def test_a_picture_that_cannot_be_uploaded_goes_by_address(
    channel: MessengerChannel, platform: Platform, trouble: Say
) -> None:
    platform.script.append(trouble)
    url = "https://bot.example.vn/media/signed"
    assert send(channel, OutMessage(media_id=1), Picture(PNG.content, "image/png", url)) == Sent("m_1")
    assert platform.asked[1].json["message"]["attachment"] == {"type": "image", "payload": {"url": url}}


def test_a_dead_token_at_the_upload_is_told_at_once(channel: MessengerChannel, platform: Platform) -> None:
    platform.script.append(graph_error(190))
    with pytest.raises(Reauthorise):
        send(channel, OutMessage(media_id=1), Picture(PNG.content, "image/png", "https://bot.example.vn/media/x"))
    assert len(platform.asked) == 1


def test_a_picture_no_longer_kept(channel: MessengerChannel, platform: Platform) -> None:
    with pytest.raises(BadRequest):
        send(channel, OutMessage(media_id=1))
    assert platform.asked == []


def test_typing_is_two_calls_and_never_an_error(channel: MessengerChannel, platform: Platform) -> None:
    channel.show_typing(PSID)
    assert [asked.json for asked in platform.asked] == [
        {"recipient": {"id": PSID}, "sender_action": "mark_seen"},
        {"recipient": {"id": PSID}, "sender_action": "typing_on"},
    ]
    platform.otherwise = graph_error(10, 2018278)
    channel.show_typing(PSID)


def test_names_in_vietnamese_order_when_they_can_be_had(channel: MessengerChannel, platform: Platform) -> None:
    platform.script += [
        Say({"first_name": "Lan Anh", "last_name": "Nguyễn", "id": PSID}),
        Say({}),
        graph_error(2018218),
    ]
    assert channel.display_name(PSID) == "Nguyễn Lan Anh"
    assert channel.display_name(PSID) is None
    assert channel.display_name(PSID) is None
    assert platform.asked[0].path == f"/v25.0/{PSID}"
    assert platform.asked[0].query["fields"] == "first_name,last_name"


def test_utility_templates_in_both_shapes(channel: MessengerChannel, platform: Platform) -> None:
    named = {"ngay": "27/11/2026"}
    channel.api.send_utility(PSID, "lich_cat_dien", "vi", named, payloads=["#outage:1"], metadata="n1")
    channel.api.send_utility(PSID, "lich_cat_dien", "vi", ["27/11/2026"], payloads=["#outage:1"], as_attachment=True)
    documented, other = (asked.json for asked in platform.asked)
    assert documented == {
        "recipient": {"id": PSID},
        "messaging_type": "UTILITY",
        "message": {
            "template": {
                "name": "lich_cat_dien",
                "language": {"code": "vi"},
                "components": [
                    {
                        "type": "body",
                        "parameters": [{"type": "text", "parameter_name": "ngay", "text": "27/11/2026"}],
                    },
                    {"type": "buttons", "parameters": [{"type": "POSTBACK", "payload": "#outage:1"}]},
                ],
            },
            "metadata": "n1",
        },
    }
    payload = other["message"]["attachment"]["payload"]
    assert payload["template_type"] == "utility_messages"
    assert payload["components"][0]["parameters"] == [{"type": "text", "text": "27/11/2026"}]
    assert payload["components"][1] == {
        "type": "button",
        "sub_type": "postback",
        "index": 0,
        "parameters": [{"type": "text", "text": "#outage:1"}],
    }


def test_the_check_reads_the_subscription(channel: MessengerChannel, platform: Platform) -> None:
    platform.script += [
        Say({"data": [{"id": "1", "subscribed_fields": ["messages", "messaging_postbacks"]}]}),
        Say({"data": []}),
    ]
    channel.check()
    with pytest.raises(Reauthorise):
        channel.check()
    assert json.loads(platform.asked[0].body or b"null") is None
    assert platform.asked[0].path == "/v25.0/555/subscribed_apps"


def test_the_reply_window_is_a_day(channel: MessengerChannel, clock: StoppedClock) -> None:
    now = clock()
    assert channel.reply_window(now - timedelta(hours=23), now)
    assert not channel.reply_window(now - timedelta(hours=24), now)
    assert not channel.reply_window(None, now)
