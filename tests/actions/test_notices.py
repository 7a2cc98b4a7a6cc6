"""What is kept of a choice, and what is asked before it is kept, through the whole product."""

from typing import Any

import pytest
from fixtures.outside import CODE, OTHER_CODE
from fixtures.stage import USER, Stage
from sqlalchemy import select

from bot.dialogue.commands import Place
from bot.notice_kinds import load_notice_kinds
from bot.pipeline.assembly import DATA
from bot.store import preferences
from bot.store.models import Audit, Consent, Link
from bot.store.preferences import GENERAL, Level, Preferences, QuietHours, Scope

KINDS = load_notice_kinds(DATA / "notices.yml")
[REMINDER] = KINDS.named("payment_due")


def mention(group: str, text: str, of: str) -> dict[str, Any]:
    start = text.index(of)
    return {"entity": "notice_kind", "value": group, "start": start, "end": start + len(of)}


@pytest.fixture(autouse=True)
def taught(stage: Stage) -> None:
    for text, intent, *mentions in (
        ("tắt nhắc nợ", "notice_unsubscribe", ("reminder", "nhắc nợ")),
        ("bật nhắc nợ", "notice_subscribe", ("reminder", "nhắc nợ")),
        ("bật tin tức", "notice_subscribe", ("news", "tin tức")),
        ("bật tin hóa đơn và tin tức", "notice_subscribe", ("bill", "hóa đơn"), ("news", "tin tức")),
        ("chỉ báo cắt điện thôi", "notice_settings", ("outage", "cắt điện")),
        ("dừng hết", "notice_unsubscribe"),
        ("nhận lại", "notice_subscribe"),
        ("xem cài đặt", "notice_settings"),
        ("từ 21h đến 6h đừng nhắn", "notice_settings"),
        ("thôi", "cancel"),
    ):
        entities = tuple(mention(group, text, of) for group, of in mentions)
        stage.nlu.teach(text, intent, entities=entities, **({"notice": mentions[0][0]} if mentions else {}))
    stage.nlu.teach("quá 300 số thì báo", "usage_alert", energy=300)
    stage.nlu.teach("đặt cảnh báo", "usage_alert")
    stage.nlu.teach("300 số", "inform", energy=300)
    place = Place(code="05521", name="Bình Yên")
    stage.nlu.teach(
        "báo cắt điện xã Bình Yên",
        "notice_subscribe",
        entities=(mention("outage", "báo cắt điện xã Bình Yên", "cắt điện"),),
        place=place,
    )


def agree(stage: Stage) -> None:
    """To the use of linked codes, some time ago."""
    with stage.database.begin() as session:
        contact_id = session.scalars(select(Link.contact_id)).first()
        session.add(Consent(contact_id=contact_id, purpose="account", granted=True, text_version="t", at=stage.clock()))


def kept(stage: Stage) -> Preferences:
    contact_id = stage.conversation(USER).contact_id
    with stage.database.begin() as session:
        return preferences.of_contact(session, contact_id)


def log(stage: Stage) -> list[tuple[str, bool]]:
    with stage.database.begin() as session:
        rows = session.scalars(select(Consent).where(Consent.purpose.like("notice:%")).order_by(Consent.id))
        return [(row.purpose, row.granted) for row in rows]


