"""What a change at the utility gives occasion to tell (product.md F17–F19): pure, from one change to its notices."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from actions.backends.models import (
    Change,
    CutWarned,
    CutWarning,
    DangerWarned,
    DangerWarning,
    Invoice,
    InvoiceIssued,
    MeterWork,
    MeterWorkPlanned,
    Outage,
    OutageKnown,
    Payment,
    PaymentReceived,
    RequestMoved,
    ServiceRequest,
    UsageFlag,
    UsageFlagged,
)
from actions.backends.references import contact_id_of
from bot.notice_kinds import NoticeKinds

DAYTIME: Final = time(8)
"""Local time from which what is due on a day is told."""
END_OF_DAY: Final = time(21)
FLAGS: Final = {"so_far": "usage_level", "tier": "usage_tier", "unusual": "usage_unusual", "leak": "leak_suspected"}
WORKS: Final = {"reading": "meter_reading", "replacement": "meter_replaced"}


@dataclass(frozen=True)
class Draft:
    """A notice to be, in the terms of `bot.store.models.Notice`."""

    kind: str
    key: str
    subject: str
    facts: dict[str, Any]
    not_before: datetime
    valid_until: datetime
    version: int = 1
    customer_code: str | None = None
    audience: dict[str, Any] | None = None


@dataclass(frozen=True)
class Off:
    """What was to be told of a subject is not true any more; nothing else is told instead."""

    subject: str


Told = Draft | Off


@dataclass(frozen=True)
class LeadTimes:
    """Days before a bill is due, days after it was, and hours before a planned cut, at which people are reminded."""

    due_days_before: tuple[int, ...]
    overdue_days_after: tuple[int, ...]
    outage_hours_before: tuple[int, ...]


class Drafting:
    """`now` is when the change is taken in: what was over by then is told to nobody."""

    def __init__(self, kinds: NoticeKinds, lead: LeadTimes, zone: ZoneInfo) -> None:
        self._kinds = kinds
        self._lead = lead
        self._zone = zone

    def told(self, change: Change, now: datetime) -> list[Told]:
        """Nothing for a kind of change that is not ours to tell."""
        return [each for each in self._occasioned(change, now) if isinstance(each, Off) or each.valid_until > now]

    def _occasioned(self, change: Change, now: datetime) -> Iterator[Told]:
        match change:
            case InvoiceIssued(invoice=invoice):
                yield from self._invoice(invoice, now)
            case PaymentReceived(payment=payment, customer_code=code):
                yield self._payment(payment, code, now)
            case UsageFlagged(usage=usage, at=at):
                yield self._usage(usage, at, now)
            case MeterWorkPlanned(work=work, at=at):
                yield self._work(work, at, now)
            case CutWarned(warning=cut, at=at):
                yield self._cut(cut, at, now)
            case OutageKnown(outage=outage, at=at):
                yield from self._outage(outage, at, now)
            case RequestMoved(request=request, contact=str(contact), at=at):
                yield from self._request(request, contact, at, now)
            case DangerWarned(warning=danger, at=at):
                yield self._danger(danger, at, now)
            case _:
                return

    def _invoice(self, invoice: Invoice, now: datetime) -> Iterator[Draft]:
        facts, code = {"invoice": invoice.model_dump(mode="json")}, invoice.customer_code
        subject = f"invoice:{invoice.id}"
        yield self._draft("bill_issued", f"{invoice.id}", subject, facts, code, after=invoice.issued_at, now=now)
        for days in self._lead.due_days_before:
            at = self._local(invoice.due_date - timedelta(days=days), DAYTIME)
            until = self._local(invoice.due_date, END_OF_DAY)
            if at > now:
                yield self._draft(
                    "payment_due", f"{invoice.id}:{days}", subject, facts, code, after=at, until=until, now=now
                )
        for days in self._lead.overdue_days_after:
            at = self._local(invoice.due_date + timedelta(days=days), DAYTIME)
            yield self._draft("payment_overdue", f"{invoice.id}:{days}", subject, facts, code, after=at, now=now)

    def _payment(self, payment: Payment, customer_code: str, now: datetime) -> Draft:
        facts, subject = {"payment": payment.model_dump(mode="json")}, f"payment:{payment.id}"
        return self._draft(
            "payment_received", payment.id, subject, facts, customer_code, after=payment.paid_at, now=now
        )

    def _usage(self, usage: UsageFlag, at: datetime, now: datetime) -> Draft:
        kind = FLAGS[usage.flag]
        month = f"{usage.day:%Y-%m}"
        once = {"so_far": month, "tier": f"{month}:{usage.tier}"}.get(usage.flag, f"{usage.day}")
        return self._draft(
            kind,
            f"{usage.customer_code}:{usage.day}",
            f"{kind}:{usage.customer_code}:{once}",
            {"usage": usage.model_dump(mode="json")},
            usage.customer_code,
            after=at,
            now=now,
        )

    def _work(self, work: MeterWork, at: datetime, now: datetime) -> Told:
        subject = f"work:{work.id}"
        if work.state != "planned":
            return Off(subject)
        return self._draft(
            WORKS[work.work],
            f"{work.id}:{_stamp(at)}",
            subject,
            {"work": work.model_dump(mode="json")},
            work.customer_code,
            after=at,
            until=work.end or self._local(work.day, END_OF_DAY),
            now=now,
            version=_stamp(at),
        )

    def _cut(self, warning: CutWarning, at: datetime, now: datetime) -> Told:
        subject = f"cut:{warning.id}"
        if warning.state == "cancelled":
            return Off(subject)
        facts, code = {"cut": warning.model_dump(mode="json")}, warning.customer_code
        return self._draft(
            "before_cut",
            f"{warning.id}:{_stamp(at)}",
            subject,
            facts,
            code,
            after=at,
            until=warning.cut_from,
            now=now,
            version=_stamp(at),
        )

    def _outage(self, outage: Outage, at: datetime, now: datetime) -> Iterator[Draft]:
        if outage.state == "restored" and outage.actual_end is None:
            outage = outage.model_copy(update={"actual_end": at})
        for kind, after, until in self._occasions(outage, at):
            yield self._draft(
                kind,
                f"{outage.id}:{outage.version}" + ("" if kind != "outage_reminder" else f":{after:%H%d}"),
                f"outage:{outage.id}",
                {"outage": outage.model_dump(mode="json")},
                None,
                after=after,
                until=until,
                now=now,
                version=version_of(outage),
                audience={"outage_id": outage.id, "place_codes": list(outage.place_codes)},
            )

    def _occasions(self, outage: Outage, at: datetime) -> Iterator[tuple[str, datetime, datetime | None]]:
        """Kind, the time from which it may be told, and until when it is worth telling."""
        planned = outage.kind == "planned"
        match outage.state:
            case "cancelled":
                yield "outage_cancelled", at, outage.expected_end
            case "restored":
                yield "outage_restored", outage.actual_end or at, None
            case "planned":
                yield ("outage_planned" if outage.version == 1 else "outage_changed"), at, outage.start
                for hours in self._lead.outage_hours_before:
                    before = outage.start - timedelta(hours=hours)
                    if before > at:
                        yield "outage_reminder", before, outage.start
            case "active" if not planned:
                known = outage.expected_end is not None and outage.version > 1
                yield ("fault_estimate" if known else "fault_known"), at, outage.expected_end
            case _:
                return

    def _request(self, request: ServiceRequest, contact: str, at: datetime, now: datetime) -> Iterator[Draft]:
        """To whoever filed it here; what they have just filed they know."""
        contact_id = contact_id_of(contact)
        if contact_id is None or request.state == "received":
            return
        yield self._draft(
            "request_moved",
            f"{request.code}:{_stamp(at)}",
            f"request:{request.code}",
            {"request": request.model_dump(mode="json")},
            None,
            after=at,
            now=now,
            version=_stamp(at),
            audience={"contact_id": contact_id},
        )

    def _danger(self, warning: DangerWarning, at: datetime, now: datetime) -> Draft:
        return self._draft(
            "hazard_warning",
            f"{warning.id}:{_stamp(at)}",
            f"danger:{warning.id}",
            {"danger": warning.model_dump(mode="json")},
            None,
            after=at,
            until=warning.until,
            now=now,
            version=_stamp(at),
            audience={"place_codes": list(warning.place_codes)},
        )

    def _draft(
        self,
        kind: str,
        what: str,
        subject: str,
        facts: dict[str, Any],
        customer_code: str | None,
        *,
        after: datetime,
        now: datetime,
        until: datetime | None = None,
        version: int = 1,
        audience: dict[str, Any] | None = None,
    ) -> Draft:
        """Good for so long after `after` as the kind says, and never after `until`."""
        good = after + timedelta(hours=self._kinds[kind].sent.good_for_hours)
        return Draft(
            kind=kind,
            key=f"{kind}:{what}",
            subject=subject,
            facts=facts,
            not_before=max(after, now),
            valid_until=min(good, until) if until else good,
            version=version,
            customer_code=customer_code,
            audience=audience,
        )

    def _local(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self._zone)


def version_of(outage: Outage) -> int:
    """What is told of the same outage later has a greater one."""
    return outage.version * 10 + (outage.state == "restored")


def _stamp(at: datetime) -> int:
    """Of what is told again when it changes: a later word has a greater version, a repeat the same key."""
    return int(at.timestamp())
