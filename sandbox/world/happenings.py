"""What happens at the utility, as its two feeds tell it: what passing time does, and what is done by hand."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import count
from typing import Final

from actions.backends.models import (
    CutWarned,
    CutWarning,
    DangerWarned,
    DangerWarning,
    Invoice,
    InvoiceIssued,
    MeterWork,
    MeterWorkKind,
    MeterWorkPlanned,
    MeterWorkState,
    Outage,
    OutageKnown,
    Payment,
    PaymentReceived,
    RequestMoved,
    UsageFlag,
    UsageFlagged,
    UsageFlagKind,
)
from sandbox.world.account import Account
from sandbox.world.changes import ChangeLog
from sandbox.world.outages import OutageBook
from sandbox.world.requests import Folder, RequestBook

BETWEEN_LOOKS_AT_MONEY: Final = timedelta(minutes=1)
"""It means a look into every account, which is much to do every few seconds."""
LONGEST_LOOK_BACK: Final = timedelta(days=62)
"""Of a longer leap of time nobody is told what happened in its beginning."""


class Happenings:
    """Both feeds from the moment the world was made. Not thread-safe: the world's lock is held by whoever asks.

    Of customers whom nobody has asked about yet there are no accounts, and so nothing passes by itself.
    """

    def __init__(
        self, made: datetime, accounts: Mapping[str, Account], outages: OutageBook, folders: RequestBook
    ) -> None:
        self.billing = ChangeLog()
        self.service = ChangeLog()
        self._looked_at = self._money_looked_at = made
        self._accounts = accounts
        self._outages = outages
        self._folders = folders
        self._works: dict[str, MeterWork] = {}
        self._cuts: dict[str, CutWarning] = {}
        self._numbers = count(1)

    def catch_up(self, now: datetime, *, at_once: bool = True) -> None:
        """Tell what time has done since the last look, in the order in which it did.

        Bills and payments that come by themselves may wait a minute unless it is `at_once`.
        """
        since = max(self._looked_at, now - LONGEST_LOOK_BACK)
        if since < now:
            self._looked_at = now
            self._service_itself(since, now)
        since = max(self._money_looked_at, now - LONGEST_LOOK_BACK)
        if since + (timedelta() if at_once else BETWEEN_LOOKS_AT_MONEY) < now:
            self._money_looked_at = now
            self._money(since, now)

    def issued(self, bill: Invoice, now: datetime) -> None:
        self.billing.add(InvoiceIssued, now, invoice=bill)

    def paid(self, account: Account, payments: Iterable[Payment], now: datetime) -> None:
        """Money came in; a cut that was threatened for the bills now paid is called off."""
        code = account.record.code
        for payment in payments:
            self.billing.add(PaymentReceived, now, payment=payment, customer_code=code)
        owed = {bill.id for bill in account.unpaid(now)}
        for warning in [each for each in self._cuts.values() if each.customer_code == code]:
            if warning.state == "planned" and not owed.intersection(warning.invoice_ids):
                self.call_off_cut(warning.id, now)

    def outage(self, outage: Outage, now: datetime) -> None:
        self.service.add(OutageKnown, now, outage=outage)

    def request(self, folder: Folder, now: datetime) -> None:
        self.service.add(RequestMoved, now, request=folder.shown(now), contact=folder.contact)

    def flag_usage(self, account: Account, flag: UsageFlagKind, message: str | None, now: datetime) -> UsageFlag:
        day, kwh, cost, tier = account.so_far(now)
        usage = UsageFlag(
            customer_code=account.record.code, flag=flag, day=day, kwh=kwh, cost=cost, tier=tier, message=message
        )
        self.billing.add(UsageFlagged, now, usage=usage)
        return usage

    def plan_meter_work(
        self, code: str, work: MeterWorkKind, day: date, span: tuple[datetime, datetime] | None, now: datetime
    ) -> MeterWork:
        start, end = span or (None, None)
        planned = MeterWork(
            id=self._number("CT", now), customer_code=code, work=work, day=day, start=start, end=end, state="planned"
        )
        return self._work(planned, now)

    def move_meter_work(self, work_id: str, state: MeterWorkState, now: datetime) -> MeterWork:
        """Raises KeyError."""
        return self._work(self._works[work_id].model_copy(update={"state": state}), now)

    def warn_of_cut(self, code: str, bills: Iterable[Invoice], cut_from: datetime, now: datetime) -> CutWarning:
        owed = list(bills)
        warning = CutWarning(
            id=self._number("NCD", now),
            customer_code=code,
            invoice_ids=tuple(bill.id for bill in owed),
            total=sum(bill.total - bill.paid for bill in owed),
            cut_from=cut_from,
            state="planned",
        )
        return self._cut(warning, now)

    def call_off_cut(self, warning_id: str, now: datetime) -> CutWarning:
        """Raises KeyError."""
        return self._cut(self._cuts[warning_id].model_copy(update={"state": "cancelled"}), now)

    def warn_of_danger(self, place_codes: tuple[str, ...], text: str, until: datetime, now: datetime) -> DangerWarning:
        warning = DangerWarning(id=self._number("NH", now), place_codes=place_codes, text=text, until=until)
        self.service.add(DangerWarned, now, warning=warning)
        return warning

    def _service_itself(self, since: datetime, now: datetime) -> None:
        """What became known of outages, and where requests went on by themselves."""
        happened: list[tuple[datetime, Outage | Folder]] = [
            *self._outages.turns(since, now),
            *self._folders.moves(since, now),
        ]
        for at, what in sorted(happened, key=lambda each: each[0]):
            if isinstance(what, Outage):
                self.outage(what, at)
            else:
                self.request(what, at)

    def _money(self, since: datetime, now: datetime) -> None:
        """Bills that came out and payments that came in by themselves."""
        happened: list[tuple[datetime, str, Account, Invoice | Payment]] = []
        for account in self._accounts.values():
            bills, payments = account.issued_between(since, now), account.received_between(since, now)
            happened += [(bill.issued_at, bill.id, account, bill) for bill in bills]
            happened += [(payment.paid_at, payment.id, account, payment) for payment in payments]
        for at, _, account, what in sorted(happened, key=lambda each: each[:2]):
            if isinstance(what, Invoice):
                self.issued(what, at)
            else:
                self.paid(account, [what], at)

    def _work(self, work: MeterWork, now: datetime) -> MeterWork:
        self._works[work.id] = work
        self.billing.add(MeterWorkPlanned, now, work=work)
        return work

    def _cut(self, warning: CutWarning, now: datetime) -> CutWarning:
        self._cuts[warning.id] = warning
        self.billing.add(CutWarned, now, warning=warning)
        return warning

    def _number(self, kind: str, now: datetime) -> str:
        return f"{kind}{now:%y}-{next(self._numbers):06d}"
