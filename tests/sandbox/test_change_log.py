"""The world's feeds: bounded, in the order of happening, and complete whenever somebody looks."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from actions.backends.models import (
    Change,
    DangerWarned,
    DangerWarning,
    InvoiceIssued,
    NewServiceRequest,
    OutageKnown,
    OutageReport,
    PaymentReceived,
    RequestMoved,
)
from sandbox.world import World, build_world
from sandbox.world.changes import ChangeLog, CursorGone
from sandbox.world.world import Feed

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""Monday 10:00 in Vietnam."""
HOA = "PA04DH0000123"
AUTO = "PA04PY0000201"
"""Pays by standing order, a day after each bill."""


@pytest.fixture
def world() -> World:
    return build_world(1, lambda: NOW, customers=120)


def told(world: World, feed: Feed) -> list[Change]:
    """All that the feed keeps."""
    page = world.changes(feed, None, 500)
    changes = list(page.items)
    while page.more:
        page = world.changes(feed, page.next, 500)
        changes += page.items
    return changes


def outages(world: World) -> list[OutageKnown]:
    return [change for change in told(world, "service") if isinstance(change, OutageKnown)]


def facts(changes: list[Change]) -> list[tuple[datetime, object]]:
    """The changes without the ids that each world makes for itself."""
    return [(change.at, change.model_copy(update={"id": ""})) for change in changes]


class TestLog:
    warning = DangerWarning(id="NH-1", place_codes=("05587",), text="Nước lên", until=NOW)

    def filled(self, count: int, most: int) -> ChangeLog:
        log = ChangeLog(most)
        for _ in range(count):
            log.add(DangerWarned, NOW, warning=self.warning)
        return log

    def test_the_oldest_make_room(self) -> None:
        log = self.filled(7, most=5)
        items, _, more = log.page(None, 10)
        assert [item.id.rpartition("-")[2] for item in items] == ["3", "4", "5", "6", "7"]
        assert not more

    def test_a_cursor_whose_changes_are_gone_is_a_gap(self) -> None:
        log = self.filled(3, most=5)
        _, early, _ = log.page(None, 1)
        _, late, _ = log.page(early, 1)
        for _ in range(4):
            log.add(DangerWarned, NOW, warning=self.warning)
        assert len(log.page(late, 10)[0]) == 5
        with pytest.raises(CursorGone):
            log.page(early, 10)

    def test_a_cursor_of_an_earlier_run_is_a_gap(self) -> None:
        _, cursor, _ = self.filled(2, most=5).page(None, 1)
        with pytest.raises(CursorGone):
            self.filled(2, most=5).page(cursor, 1)

    def test_an_empty_log_has_a_cursor(self) -> None:
        log = self.filled(0, most=5)
        items, cursor, more = log.page(None, 1)
        assert (items, more) == ((), False)
        log.add(DangerWarned, NOW, warning=self.warning)
        assert len(log.page(cursor, 1)[0]) == 1


def test_nothing_is_told_of_before_the_world_was_made(world: World) -> None:
    assert told(world, "billing") == []
    assert told(world, "service") == []


def test_time_tells_every_turn_of_outages_in_order(world: World) -> None:
    """Two days in one leap: each turn with its own instant, no two alike in a row, the last as it now stands."""
    made = world.outages(NOW - timedelta(days=2), NOW + timedelta(days=12)).items
    known = {outage.id: outage for outage in made}
    world.advance(timedelta(days=2))
    turns = outages(world)
    assert len(turns) > 10
    assert all(NOW < turn.at <= world.now() for turn in turns)
    assert [turn.at for turn in turns] == sorted(turn.at for turn in turns)
    for turn in turns:
        before = known.get(turn.outage.id)
        assert turn.outage != before
        assert before is None or turn.outage.version >= before.version
        known[turn.outage.id] = turn.outage
    now = world.outages(NOW - timedelta(days=2), NOW + timedelta(days=12)).items
    assert {outage.id: outage for outage in now}.items() <= known.items()


def test_an_outage_by_story_begins_and_ends_by_itself(world: World) -> None:
    world.advance(timedelta(days=2))
    course = [(turn.at, turn.outage.state) for turn in outages(world) if turn.outage.id == "KH-DEMO-01"]
    assert course == [
        (datetime(2026, 11, 24, 0, 30, tzinfo=UTC), "active"),
        (datetime(2026, 11, 24, 4, 30, tzinfo=UTC), "restored"),
    ]


def test_looking_often_or_once_tells_the_same(world: World) -> None:
    other = build_world(1, lambda: NOW, customers=120)
    for each in (world, other):
        each.customer(HOA)
        each.debt(AUTO)
    for _ in range(96):
        world.advance(timedelta(minutes=30))
        told(world, "service")
        told(world, "billing")
    other.advance(timedelta(days=2))
    for feed in ("billing", "service"):
        assert facts(told(world, feed)) == facts(told(other, feed))