class TestChoosing:
    def test_off_and_on_again_leaves_both_in_the_log(self, stage: Stage) -> None:
        link = stage.link(CODE)
        agree(stage)
        stage.says("tắt nhắc nợ")
        assert kept(stage).is_on(REMINDER, link) is False
        stage.taps("Bật lại")
        assert kept(stage).is_on(REMINDER, link) is True
        assert [(purpose, granted) for purpose, granted in log(stage) if purpose == "notice:payment_due"] == [
            ("notice:payment_due", False),
            ("notice:payment_due", True),
        ]

    def test_of_one_of_two_accounts(self, stage: Stage) -> None:
        first, second = stage.link(CODE), stage.link(OTHER_CODE)
        agree(stage)
        stage.says("tắt nhắc nợ")
        assert log(stage) == [], "nothing is kept before the account is chosen"
        stage.taps(OTHER_CODE)
        assert [kept(stage).is_on(REMINDER, link) for link in (first, second)] == [True, False]

    def test_only_one_group(self, stage: Stage) -> None:
        link = stage.link(CODE)
        agree(stage)
        stage.says("chỉ báo cắt điện thôi")
        on = {kind.group for kind in KINDS.kinds if not kind.always and kept(stage).is_on(kind, link)}
        assert on == {"outage"}

    def test_everything_off_needs_a_yes(self, stage: Stage) -> None:
        link = stage.link(CODE)
        agree(stage)
        stage.says("dừng hết")
        stage.says("không")
        assert log(stage) == []
        stage.says("dừng hết")
        stage.says("đồng ý")
        assert {kind.key for kind in KINDS.kinds if kept(stage).is_on(kind, link)} == {
            kind.key for kind in KINDS.kinds if kind.always
        }
        stage.says("nhận lại")
        assert {kind.key for kind in KINDS.kinds if kept(stage).is_on(kind, link)} == {
            kind.key for kind in KINDS.kinds if kind.unasked
        }

    def test_a_place_is_followed_by_who_has_no_code(self, stage: Stage) -> None:
        stage.says("báo cắt điện xã Bình Yên")
        assert kept(stage).places == ["05521"]
        assert all(kept(stage).follows(kind, "05521") for kind in KINDS.named("outage"))

    def test_what_is_off_needs_no_code(self, stage: Stage) -> None:
        """Messages also come by phone: who is no customer may stop them."""
        stage.says("tắt nhắc nợ")
        assert kept(stage).wishes[("payment_due", GENERAL)] is False


class TestConsent:
    def test_without_the_one_for_accounts_it_is_asked_for_first(self, stage: Stage) -> None:
        link = stage.link(CODE)
        [told] = stage.says("bật nhắc nợ")[-1:]
        assert "đồng ý cho dùng mã đó" in told
        assert log(stage) == []
        stage.says("đồng ý")
        assert kept(stage).agreed
        assert kept(stage).is_on(REMINDER, link)

    def test_refused_nothing_changes(self, stage: Stage) -> None:
        stage.link(CODE)
        stage.says("bật nhắc nợ")
        stage.says("không")
        assert log(stage) == []
        assert not kept(stage).agreed

    def test_advertising_has_its_own(self, stage: Stage) -> None:
        stage.says("bật tin tức")
        assert log(stage) == []
        stage.taps("Đồng ý nhận")
        news = ("announcement", "advice", "survey", "request_moved")
        assert dict(log(stage)) == {f"notice:{kind}": True for kind in news}

    def test_both_one_after_the_other(self, stage: Stage) -> None:
        stage.link(CODE)
        assert "đồng ý cho dùng mã đó" in stage.says("bật tin hóa đơn và tin tức")[-1]
        assert "quảng cáo" in stage.says("đồng ý")[-1]
        assert log(stage) == []
        stage.says("đồng ý")
        assert {"notice:bill_issued", "notice:advice"} <= dict(log(stage)).keys()

    def test_a_level_needs_it_too(self, stage: Stage) -> None:
        link = stage.link(CODE)
        assert "đồng ý cho dùng mã đó" in stage.says("quá 300 số thì báo")[-1]
        assert kept(stage).levels == {}
        stage.taps("Đồng ý")
        assert kept(stage).wishes == {("usage_level", Scope(link)): True}


class TestLevelsAndHours:
    def test_a_level_is_kept_and_its_warning_is_on(self, stage: Stage) -> None:
        link = stage.link(CODE)
        agree(stage)
        stage.says("quá 300 số thì báo")
        assert kept(stage).levels == {link: Level(kwh=300)}
        assert kept(stage).is_on(KINDS.named("usage_level")[0], link)
        stage.taps("Bỏ mức")
        assert kept(stage).levels == {}

    def test_cancelled_nothing_is_kept(self, stage: Stage) -> None:
        stage.link(CODE)
        agree(stage)
        stage.says("đặt cảnh báo")
        stage.says("thôi")
        assert kept(stage).levels == {}

    def test_hours_are_kept_and_audited(self, stage: Stage) -> None:
        stage.says("từ 21h đến 6h đừng nhắn")
        hours = kept(stage).hours
        assert hours is not None
        assert (f"{hours.starts:%H:%M}", f"{hours.ends:%H:%M}") == ("21:00", "06:00")
        with stage.database.begin() as session:
            [audit] = session.scalars(select(Audit).where(Audit.action == "notice.hours")).all()
        assert audit.detail == {"quiet": "21:00-06:00"}
        stage.taps("Trở lại như cũ")
        assert kept(stage).hours is None
        assert stage.product.company.notices.quiet == QuietHours(
            hours.starts.replace(hour=22), hours.ends.replace(hour=7)
        )
