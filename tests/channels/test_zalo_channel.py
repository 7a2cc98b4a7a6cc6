"""Zalo's calls on the wire, and what their answers make of a send."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from scripted import Drop, Hang, Platform, Say, StoppedClock

from bot.channels.base import Picture, Template
from bot.channels.http import HttpClient
from bot.channels.outcomes import BadRequest, OutcomeUnknown, Reauthorise, Retry, Scope, Sent, WindowClosed
from bot.channels.zalo.api import OaInfo, ReplyQuota, ZaloApi, ZaloUser
from bot.channels.zalo.channel import ZaloChannel
from bot.channels.zalo.tokens import ZaloTokens
from bot.messages import Button, ChannelName, OutMessage
from bot.settings import ZaloSettings
from bot.store.database import Database
from bot.store.models import PlatformToken

USER = "2222222222222222222"
ACCEPTED = Say(
    {
        "error": 0,
        "message": "Success",
        "data": {"message_id": "aabb01", "user_id": USER, "quota": {"quota_type": "reply", "remain": "8"}},
    }
)
TAPS = OutMessage(text="Chọn:", buttons=(Button(title="Tiền điện", payload="#bill"),))
PNG = Picture(b"\x89PNG picture", "image/png")


@pytest.fixture
def channel(platform: Platform, database: Database, clock: StoppedClock) -> ZaloChannel:
    """A channel with a token an hour old."""
    settings = ZaloSettings(
        _env_file=None,
        app_id="app",
        app_secret=SecretStr("app-secret"),
        oa_secret_key=SecretStr("k"),
        oa_id="4444",
        oauth_url=platform.url + "/oauth",
        openapi_url=platform.url + "/openapi",
        business_url=platform.url + "/business",
    )
    with database.begin() as session:
        session.add(
            PlatformToken(
                provider="zalo",
                access_token="access-0",
                refresh_token="refresh-0",
                updated_at=clock() - timedelta(hours=1),
                access_expires_at=clock() + timedelta(hours=24),
            )
        )
    http = HttpClient(ChannelName.ZALO, read_timeout=0.3)
    tokens = ZaloTokens(settings, database, clock, http)
    return ZaloChannel(settings, ZaloApi(settings, tokens, clock, http), tokens)


def send(channel: ZaloChannel, message: OutMessage, picture: Picture | None = None) -> Sent:
    return channel.send(USER, message, delivery_key="d1", picture=picture)


def test_a_text_on_the_wire(channel: ZaloChannel, platform: Platform) -> None:
    platform.otherwise = ACCEPTED
    assert send(channel, OutMessage(text="Tiền điện: 512.340 đ")) == Sent("aabb01")
    [asked] = platform.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/openapi/v3.0/oa/message/cs", {})
    assert asked.headers["access_token"] == "access-0"
    assert "Authorization" not in asked.headers
    assert asked.json == {"recipient": {"user_id": USER}, "message": {"text": "Tiền điện: 512.340 đ"}}


def test_an_error_in_a_success_status_is_an_error(channel: ZaloChannel, platform: Platform) -> None:
    platform.otherwise = Say({"error": -230, "message": "no interaction"})
    with pytest.raises(WindowClosed, match="-230"):
        send(channel, OutMessage(text="Xin chào"))
    assert len(platform.asked) == 1


@pytest.mark.parametrize("reaction", [Hang, Drop, Say(b""), Say(b"", 502), Say({})])
def test_a_send_without_an_answer_is_never_repeated(channel: ZaloChannel, platform: Platform, reaction: Say) -> None:
    platform.otherwise = reaction
    with pytest.raises(OutcomeUnknown):
        send(channel, OutMessage(text="Xin chào"))
    assert len(platform.asked) == 1


@pytest.mark.parametrize("code", [-216, -220, 216, 401, -401])
def test_a_refused_token_is_renewed_once_and_the_call_made_once_more(
    channel: ZaloChannel, platform: Platform, code: int
) -> None:
    platform.script += [
        Say({"error": code}),
        Say({"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": "90000"}),
        ACCEPTED,
    ]
    assert send(channel, OutMessage(text="Xin chào")) == Sent("aabb01")
    assert platform.paths() == [
        "/openapi/v3.0/oa/message/cs",
        "/oauth/v4/oa/access_token",
        "/openapi/v3.0/oa/message/cs",
    ]
    assert platform.asked[2].headers["access_token"] == "access-1"
    assert platform.asked[2].body == platform.asked[0].body


def test_a_token_refused_again_and_again_does_not_loop(channel: ZaloChannel, platform: Platform) -> None:
    refused = Say({"error": -216})
    platform.script += [refused, Say({"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": "90000"})]
    platform.otherwise = refused
    for _ in range(3):
        with pytest.raises(Reauthorise):
            send(channel, OutMessage(text="Xin chào"))
    assert platform.paths().count("/oauth/v4/oa/access_token") == 1
    assert len(platform.asked) == 5


@pytest.mark.parametrize("code", [-201, -233])
def test_buttons_refused_become_a_numbered_list(channel: ZaloChannel, platform: Platform, code: int) -> None:
    platform.script += [Say({"error": code, "message": "attachment is invalid"}), ACCEPTED]
    assert send(channel, TAPS) == Sent("aabb01")
    first, second = (asked.json["message"] for asked in platform.asked)
    assert first["attachment"]["payload"]["buttons"][0]["title"] == "Tiền điện"
    assert second == {"text": "Chọn:\nQuý khách nhắn số để chọn:\n1. Tiền điện"}


def test_other_refusals_of_buttons_stand(channel: ZaloChannel, platform: Platform) -> None:
    platform.otherwise = Say({"error": -210})
    with pytest.raises(BadRequest, match="-210"):
        send(channel, TAPS)
    assert len(platform.asked) == 1


def test_a_picture_is_uploaded_and_sent(channel: ZaloChannel, platform: Platform) -> None:
    platform.script += [Say({"error": 0, "data": {"attachment_id": "att1"}}), ACCEPTED]
    assert send(channel, OutMessage(text="Mã QR", media_id=1), PNG) == Sent("aabb01")
    upload, message = platform.asked
    assert upload.path == "/openapi/v2.0/oa/upload/image"
    assert b'name="file"; filename="picture.png"' in upload.body
    assert PNG.content in upload.body
    assert message.json["message"] == {
        "text": "Mã QR",
        "attachment": {
            "type": "template",
            "payload": {"template_type": "media", "elements": [{"media_type": "image", "attachment_id": "att1"}]},
        },
    }


def test_an_expired_upload_is_made_again_once(channel: ZaloChannel, platform: Platform) -> None:
    uploads = [Say({"error": 0, "data": {"attachment_id": f"att{n}"}}) for n in (1, 2)]
    expired = Say({"error": -100, "message": "attachment_id was expired"})
    platform.script += [uploads[0], expired, uploads[1], expired]
    with pytest.raises(BadRequest, match="-100"):
        send(channel, OutMessage(media_id=1), PNG)
    assert len(platform.asked) == 4


@pytest.mark.parametrize("trouble", [Say({"error": -210}), Say({"error": 0, "data": {}}), Say(b"", 503), Hang])
def test_a_picture_that_cannot_be_uploaded_goes_by_address(
    channel: ZaloChannel, platform: Platform, trouble: Say
) -> None:
    url = "https://bot.example.vn/media/signed"
    platform.script += [trouble, ACCEPTED]
    assert send(channel, OutMessage(media_id=1), Picture(PNG.content, "image/png", url)) == Sent("aabb01")
    assert platform.asked[1].json["message"]["attachment"]["payload"]["elements"] == [
        {"media_type": "image", "url": url}
    ]


def test_an_upload_without_an_answer_may_be_tried_again(channel: ZaloChannel, platform: Platform) -> None:
    platform.otherwise = Hang
    with pytest.raises(Retry):
        send(channel, OutMessage(media_id=1), PNG)


@pytest.mark.parametrize("picture", [None, Picture(b"x" * 1_000_001, "image/png"), Picture(b"<svg/>", "image/svg+xml")])
def test_pictures_zalo_does_not_take(channel: ZaloChannel, platform: Platform, picture: Picture | None) -> None:
    with pytest.raises(BadRequest):
        send(channel, OutMessage(media_id=1), picture)
    assert platform.asked == []


def test_templates_by_uid_and_by_phone(channel: ZaloChannel, platform: Platform) -> None:
    platform.script += [
        Say({"error": 0, "data": {"message_id": "t1", "user_id": USER}, "sent_time": "1"}),
        Say({"error": 0, "message": "Success", "data": {"msg_id": "p1", "sent_time": "1767225600000"}}),
    ]
    data = {"ten": "Nguyễn Văn A", "so_tien": "512340"}
    assert channel.api.send_template_to_user(USER, "77", data) == Sent("t1")
    assert channel.api.send_template_to_phone("84900000001", "77", data, "notice1") == Sent("p1")
    by_user, by_phone = platform.asked
    assert by_user.path == "/openapi/v3.0/oa/message/template"
    assert by_user.json == {"user_id": USER, "template_id": "77", "template_data": data}
    assert by_phone.path == "/business/message/template"
    assert by_phone.json == {
        "phone": "84900000001",
        "template_id": "77",
        "template_data": data,
        "tracking_id": "notice1",
    }


@pytest.mark.parametrize(("code", "scope"), [(-223, Scope.KIND), (-221, Scope.TOKEN)])
def test_without_a_right_to_templates_only_they_stop(
    channel: ZaloChannel, platform: Platform, code: int, scope: Scope
) -> None:
    platform.otherwise = Say({"error": code})
    with pytest.raises(Reauthorise) as refused:
        channel.send_template(USER, Template("77", "vi", {}), delivery_key="k")
    assert refused.value.scope is scope
    with pytest.raises(Reauthorise) as refused:
        send(channel, OutMessage(text="chào"))
    assert refused.value.scope is Scope.TOKEN


def test_one_code_means_two_things_on_two_hosts(channel: ZaloChannel, platform: Platform) -> None:
    platform.otherwise = Say({"error": -100})
    with pytest.raises(BadRequest):
        channel.api.send_template_to_user(USER, "77", {})
    with pytest.raises(Retry):
        channel.api.send_template_to_phone("84900000001", "77", {}, "n1")


def test_the_business_host_has_its_own_word_for_a_refused_token(channel: ZaloChannel, platform: Platform) -> None:
    platform.script += [
        Say({"error": -124}),
        Say({"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": "90000"}),
        Say({"error": 0, "data": {"msg_id": "p1"}}),
    ]
    assert channel.api.send_template_to_phone("84900000001", "77", {}, "n1") == Sent("p1")


def test_who_somebody_is(channel: ZaloChannel, platform: Platform) -> None:
    platform.script.append(
        Say({"error": 0, "data": {"user_id": USER, "display_name": "Lan Anh", "user_is_follower": True}})
    )
    assert channel.api.user(USER) == ZaloUser(USER, "Lan Anh", True)
    [asked] = platform.asked
    assert asked.method == "GET"
    assert json.loads(asked.query["data"]) == {"user_id": USER}
    platform.otherwise = Say({"error": -201})
    assert channel.display_name(USER) is None


def test_quota_reaction_file_and_account(channel: ZaloChannel, platform: Platform) -> None:
    platform.script += [
        Say({"error": 0, "data": {"last_interaction": "1767225600000", "cs_reply": {"remain": "7", "total": 8}}}),
        Say({"error": 0, "data": {}}),
        Say({"error": 0, "data": {"token": "file1"}}),
        Say({"error": 0, "data": {"oaid": 4444, "name": "PC", "is_verified": True, "package_name": "Advanced"}}),
    ]
    assert channel.api.reply_quota(USER) == ReplyQuota(datetime(2026, 1, 1, tzinfo=UTC), 7)
    channel.api.react(USER, "m1", "/-strong")
    assert channel.api.upload_file("hoa-don.pdf", b"%PDF", "application/pdf") == "file1"
    assert channel.api.oa() == OaInfo("4444", "PC", True, "Advanced")
    assert platform.asked[1].json == {
        "recipient": {"user_id": USER},
        "sender_action": {"react_icon": "/-strong", "react_message_id": "m1"},
    }
    assert platform.paths() == [
        "/openapi/v3.0/oa/quota/message",
        "/openapi/v2.0/oa/message",
        "/openapi/v2.0/oa/upload/file",
        "/openapi/v2.0/oa/getoa",
    ]


def test_the_check_finds_another_accounts_token(channel: ZaloChannel, platform: Platform) -> None:
    platform.script += [Say({"error": 0, "data": {"oaid": "4444"}}), Say({"error": 0, "data": {"oaid": "5555"}})]
    channel.check()
    with pytest.raises(Reauthorise):
        channel.check()


def test_the_clock_raises_the_alert_only_when_a_person_is_needed(
    channel: ZaloChannel, platform: Platform, clock: StoppedClock
) -> None:
    def alert() -> float | None:
        return REGISTRY.get_sample_value("provider_needs_attention", {"provider": "zalo"})

    channel.keep_credentials()
    assert (alert(), platform.asked) == (0, [])
    clock.forward(hours=20)
    platform.script.append(Say(b"", 503))
    channel.keep_credentials()
    assert alert() == 0
    clock.forward(minutes=2)
    platform.script.append(Say({"error": -14014}))
    channel.keep_credentials()
    assert alert() == 1
    channel.keep_credentials()
    assert alert() == 1
    assert len(platform.asked) == 2


def test_the_reply_window_is_seven_days(channel: ZaloChannel, clock: StoppedClock) -> None:
    now = clock()
    assert channel.reply_window(now - timedelta(days=6, hours=23), now)
    assert not channel.reply_window(now - timedelta(days=7), now)
    assert not channel.reply_window(None, now)