def test_what_is_done_by_hand_comes_after_what_had_passed(world: World) -> None:
    world.advance(timedelta(days=1))
    outage = world.create_outage(["05587"])
    *passed, last = outages(world)
    assert passed
    assert all(turn.at <= last.at for turn in passed)
    assert last.outage == outage


def test_an_outage_made_by_hand_goes_on_by_itself(world: World) -> None:
    start = NOW + timedelta(hours=2)
    outage = world.create_outage(["05587"], kind="planned", start=start, expected_end=start + timedelta(hours=1))
    world.advance(timedelta(hours=4))
    course = [(t.outage.state, t.outage.version) for t in outages(world) if t.outage.id == outage.id]
    assert course == [("planned", 1), ("active", 1), ("restored", 1)]


def test_a_change_by_hand_is_told_once(world: World) -> None:
    outage = world.create_outage(["05587"], expected_end=NOW + timedelta(hours=3))
    world.advance(timedelta(hours=1))
    world.change_outage(outage.id, end=NOW + timedelta(hours=5))
    world.advance(timedelta(hours=1))
    world.change_outage(outage.id, restored_at=world.now())
    world.advance(timedelta(days=1))
    course = [(t.outage.state, t.outage.version) for t in outages(world) if t.outage.id == outage.id]
    assert course == [("active", 1), ("active", 2), ("restored", 3)]


def test_many_reports_of_a_place_make_an_outage_that_is_told(world: World) -> None:
    for _ in range(3):
        world.report_outage(OutageReport(place_code="05443"))
    [turn] = outages(world)
    assert turn.outage.place_codes == ("05443",)


def test_bills_and_payments_come_with_time_for_accounts_that_exist(world: World) -> None:
    world.debt(AUTO)
    world.advance(timedelta(days=10))
    changes = told(world, "billing")
    [bill] = [change for change in changes if isinstance(change, InvoiceIssued)]
    assert (bill.invoice.customer_code, bill.invoice.month, bill.at) == (
        AUTO,
        date(2026, 11, 1),
        bill.invoice.issued_at,
    )
    [paid] = [change for change in changes if isinstance(change, PaymentReceived)]
    assert (paid.customer_code, paid.payment.invoice_id, paid.at) == (AUTO, bill.invoice.id, paid.payment.paid_at)
    assert changes.index(bill) < changes.index(paid)
    assert world.payments(AUTO, date(2026, 12, 1), date(2026, 12, 31)).items == (paid.payment,)


def test_money_that_came_by_itself_ends_a_threat(world: World) -> None:
    bill = world.issue(AUTO)
    warning = world.warn_of_cut(AUTO, NOW + timedelta(days=9))
    assert warning.invoice_ids == (bill.id,)
    world.advance(timedelta(days=3))
    assert [change.kind for change in told(world, "billing")] == [
        "invoice_issued",
        "cut_warned",
        "payment_received",
        "cut_warned",
    ]


def test_a_part_payment_does_not_end_a_threat(world: World) -> None:
    [bill] = world.debt(HOA).invoices
    world.warn_of_cut(HOA, NOW + timedelta(days=5))
    world.pay(HOA, bill.id, 1_000)
    assert [change.kind for change in told(world, "billing")] == ["cut_warned", "payment_received"]


def test_the_payment_page_is_told_too(world: World) -> None:
    [bill] = world.debt(HOA).invoices
    world.pay_request(world.request_payment(HOA, [bill.id]).id)
    [paid] = told(world, "billing")
    assert isinstance(paid, PaymentReceived)
    assert (paid.payment.invoice_id, paid.payment.amount) == (bill.id, bill.total)


def test_requests_go_on_with_time_and_by_hand(world: World) -> None:
    request = world.file_request(NewServiceRequest(service="owner_change", contact="contact-3"))
    world.advance(timedelta(hours=4))
    world.add_paper(request.code, b"%PDF-")
    world.advance(timedelta(days=1))
    world.cancel_request(request.code)
    moves = [
        change
        for change in told(world, "service")
        if isinstance(change, RequestMoved) and change.request.code == request.code
    ]
    assert [move.request.state for move in moves] == ["need_papers", "received", "waiting_signature", "cancelled"]
    assert {move.contact for move in moves} == {"contact-3"}
    assert all(earlier.at <= later.at for earlier, later in pairwise(moves))


def test_of_a_leap_of_a_year_only_the_end_is_told(world: World) -> None:
    world.advance(timedelta(days=365))
    turns = outages(world)
    assert turns
    assert turns[0].at > world.now() - timedelta(days=62)
