"""From a change at the utility to what people are told: through the real store, planner and dispatcher."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fixtures.outside import CODE, OTHER_CODE, invoice
from fixtures.stage import USER, Stage
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from actions.backends.errors import BackendDown
from actions.backends.models import (
    Change,
    CutWarned,
    CutWarning,
    Invoice,
    InvoiceIssued,
    MeterWork,
    MeterWorkPlanned,
    Outage,
    OutageKnown,
    RequestMoved,
    ServiceRequest,
    UsageFlag,
    UsageFlagged,
)
from actions.backends.references import contact_reference
from bot.channels import outcomes
from bot.channels.outcomes import (
    BadRequest,
    OutcomeUnknown,
    Reauthorise,
    RecipientGone,
    Retry,
    SlowDown,
    WindowClosed,
)
from bot.messages import ChannelName
from bot.store import conversations, deliveries, ledger, notices, preferences
from bot.store.models import Consent, Contact, Delivery, DeliveryStatus, Lane, Notice, NoticeLimits
from bot.store.preferences import GENERAL, Level, Scope

NEIGHBOUR = "3333333333333333333"
MORNING = datetime(2026, 11, 25, 2, tzinfo=UTC)
"""9:00 in Vietnam."""


@pytest.fixture(autouse=True)
def linked(stage: Stage) -> int:
    """The customer agreed and linked a code whose October bill is unpaid; it is morning."""
    stage.clock.now = MORNING
    link = stage.link(CODE)
    agree(stage)
    stage.billing.bills[CODE] = [bill()]
    return link


def agree(stage: Stage, user: str = USER) -> None:
    with stage.database.begin() as session:
        contact = conversations.load(session, ChannelName.ZALO, user).contact
        session.add(Consent(contact_id=contact.id, purpose="account", granted=True, text_version="t", at=stage.clock()))


def contact_id(stage: Stage, user: str = USER) -> int:
    with stage.database.begin() as session:
        return conversations.load(session, ChannelName.ZALO, user).contact.id


def bill(code: str = CODE, month: date = date(2026, 10, 1), **values: Any) -> Invoice:
    return invoice(code, month, **values).model_copy(
        update={"issued_at": MORNING, "due_date": MORNING.date() + timedelta(days=7)}
    )


def issued(invoice: Invoice) -> InvoiceIssued:
    return InvoiceIssued(id=f"c-{invoice.id}", at=MORNING, invoice=invoice)


def cut_warning() -> CutWarning:
    return CutWarning(
        id="NC-1",
        customer_code=CODE,
        invoice_ids=(bill().id,),
        total=512_340,
        cut_from=MORNING + timedelta(days=3),
        state="planned",
    )


def outage(stage: Stage, **values: Any) -> OutageKnown:
    """As published or changed; the service knows it so from now on."""
    given: dict[str, Any] = {
        "id": "KH-1",
        "version": 1,
        "kind": "planned",
        "state": "planned",
        "start": MORNING + timedelta(days=6),
        "expected_end": MORNING + timedelta(days=6, hours=4),
        "actual_end": None,
        "area_text": "Xã Bình Yên: xóm Bãi Đá",
        "place_codes": ("05521",),
        "reason": "Thay máy biến áp",
        "feeder": None,
        "published_at": MORNING,
        **values,
    }
    cut = Outage(**given)
    stage.service.cuts = [cut]
    stage.service.reached |= {CODE, OTHER_CODE}
    return OutageKnown(id=f"o{cut.version}-{cut.state}", at=stage.clock(), outage=cut)


def fates(stage: Stage) -> list[tuple[str, str | None]]:
    return [(each.status, each.outcome) for each in stage.deliveries() if each.notice_id]


# --- Bills ---


def test_a_bill_is_told_once_with_its_amount_and_ways_to_go_on(stage: Stage) -> None:
    stage.takes(issued(bill()))
    (text,) = stage.send_notices()
    assert "512.340 đ" in text
    assert "tháng 10/2026" in text
    assert [button.title for button in stage.zalo.sent[-1].message.buttons][:2] == ["Thanh toán", "Vì sao số tiền này?"]
    assert fates(stage) == [("sent", "sent")]
    stage.takes(issued(bill()))
    assert stage.send_notices() == []
    assert [notice.kind for notice in stage.notices()] == [
        "bill_issued",
        "payment_due",
        "payment_overdue",
        "payment_overdue",
    ]


def test_it_stands_in_the_thread(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.send_notices()
    (line,) = stage.messages()
    assert (line.sender, line.kind) == ("bot", "notice")
    assert "512.340 đ" in line.text


def test_nobody_is_told_of_what_was_paid_meanwhile(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.billing.bills[CODE] = [bill(paid=512_340)]
    assert stage.send_notices() == []
    assert fates(stage) == [("skipped", "not_true_any_more")]


def test_what_cannot_be_checked_waits(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.billing.failure = BackendDown("getDebt", "down")
    assert stage.send_notices() == []
    stage.billing.failure = None
    assert stage.send_notices() == []
    stage.clock.forward(seconds=61)
    assert len(stage.send_notices()) == 1


def test_reminders_come_on_their_days_until_it_is_paid(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.send_notices()
    stage.clock.forward(days=4)
    stage.plan()
    (reminder,) = stage.send_notices()
    assert "hạn thứ Tư 2/12" in reminder
    stage.billing.bills[CODE] = [bill(paid=512_340)]
    stage.clock.forward(days=4)
    stage.plan()
    assert stage.send_notices() == []


def test_two_bills_of_one_chat_are_one_message(stage: Stage) -> None:
    stage.link(OTHER_CODE)
    other = bill(OTHER_CODE, total=100_000)
    stage.billing.bills[OTHER_CODE] = [other]
    stage.takes(issued(bill()), issued(other))
    (text,) = stage.send_notices()
    assert "512.340 đ" in text
    assert "100.000 đ" in text
    assert sorted(fates(stage)) == [("sent", "sent"), ("skipped", "bundled")]


def test_bills_that_go_together_count_as_one(stage: Stage) -> None:
    with stage.database.begin() as session:
        session.add(NoticeLimits(contact_id=contact_id(stage), most_per_day=1))
    stage.link(OTHER_CODE)
    other = bill(OTHER_CODE, total=100_000)
    stage.billing.bills[OTHER_CODE] = [other]
    stage.takes(issued(bill()), issued(other))
    (text,) = stage.send_notices()
    assert "512.340 đ" in text
    assert "100.000 đ" in text


def test_a_kind_that_is_gone_stops_nobody_else(stage: Stage) -> None:
    stage.takes(issued(bill()))
    with stage.database.begin() as session:
        session.execute(update(Notice).where(Notice.kind == "bill_issued").values(kind="gone"))
        session.execute(update(Notice).where(Notice.kind == "payment_due").values(kind="gone", not_before=MORNING))
    stage.clock.forward(seconds=1)
    work = MeterWork(id="1", customer_code=CODE, work="reading", day=date(2026, 12, 1), state="planned")
    stage.takes(MeterWorkPlanned(id="1", at=stage.clock(), work=work))
    assert len(stage.send_notices()) == 1
    assert ("failed", "unknown_kind") in fates(stage)


def test_bills_that_go_together_fail_together(stage: Stage) -> None:
    stage.link(OTHER_CODE)
    other = bill(OTHER_CODE, total=100_000)
    stage.billing.bills[OTHER_CODE] = [other]
    stage.zalo.script.append(Retry("-200", "failed", after=timedelta(seconds=2)))
    stage.takes(issued(bill()), issued(other))
    assert stage.send_notices() == []
    assert fates(stage) == [("pending", "retry")] * 2
    stage.clock.forward(seconds=3)
    (text,) = stage.send_notices()
    assert "512.340 đ" in text
    assert "100.000 đ" in text


def test_before_a_cut_all_who_linked_the_code_are_told_whatever_they_turned_off(stage: Stage) -> None:
    with stage.database.begin() as session:
        preferences.choose(
            session,
            contact_id(stage),
            ["payment_due", "payment_overdue"],
            GENERAL,
            wanted=False,
            words="t",
            event_id=1,
            at=MORNING,
        )
    warning = cut_warning()
    stage.takes(CutWarned(id="1", at=MORNING, warning=warning))
    (text,) = stage.send_notices()
    assert "512.340 đ" in text
    assert "có thể tạm ngừng" in text


def test_a_cut_that_is_called_off_is_not_told(stage: Stage) -> None:
    warning = cut_warning()
    off = warning.model_copy(update={"state": "cancelled"})
    stage.takes(CutWarned(id="1", at=MORNING, warning=warning), CutWarned(id="2", at=MORNING, warning=off))
    assert stage.send_notices() == []
    assert [notice.status for notice in stage.notices()] == ["superseded"]


def test_what_is_left_to_pay_is_what_the_utility_says_now(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.billing.bills[CODE] = [bill(paid=200_000)]
    (text,) = stage.send_notices()
    assert "312.340 đ" in text
    assert "512.340 đ" not in text


def test_more_bills_than_one_message_holds_are_several(stage: Stage) -> None:
    codes = [f"PA04GT10000{number:02d}" for number in range(6)]
    bills = [bill(code) for code in codes]
    for code, each in zip(codes, bills, strict=True):
        stage.link(code)
        stage.billing.bills[code] = [each]
    stage.takes(*(issued(each) for each in bills))
    texts = stage.send_notices()
    assert [sum(code in text for code in codes) for text in texts] == [4, 2]


def test_work_on_a_meter_that_moves_is_told_again(stage: Stage) -> None:
    def planned(day: int) -> MeterWorkPlanned:
        work = MeterWork(id="1", customer_code=CODE, work="replacement", day=date(2026, 12, day), state="planned")
        return MeterWorkPlanned(id=str(day), at=stage.clock(), work=work)

    stage.takes(planned(1))
    assert "thứ Ba 1/12" in stage.send_notices()[0]
    stage.clock.forward(hours=1)
    stage.takes(planned(3))
    assert "thứ Năm 3/12" in stage.send_notices()[0]


# --- Whom and when ---


def test_each_reason_not_to_send_is_in_the_ledger(stage: Stage, linked: int) -> None:
    def turn_off(session: Any) -> None:
        preferences.choose(
            session, contact_id(stage), ["bill_issued"], Scope(linked), wanted=False, words="t", event_id=1, at=MORNING
        )

    def withdraw(session: Any) -> None:
        conversations.withdraw_consents(session, contact_id(stage), event_id=1, at=MORNING)

    def unlink(session: Any) -> None:
        conversations.end_link(session, contact_id=contact_id(stage), link_id=linked, at=MORNING)

    def block(session: Any) -> None:
        conversations.mark_unreachable(session, contact_id(stage), MORNING)

    steps = {"turned_off": turn_off, "no_consent": withdraw, "unreachable": block, "unlinked": unlink}
    for number, (reason, step) in enumerate(steps.items(), start=1):
        month = date(2025, number, 1)
        stage.billing.bills[CODE] = [bill(month=month)]
        stage.takes(issued(bill(month=month)))
        with stage.database.begin() as session:
            step(session)
        assert stage.send_notices() == []
        assert fates(stage)[-1] == ("skipped", reason)
        if reason == "unreachable":
            with stage.database.begin() as session:
                conversations.touch(session, contact_id(stage), MORNING)


def test_at_night_only_what_is_urgent_goes(stage: Stage) -> None:
    stage.clock.now = MORNING.replace(hour=16)
    stage.takes(issued(bill()), outage(stage, id="SC-1", kind="unplanned", state="active", start=stage.clock()))
    (text,) = stage.send_notices()
    assert "sự cố mất điện" in text
    stage.clock.now = MORNING.replace(day=26, hour=0)
    (text,) = stage.send_notices()
    assert "hóa đơn tiền điện" in text


def test_ones_own_quiet_hours_count(stage: Stage) -> None:
    with stage.database.begin() as session:
        session.add(NoticeLimits(contact_id=contact_id(stage), quiet_from=MORNING.time(), quiet_until=MORNING.time()))
    stage.clock.now = MORNING.replace(hour=16)
    stage.takes(issued(bill()))
    assert len(stage.send_notices()) == 1


def test_no_more_than_so_many_a_day(stage: Stage) -> None:
    for number in range(1, 6):
        work = MeterWork(id=str(number), customer_code=CODE, work="replacement", day=date(2026, 12, 1), state="planned")
        stage.takes(MeterWorkPlanned(id=str(number), at=stage.clock(), work=work))
    assert len(stage.send_notices()) == 3
    assert fates(stage).count(("pending", "most_per_day")) == 2
    stage.clock.forward(days=1)
    assert len(stage.send_notices()) == 2


def test_a_level_of_use_is_told_of_once_a_month_to_who_set_it(stage: Stage, linked: int) -> None:
    def so_far(day: int, kwh: int) -> UsageFlagged:
        usage = UsageFlag(customer_code=CODE, flag="so_far", day=date(2026, 11, day), kwh=kwh, cost=kwh * 2_000)
        return UsageFlagged(id=str(day), at=stage.clock(), usage=usage)

    stage.takes(so_far(20, 310))
    assert stage.notices() == []
    with stage.database.begin() as session:
        preferences.set_level(session, contact_id(stage), linked, Level(kwh=300), event_id=1, at=MORNING)
        preferences.choose(
            session, contact_id(stage), ["usage_level"], Scope(linked), wanted=True, words="t", event_id=1, at=MORNING
        )
    stage.takes(so_far(21, 290))
    assert stage.send_notices() == []
    stage.takes(so_far(22, 305))
    (text,) = stage.send_notices()
    assert "305 kWh" in text
    assert "(300 kWh)" in text
    stage.takes(so_far(23, 315))
    assert stage.send_notices() == []
    assert fates(stage)[-1] == ("skipped", "told_already")


def test_what_is_turned_off_for_one_account_comes_for_the_other(stage: Stage, linked: int) -> None:
    other = stage.link(OTHER_CODE)
    with stage.database.begin() as session:
        preferences.choose(
            session, contact_id(stage), ["fault_known"], Scope(linked), wanted=False, words="t", event_id=1, at=MORNING
        )
    stage.takes(outage(stage, kind="unplanned", state="active", start=MORNING))
    assert len(stage.send_notices()) == 1
    assert stage.deliveries()[-1].link_id == other


# --- Outages ---


def test_a_long_area_is_told_in_one_message(stage: Stage) -> None:
    stage.takes(outage(stage, area_text="Xã Bình Yên: " + ", ".join(f"xóm Số {n}" for n in range(200))))
    (text,) = stage.send_notices()
    assert "…" in text
    assert len(text) < 640


def test_who_follows_the_place_is_not_told_of_the_end_of_what_they_were_not_told(stage: Stage) -> None:
    with stage.database.begin() as session:
        follower = conversations.load(session, ChannelName.ZALO, NEIGHBOUR).contact.id
        preferences.choose(
            session,
            follower,
            ["outage_planned", "outage_cancelled"],
            Scope(place_code="05521"),
            wanted=True,
            words="t",
            event_id=1,
            at=MORNING,
        )
    stage.takes(outage(stage))
    assert len(stage.send_notices()) == 2
    with stage.database.begin() as session:
        preferences.choose(
            session,
            contact_id(stage),
            ["outage_cancelled"],
            Scope(place_code="05521"),
            wanted=True,
            words="t",
            event_id=2,
            at=MORNING,
        )
    stage.link(OTHER_CODE, user="5555555555555555555")
    stage.takes(outage(stage, version=2, state="cancelled"))
    stage.send_notices()
    assert {each.recipient for each in stage.zalo.sent[2:]} == {USER, NEIGHBOUR}


def test_an_outage_goes_to_each_chat_of_its_customers_once(stage: Stage) -> None:
    stage.link(OTHER_CODE)
    stage.link(OTHER_CODE, user=NEIGHBOUR)
    stage.takes(outage(stage))
    texts = stage.send_notices()
    assert len(texts) == 2
    assert "từ 09:00 đến 13:00 thứ Ba 1/12" in texts[0]
    assert {each.recipient for each in stage.zalo.sent} == {USER, NEIGHBOUR}


def test_a_change_takes_the_place_of_what_was_not_told_yet(stage: Stage) -> None:
    stage.takes(outage(stage))
    stage.takes(outage(stage, version=2, start=MORNING + timedelta(days=7), expected_end=None))
    (text,) = stage.send_notices()
    assert "đã đổi" in text
    assert ("skipped", "superseded") in fates(stage)


def test_that_it_is_called_off_is_told_to_who_was_told_of_it(stage: Stage) -> None:
    stage.takes(outage(stage))
    stage.send_notices()
    stage.link(OTHER_CODE, user=NEIGHBOUR)
    stage.takes(outage(stage, version=2, state="cancelled"))
    (text,) = stage.send_notices()
    assert "đã hủy" in text
    assert stage.zalo.sent[-1].recipient == USER


def test_what_is_over_before_it_could_be_told_is_not(stage: Stage) -> None:
    stage.takes(outage(stage, kind="unplanned", state="active", start=MORNING))
    outage(stage, kind="unplanned", state="restored", start=MORNING, actual_end=stage.clock())
    assert stage.send_notices() == []
    assert fates(stage) == [("skipped", "not_true_any_more")]


def test_an_audience_is_gone_through_page_by_page_and_goes_on_where_it_was_left(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifier.planner.CODES_AT_ONCE", 1)
    stage.link(OTHER_CODE, user=NEIGHBOUR)
    happened = outage(stage)
    with stage.database.begin() as session:
        stage.product.intake.take(session, [happened], stage.clock())
    ((notice_id, _lane),) = stage.product.planner.audiences_due()
    assert stage.product.planner._plan_page(notice_id)
    assert len(stage.send_notices()) == 1
    stage.product.planner.plan_audience(notice_id)
    assert len(stage.send_notices()) == 1
    with stage.database.begin() as session:
        assert session.get_one(Notice, notice_id).planned_at is not None


# --- What becomes of a send ---


def test_what_fails_for_a_moment_is_tried_again(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.zalo.script.append(Retry("-200", "failed", after=timedelta(seconds=2)))
    assert stage.send_notices() == []
    assert fates(stage) == [("pending", "retry")]
    stage.clock.forward(seconds=3)
    assert len(stage.send_notices()) == 1


def test_what_may_have_arrived_is_never_sent_again(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.zalo.script.append(OutcomeUnknown("timeout", "no answer"))
    stage.send_notices()
    stage.clock.forward(hours=1)
    assert stage.send_notices() == []
    assert fates(stage) == [("unknown", "outcome_unknown")]


def test_a_closed_window_leads_to_the_template(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.zalo.script.append(WindowClosed("-230", "no interaction"))
    (text,) = stage.send_notices()
    assert text.startswith("[300001] ")
    assert "amount=512340" in text
    assert stage.deliveries()[-1].route == "template"


def test_out_of_the_window_it_is_the_template_at_once(stage: Stage) -> None:
    stage.zalo.window_is_open = False
    stage.takes(issued(bill()))
    assert stage.send_notices()[0].startswith("[300001] ")


def test_a_template_that_may_not_be_sent_holds_nothing_else_up(stage: Stage) -> None:
    stage.zalo.window_is_open = False
    stage.takes(issued(bill()))
    stage.zalo.script.append(Reauthorise("-135", "OA may not send templates", scope=outcomes.Scope.KIND))
    assert stage.send_notices() == []
    assert fates(stage) == [("pending", "template_held")]
    stage.zalo.window_is_open = True
    stage.nlu.teach("chào", "greet")
    assert stage.says("chào")
    stage.clock.forward(minutes=11)
    assert len(stage.send_notices()) == 1


def test_where_no_way_leads_it_is_said(stage: Stage) -> None:
    stage.zalo.window_is_open = False
    usage = UsageFlag(customer_code=CODE, flag="leak", day=date(2026, 11, 24), kwh=300)
    with stage.database.begin() as session:
        preferences.choose(
            session, contact_id(stage), ["leak_suspected"], GENERAL, wanted=True, words="t", event_id=1, at=MORNING
        )
    stage.takes(UsageFlagged(id="1", at=MORNING, usage=usage))
    assert stage.send_notices() == []
    assert fates(stage) == [("skipped", "no_way")]


def test_who_blocked_us_is_left_alone(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.zalo.script.append(RecipientGone("-227", "gone"))
    stage.send_notices()
    assert fates(stage) == [("failed", "recipientgone")]
    with stage.database.begin() as session:
        assert session.get_one(Contact, contact_id(stage)).unreachable_since is not None


def test_a_dead_token_holds_everything_and_counts_no_try(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.zalo.script.append(Reauthorise("-216", "token dead"))
    stage.send_notices()
    assert fates(stage) == [("pending", "reauthorise")]
    assert stage.deliveries()[-1].attempts == 0
    stage.clock.forward(seconds=10)
    assert stage.send_notices() == []
    stage.clock.forward(seconds=40)
    assert len(stage.send_notices()) == 1


def test_a_limit_slows_down_the_whole_provider(stage: Stage) -> None:
    stage.takes(issued(bill()))
    stage.zalo.script.append(SlowDown("-32", "too many", after=timedelta(seconds=20)))
    stage.send_notices()
    stage.clock.forward(seconds=26)
    assert len(stage.send_notices()) == 1


# --- A campaign ---


def many(stage: Stage, count: int) -> Notice:
    for number in range(count):
        stage.link(OTHER_CODE, user=f"44444444444444{number:05d}")
    stage.takes(outage(stage))
    return stage.notices()[0]


def test_paused_means_that_not_one_more_goes_until_it_goes_on(stage: Stage) -> None:
    notice = many(stage, 3)

    def pause_it() -> None:
        with stage.database.begin() as session:
            notices.pause(session, notice.id, "staff")

    stage.zalo.script.append(pause_it)
    stage.send_notices()
    sent_first = len(stage.zalo.sent)
    assert stage.send_notices() == []
    with stage.database.begin() as session:
        notices.resume(session, notice.id, stage.clock())
    stage.send_notices()
    assert len({each.recipient for each in stage.zalo.sent}) == len(stage.zalo.sent) == 4
    assert sent_first <= 4


def test_cancelled_means_never(stage: Stage) -> None:
    notice = many(stage, 3)
    with stage.database.begin() as session:
        notices.cancel(session, notice.id)
    assert stage.send_notices() == []
    assert set(fates(stage)) == {("cancelled", "cancelled")}


def test_many_failures_pause_it_and_only_they_are_tried_again(stage: Stage) -> None:
    notice = many(stage, 25)
    stage.zalo.script.extend([BadRequest("-201", "bad")] * (26 + 22))
    stage.send_notices()
    with stage.database.begin() as session:
        held = session.get_one(Notice, notice.id)
        assert (held.status, held.paused_because) == ("paused", "too_many_fail")
        failed = set(session.scalars(select(Delivery.id).where(Delivery.status == "failed")))
        stage.zalo.script.clear()
        notices.resume(session, notice.id, stage.clock())
    stage.send_notices()
    sent = len(stage.zalo.sent)
    stage.clock.forward(seconds=10)
    with stage.database.begin() as session:
        assert notices.retry_failed(session, notice.id, stage.clock()) == len(failed)
    stage.send_notices()
    assert len(stage.zalo.sent) == sent + len(failed) == 26


def test_what_a_dead_worker_had_claimed_is_due_again_and_what_it_was_sending_is_unknown(stage: Stage) -> None:
    many(stage, 1)
    with stage.database.begin() as session:
        one, two = session.scalars(select(Delivery.id).order_by(Delivery.id)).all()
        for each, status in ((one, "claimed"), (two, "sending")):
            session.execute(
                update(Delivery).where(Delivery.id == each).values(status=status, lease_until=stage.clock())
            )
    stage.clock.forward(seconds=1)
    stage.tick("rescue_lost_replies")
    assert len(stage.send_notices()) == 1
    assert sorted(status for status, _ in fates(stage)) == ["sent", "unknown"]


def held_by(stage: Stage) -> tuple[list[int], datetime]:
    """What a worker claims now, and the lease it holds it by."""
    now = stage.clock()
    lease = ledger.lease(now)
    with stage.database.begin() as session:
        return ledger.claim(session, "zalo", Lane.NOTICE, 10, now=now, until=lease), lease


def test_whose_lease_ran_out_can_neither_begin_nor_put_back_what_another_holds(stage: Stage) -> None:
    """Or it would be sent twice: a worker that hung, or to which hours passed at once, comes back to its batch."""
    many(stage, 0)
    (id_,), slow = held_by(stage)
    stage.clock.forward(minutes=3)
    with stage.database.begin() as session:
        ledger.expire(session, stage.clock())
    (again,), quick = held_by(stage)
    assert again == id_
    back = [ledger.Result(id_, DeliveryStatus.PENDING, None, not_before=stage.clock())]
    with stage.database.begin() as session:
        assert ledger.begin(session, [(id_, "window", {})], slow, slow) == set()
        ledger.settle(session, back, slow, stage.clock())
        assert ledger.begin(session, [(id_, "window", {})], quick, quick) == {id_}
        ledger.settle(session, back, slow, stage.clock())
    assert fates(stage) == [("sending", None)]
    with stage.database.begin() as session:
        ledger.settle(session, [ledger.Result(id_, DeliveryStatus.SENT, "sent")], quick, stage.clock())
    assert fates(stage) == [("sent", "sent")]


def test_what_is_known_to_be_sent_is_written_down_when_the_database_comes_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(stage, 1)
    dispatcher, away = stage.product.dispatcher, OperationalError("COMMIT", {}, Exception("away"))
    begin, waits = stage.database.begin, iter([away, away])
    monkeypatch.setattr(dispatcher, "_sleep", lambda _seconds: None)

    @contextmanager
    def shaky() -> Iterator[Session]:
        """The commit after the sends is lost with the connection, and the next try to write it down."""
        with begin() as session:
            yield session
            if stage.zalo.sent and (trouble := next(waits, None)):
                raise trouble

    monkeypatch.setattr(stage.database, "begin", shaky)
    with pytest.raises(OperationalError):
        dispatcher.send_due(ChannelName.ZALO, Lane.NOTICE)
    monkeypatch.undo()
    assert fates(stage) == [("sent", "sent")] * 2
    assert len(stage.messages()) == 2
    assert stage.send_notices() == []


def test_who_was_taken_for_dead_still_tells_what_it_sent(stage: Stage) -> None:
    many(stage, 0)
    (id_,), lease = held_by(stage)
    with stage.database.begin() as session:
        ledger.begin(session, [(id_, "window", {})], lease, lease)
        deliveries.expire_leases(session, stage.clock() + timedelta(hours=1))
    assert fates(stage) == [("unknown", "worker_died")]
    with stage.database.begin() as session:
        ledger.settle(session, [ledger.Result(id_, DeliveryStatus.FAILED, "badrequest")], lease, stage.clock())
    assert fates(stage) == [("unknown", "worker_died")]
    with stage.database.begin() as session:
        ledger.settle(session, [ledger.Result(id_, DeliveryStatus.SENT, "sent")], lease, stage.clock())
    assert fates(stage) == [("sent", "sent")]


# --- Answers (F22) ---


def test_an_answer_is_about_what_was_told(stage: Stage) -> None:
    """Of two accounts it is the one that the notice was about, and its bill."""
    other = stage.link(OTHER_CODE)
    stage.billing.bills[OTHER_CODE] = [bill(OTHER_CODE, total=100_000)]
    stage.takes(issued(bill(OTHER_CODE, total=100_000)))
    stage.send_notices()
    stage.clock.forward(hours=20)
    stage.nlu.teach("thanh toán", "pay_bill")
    answer = " ".join(stage.says("thanh toán"))
    assert "100.000 đ" in answer
    assert "512.340 đ" not in answer
    assert stage.conversation().state["default_link"] == other


# --- Requests that were filed here ---


def moved(stage: Stage, state: str, *, contact: str | None = None, after: float = 0) -> RequestMoved:
    filed = ServiceRequest(
        code="YC26-000001",
        service="new_supply_low",
        state=state,
        filed_at=MORNING,
        as_of=MORNING,
        message="Đã hẹn khảo sát",
    )
    reference = contact or contact_reference(contact_id(stage))
    return RequestMoved(id=f"r-{state}", at=MORNING + timedelta(minutes=after), request=filed, contact=reference)


def test_whoever_filed_a_request_hears_of_its_next_step(stage: Stage) -> None:
    stage.takes(moved(stage, "surveying"))
    (text,) = stage.send_notices()
    assert "YC26-000001" in text
    assert "Đã hẹn khảo sát" in text
    assert stage.zalo.sent[-1].message.buttons[0].title == "Xem tiến độ"
    stage.takes(moved(stage, "surveying"))
    assert stage.send_notices() == []


def test_the_latest_step_alone_is_told(stage: Stage) -> None:
    stage.takes(moved(stage, "surveying", after=-1), moved(stage, "need_papers"))
    assert len(stage.send_notices()) == 1
    assert "Gửi giấy tờ" in [button.title for button in stage.zalo.sent[-1].message.buttons]


@pytest.mark.parametrize("contact", ["counter-7", "contact-999999"])
def test_what_was_filed_elsewhere_or_only_received_is_told_to_nobody(stage: Stage, contact: str) -> None:
    stage.takes(moved(stage, "surveying", contact=contact), moved(stage, "received"))
    assert stage.send_notices() == []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("outage_cancelled", lambda stage: outage(stage, state="cancelled", version=2)),
        ("before_cut", lambda _: CutWarned(id="w", at=MORNING, warning=cut_warning())),
    ],
)
def test_what_the_law_asks_for_goes_by_template_outside_the_window(
    stage: Stage, kind: str, change: Callable[[Stage], Change]
) -> None:
    if kind == "outage_cancelled":
        stage.takes(outage(stage))
        stage.send_notices()
    stage.zalo.window_is_open = False
    stage.takes(change(stage))
    stage.plan()
    stage.send_notices()
    assert [each.route for each in stage.deliveries() if each.notice_id][-1] == "template"
