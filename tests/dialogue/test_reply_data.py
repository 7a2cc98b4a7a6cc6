"""The replies of data/replies against the code that says them: nothing missing, nothing left over, all sayable."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fixtures.outside import CODE, Billing, Service, invoice
from jinja2 import meta

from actions import conversation, estimates, prices
from actions.backends.models import (
    Appointment,
    Case,
    CutWarning,
    DangerWarning,
    MeterWork,
    Outage,
    Payment,
    Reading,
    RequestDetail,
    ServiceRequest,
    UsageFlag,
)
from actions.bill_parts import Cause, Part
from actions.catalogue import catalogue
from actions.consumption import Month, daily_use
from actions.desk import load_company
from actions.faq import ADVICE
from actions.forecast import MonthSoFar, Outlook
from actions.genuine import load_genuine
from actions.handing_over import Promise
from actions.notice_view import groups_shown
from actions.office_hours import OfficeHours
from actions.offices import opening
from actions.payment_records import Records
from actions.registry import registry
from actions.scam import Owed
from actions.tariff import residential_charge, tariffs, tiers
from actions.this_month import NextTier
from actions.use import Use
from bot.dialogue.commands import PayloadSigner, Period, Place, PlaceChoice, Slots
from bot.dialogue.engine import Engine
from bot.dialogue.fallback import Thresholds
from bot.dialogue.forms import Form
from bot.dialogue.replies import RenderedButton, ReplyBook, ReplyText
from bot.dialogue.turn import Account
from bot.messages import InboundKind
from bot.notice_kinds import load_notice_kinds
from bot.pipeline.assembly import DATA
from bot.store.grid import Suspicion
from bot.store.preferences import Level, Preferences, Scope
from notifier.composed import Announcement, Arrears, Maintenance

ROOT = Path(__file__).parents[2]
COMPANY = load_company(DATA)
BOOK = ReplyBook(DATA / "replies", ZoneInfo("Asia/Ho_Chi_Minh"), COMPANY.model_dump())
ENGINE: Engine[Any] = Engine(registry, BOOK, PayloadSigner("s"), None, Thresholds(0.6, 0.3, 0.1))  # type: ignore[arg-type]
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOURS = OfficeHours(COMPANY.staff, ZONE)
GENUINE = load_genuine(DATA / "genuine.yml")
NOTICES = load_notice_kinds(DATA / "notices.yml")
SCAM = "0912345678 và 19001909, 1900292900, 19006769 đòi chuyển tiền stk 123456789, evn-x.top, abc.top, thu tiền mặt"
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
MONTH = date(2026, 10, 1)
PARTS: list[tuple[Cause, int]] = [
    ("volume", 90_000),
    ("tiers", -12_345),
    ("days", 1_000),
    ("norms", -900),
    ("price", 800),
    ("vat", 700),
    ("line", -600),
    ("rounding", 1),
]
READINGS = [
    Reading(day=date(2026, 11, day), reading=Decimal(1000 + day), kwh=Decimal(9 if day > 8 else 3))
    for day in (1, 2, 3, 4, 5, 6, 8, 9, 10)
]

SAYING = {"say", "offer", "render", "Invalid", "Abandon", "Ask", "ask_for_patience", "_apologise", "failure", "_word"}
GIVEN_BY_THE_FORM = {"name", "form"}
"""What a review is given besides the form's own values."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in ("bot", "actions"):
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file, ast.parse(file.read_text("utf-8"))


def literals(node: ast.expr) -> Iterator[str]:
    """The keys that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def said() -> dict[str, list[set[str] | None]]:
    """Every key said outright, with the names of the values given each time (None: not to be seen from there)."""
    found: dict[str, list[set[str] | None]] = defaultdict(list)
    for _file, code in sources():
        for call in (node for node in ast.walk(code) if isinstance(node, ast.Call)):
            function = ast.unparse(call.func).split(".")[-1]
            if function not in SAYING:
                continue
            names = {keyword.arg for keyword in call.keywords if keyword.arg}
            by_form = function == "Ask" or any(keyword.arg is None for keyword in call.keywords)
            for argument in call.args[:3]:
                for key in literals(argument):
                    if "." in key or key in BOOK.replies:
                        found[key].append(None if by_form or function == "failure" else names)
    for form in registry.forms.values():
        for key in [form.review, *(ask.reply for ask in form.asks().values())]:
            if key:
                found[key].append(None)
    return found


def families() -> set[str]:
    """Keys that are put together from names."""
    titled = set(registry.handlers) | set(registry.forms)
    kinds = {kind for kind in InboundKind if f"media.{kind}" not in registry.handlers}
    return {
        *(f"talk.{intent}" for intent in conversation.PLAIN),
        *(f"advice.{intent}" for intent in ADVICE),
        *(f"price.title.{about}" for about in prices.TITLED),
        *(f"use.title.{name}" for name in estimates.TITLED),
        *(f"intent.{name}" for name in titled if f"intent.{name}" in BOOK.replies),
        *(f"form.name.{name}" for name in registry.forms),
        *(
            f"form.field.{field}"
            for form in registry.forms.values()
            for field in form.asks()
            if not_secret(form, field) and not tells_itself(form, "title_of")
        ),
        *(f"told.{kind.key}" for kind in NOTICES.kinds if kind.key != "survey"),
        *(f"media.{kind}" for kind in kinds if f"media.{kind}" in BOOK.replies),
    }


def not_secret(form: Any, field: str) -> bool:
    return not form.asks()[field].secret


def tells_itself(form: type[Form], what: str) -> bool:
    """Does the form have its own way to ask, show or name, with other values than its fields'?"""
    return getattr(form, what).__func__ is not getattr(Form, what).__func__


def needed(reply: ReplyText) -> set[str]:
    """The names of the values without which a reply cannot be rendered, or one of its buttons loses its meaning."""
    environment = BOOK._environment
    templates = [reply.text, *(b.title for b in reply.buttons), *(b.url or "" for b in reply.buttons)]
    names = {name for text in templates for name in meta.find_undeclared_variables(environment.parse(text))}
    names -= {name for text in templates for name in re.findall(r"\{% set (\w+) =", text)}
    for button in reply.buttons:
        names |= {*button.slots, *([button.when] if button.when else [])}
    return names - {"company"}


class TestKeys:
    def test_every_reply_that_is_said_is_written(self) -> None:
        assert set(said()) - set(BOOK.replies) == set()
        assert families() - set(BOOK.replies) == set()

    def test_every_reply_that_is_written_is_said(self) -> None:
        assert set(BOOK.replies) - set(said()) - families() == set()

    def test_every_intent_that_can_be_meant_can_be_suggested(self) -> None:
        """The few that cannot are small talk: nobody picks them from a list."""
        untitled = {name for name in {*registry.handlers, *registry.forms} if f"intent.{name}" not in BOOK.replies}
        small_talk = {"greet", "goodbye", "thank", "affirm", "deny", "cancel", "praise", "insult", "inform"}
        assert {name for name in untitled if "." not in name} == small_talk

    def test_what_is_said_is_given_what_it_needs(self) -> None:
        lacking = {
            key: sorted(needed(BOOK.replies[key]) - given)
            for key, times in said().items()
            for given in times
            if given is not None and needed(BOOK.replies[key]) - given
        }
        assert lacking == {}

    def test_a_form_s_questions_need_its_own_values_only(self) -> None:
        for name, form in registry.forms.items():
            fields = list(form.asks())
            for number, field in enumerate(fields):
                before = set(form.model_fields) - set(fields[number:])
                if tells_itself(form, "ask"):
                    continue
                assert needed(BOOK.replies[form.asks()[field].reply]) <= before, f"{name}.{field}"
            if form.review and not tells_itself(form, "show"):
                assert needed(BOOK.replies[form.review]) <= {*form.model_fields, *GIVEN_BY_THE_FORM}, name

    def test_failures_need_nothing(self) -> None:
        assert {key: needed(BOOK.replies[key]) for key in registry.failures.values()} == {
            key: set() for key in registry.failures.values()
        }


class TestButtons:
    def test_each_runs_what_exists(self) -> None:
        runs = {button.run for reply in BOOK.replies.values() for button in reply.buttons if button.run}
        assert runs - ENGINE.command_names == set()

    def test_each_value_that_fills_is_one_the_question_takes(self) -> None:
        for form in registry.forms.values():
            for field, ask in form.asks().items():
                options = [button.fill for button in BOOK.replies[ask.reply].buttons if button.fill is not None]
                literal = getattr(form.model_fields[field].annotation, "__args__", ())
                refusals = {"no"}
                assert set(options) - refusals <= set(literal), f"{field}: {options}"

    def test_values_fill_only_where_a_question_is_asked(self) -> None:
        questions = {ask.reply for form in registry.forms.values() for ask in form.asks().values()}
        filling = {key for key, reply in BOOK.replies.items() if any(button.fill for button in reply.buttons)}
        assert filling <= questions

    def test_slots_of_buttons_are_slots(self) -> None:
        names = {name for reply in BOOK.replies.values() for button in reply.buttons for name in button.slots}
        assert names <= set(Slots.model_fields)


def outage(**changes: Any) -> Outage:
    known = Outage(
        id="O1",
        version=1,
        kind="planned",
        state="planned",
        start=NOW,
        expected_end=NOW + timedelta(hours=4),
        actual_end=None,
        area_text="Xóm 5, xã Bình Yên",
        place_codes=("05521",),
        reason="Sửa chữa định kỳ",
        feeder=None,
        published_at=NOW,
    )
    return known.model_copy(update=changes)


def service_request(**changes: Any) -> ServiceRequest:
    visit = Appointment(start=NOW, end=NOW + timedelta(hours=2), purpose="Khảo sát tại chỗ")
    known = ServiceRequest(
        code="DV26-000123",
        service="capacity",
        state="surveying",
        filed_at=NOW,
        expected_on=date(2026, 11, 30),
        appointment=visit,
        message="Nhân viên gọi trước khi đến.",
        papers=2,
        as_of=NOW,
    )
    return known.model_copy(update=changes)


def values(**changes: Any) -> dict[str, Any]:
    """A value for every name that the replies use."""
    billing, service = Billing(lambda: NOW), Service(lambda: NOW)
    bill = invoice(CODE, MONTH)
    billing.bills[CODE] = [bill, invoice(CODE, date(2026, 9, 1), total=1_234_567, paid=1_000_000)]
    debt = billing.debt(CODE)
    ticket = service.open_case(Case(kind="complaint", text="…"), idempotency_key="k")
    payment = Payment(
        id="P", invoice_id=bill.id, month=MONTH, amount=512_340, paid_at=NOW, channel="BIDV", reference="r"
    )
    known = {
        "account": Account(1, CODE, None),
        "accounts": [Account(1, CODE, None), Account(2, CODE, "nhà mẹ")],
        "link": 1,
        "default": 2,
        "linked": True,
        "first": True,
        "customer_code": CODE,
        "prefix": "PA01",
        "other": "Nam Định",
        "left": 3,
        "seconds": 40,
        "several": True,
        "password": "012345",
        "invoice": bill,
        "invoices": billing.bills[CODE],
        "before": invoice(CODE, date(2026, 9, 1), total=400_000),
        "last_year": invoice(CODE, date(2025, 10, 1), total=300_000),
        "unpaid": True,
        "asked": MONTH,
        "not_yet": True,
        "total": 1_746_907,
        "debt": debt,
        "request": billing.payment_request(CODE, [bill.id], idempotency_key="k"),
        "payments": [payment],
        "bills": [(CODE, bill), ("nhà mẹ", invoice(CODE, date(2026, 9, 1), total=1_234_567))],
        "received": [(CODE, payment)],
        "label": CODE,
        "power_cut": outage(actual_end=NOW),
        "usage": UsageFlag(
            customer_code=CODE,
            flag="unusual",
            day=date(2026, 11, 23),
            kwh=Decimal("305.5"),
            cost=700_000,
            tier=4,
            message="gấp đôi ngày thường",
        ),
        "work": MeterWork(
            id="W",
            customer_code=CODE,
            work="replacement",
            day=date(2026, 11, 28),
            start=NOW,
            end=NOW + timedelta(hours=2),
            state="planned",
        ),
        "cut": CutWarning(
            id="N",
            customer_code=CODE,
            invoice_ids=(bill.id,),
            total=512_340,
            cut_from=NOW + timedelta(days=3),
            state="planned",
        ),
        "arrears": Arrears(total=512_340, bills=2),
        "announcement": Announcement(subject="Đổi giờ làm việc", text="Từ 1/12 mở cửa 7:30–16:30."),
        "maintenance": Maintenance(
            what="Thay sứ đường dây 22 kV.", area="xã Bình Yên", start=NOW, end=NOW + timedelta(hours=4)
        ),
        "danger": DangerWarning(
            id="D",
            place_codes=("05521",),
            text="Nước lũ ngập trạm biến áp Bình Yên.",
            until=NOW + timedelta(hours=6),
        ),
        "readings": billing.readings(CODE, first=date(2026, 11, 20), last=date(2026, 11, 23)).items,
        "period": Period.of(MONTH),
        "as_of": NOW,
        "until": date(2026, 11, 28),
        "charge": residential_charge(Decimal(250), first_day=MONTH, last_day=MONTH),
        "tiers": tiers(date(2026, 11, 24)),
        "decision": tariffs().residential_on(MONTH),
        "vat": Decimal(8),
        "used_for": Use(kind="tenants", people=6, evenly=True),
        "voltage": "dưới 6 kV",
        "said": "sinh hoạt, một hộ",
        "sources": [("QĐ 1279/QĐ-BCT", date(2025, 5, 10))],
        "of": CODE,
        "month": date(2027, 1, 1),
        "change": Decimal(50),
        "bill": bill,
        "rows": [(Decimal(100), 120_000), (Decimal(200), 161_000)],
        "money": 500_000,
        "unlinked": True,
        "household": True,
        "begun": True,
        "to_come": date(2026, 12, 1),
        "so_far": MonthSoFar(
            Decimal("82.9"), date(2026, 11, 24), 1, Outlook(Decimal(104), Decimal(98), Decimal(110), Decimal("3.5"))
        ),
        "likely": [210_000, 226_000, 240_000],
        "next_tier": NextTier(*tiers(MONTH)[1:3], Decimal("17.1"), date(2026, 11, 28)),
        "reached": NextTier(*tiers(MONTH)[1:3], Decimal("17.1"), date(2026, 11, 28)),
        "used": Decimal("82.9"),
        "priced": [("Kinh doanh", tariffs().non_residential_on(MONTH).groups["business"])],
        "lowest": [("Kinh doanh", tariffs().non_residential_on(MONTH).groups["business"][-1])],
        "peak": ["09:30-11:30"],
        "off_peak": ["22:00-04:00"],
        "sunday_peak": [],
        "obliged": tariffs().obliged,
        "coming": tariffs().residential_to_come,
        "new_hours": tariffs().schedule_to_come,
        "new_peak": ["17:30-22:30"],
        "tier": tiers(MONTH)[2],
        "first_tier": tiers(MONTH)[0],
        "doubled": tiers(MONTH, 2)[0],
        "reduced": tariffs().vat.reduced_on(MONTH),
        "ordinary": Decimal(10),
        "after": date(2027, 1, 1),
        "support": tariffs().support,
        "limits": [100, 200, 400, 700, None],
        "tiers_now": 6,
        "outage": outage(actual_end=NOW),
        "outages": [
            outage(),
            outage(expected_end=None, version=2),
            outage(state="cancelled"),
            outage(state="restored", actual_end=NOW),
            outage(state="active"),
        ],
        "more": 2,
        "fault": outage(kind="unplanned"),
        "suspicion": Suspicion(1, "05521", NOW, 7),
        "rule": COMPANY.suspected_outage,
        "advice": "Tránh xa ít nhất 10 m.",
        "has_place": False,
        "only_me": True,
        "field": "elsewhere",
        "called": "xã Bình Yên",
        "began": "days",
        "hours": "evening",
        "neighbours": "yes",
        "note": "Tối nào cũng yếu",
        "where": "xã Bình Yên",
        "day": date(2026, 11, 27),
        "days": 7,
        "scope": "neighbours",
        "place": Place(code="05521", name="xã Bình Yên"),
        "name": "Tân Lập",
        "choices": (PlaceChoice(code="1", name="xã A", old_name="xã cũ", district="Định Hóa"),),
        "position": (21.5, 105.8),
        "ticket": ticket,
        "contract": service.contract(CODE),
        "offices": service.offices().items,
        "found": [(office, opening(office, HOURS, NOW.astimezone(ZONE), None)) for office in service.offices().items],
        "office_hours": "7:30-17:00",
        "day_off": date(2026, 9, 2),
        "answer": "Có.",
        "source": "EVN",
        "evidence": GENUINE.read(SCAM, hotline=COMPANY.hotline, site=COMPANY.site, app=COMPANY.app),
        "may_link": True,
        "owed": [Owed(CODE, debt)],
        "owes": True,
        "claimed": 850_000,
        "fits": False,
        "staff": COMPANY.staff,
        "form": "báo mất điện",
        "what": "Điện yếu từ hôm qua",
        "pdf": "https://example.vn/media/a",
        "xml": "https://example.vn/media/b",
        "minutes": 30,
        "use": daily_use(READINGS, READINGS[0].day, READINGS[-1].day, times=Decimal("1.8"), kwh=Decimal(2)),
        "picked": SimpleNamespace(month=MONTH, days=31, kwh=Decimal(120), reading=Decimal(1200)),
        "compared": [Month(date(2026, 9, 1), 100, 30), Month(date(2025, 10, 1), 150, 31)],
        "months": [Month(MONTH, 120, 31, 20), Month(date(2026, 9, 1), 100, 30, None)],
        "average": 110,
        "usual": Decimal("3.4"),
        "neighbours_kwh": Decimal("2.9"),
        "far": 30,
        "parts": [Part(cause, amount) for cause, amount in PARTS],
        "year_parts": [Part("price", 3_456)],
    }
    known |= {
        "service": catalogue().services["service_new_supply"],
        "field": "use",
        "value": "home",
        "offer": True,
        "groups": {"Hợp đồng": [(1, "Sang tên hợp đồng")]},
        "title": "Sang tên hợp đồng",
        "services": list(catalogue().services.values())[:4],
        "question": "Tên gì ạ?",
        "count": 2,
        "longest": 300,
        "hint": "Ví dụ: a@b.vn.",
        "least": "1",
        "most": "50",
        "unit": "kW",
        "today": date(2026, 11, 24),
        "answers": [RequestDetail(label="Lý do", value="Mua nhà")],
        "filed": service_request(),
        "request_code": "DV26-000123",
        "expected": date(2026, 11, 30),
        "kept": 1,
        "lost": 1,
        "papers_wanted": True,
        "is_open": True,
        "requests": [("Đổi công suất", service_request())],
        "message": "Đang sửa.",
        "debts": [(Account(1, CODE, None), debt), (Account(2, CODE, "nhà mẹ"), billing.debt(CODE))],
        "records": Records(Account(1, CODE, None), debt, (payment, payment), (bill,)),
        "payment": payment,
        "trouble": "twice",
        "verified": False,
        "over": True,
        "owing": True,
    }
    kinds = load_notice_kinds(DATA / "notices.yml")
    linked = [Account(1, CODE, None), Account(2, CODE, "nhà mẹ")]
    differing = Preferences({("payment_due", Scope(1)): False}, agreed=True)
    known |= {
        "turned_on": ["tin hóa đơn"],
        "turned_off": ["tin tức", "nhắc thanh toán"],
        "still": [kind for kind in kinds.kinds if kind.always],
        "undo": True,
        "alerts": True,
        "shown": [*groups_shown(kinds, differing, linked), *groups_shown(kinds, differing, [])],
        "places": ["xã Bình Yên"],
        "not_linked": True,
        "most": 3,
        "changed": True,
        "starts": "22:00",
        "ends": "07:00",
        "present": "22:00-07:00",
        "wanted": "21:00-06:00",
        "kinds": [kind for kind in kinds.kinds if kind.own_consent],
        "level": Level(kwh=300),
        "before_level": Level(dong=500_000),
        "level_off": True,
        "least_kwh": 10,
        "most_kwh": 100_000,
        "least_dong": 20_000,
        "most_dong": 1_000_000_000,
        "used": Decimal("82.9"),
    }
    known |= {
        "promise": Promise(NOW, is_open=False, since=NOW, is_late=True),
        "angry": True,
        "sent": "image",
        "agreed": True,
        "stored": {"messages": [SimpleNamespace(created_at=NOW)], "reports": [1]},
        "files": 2,
        "page": "https://example.vn/media/copy/a",
        "file": "https://example.vn/media/copy/b",
    }
    assert not set(changes) - set(known)
    return {**known, **changes}


OCCASIONS = {
    "usual": {},
    "named": {"account": Account(2, CODE, "nhà mẹ"), "first": False, "not_yet": False, "day": None},
    "paid": {"invoice": invoice(CODE, MONTH, paid=512_340), "unpaid": False, "before": None, "last_year": None},
    "partly paid": {"invoice": invoice(CODE, MONTH, paid=12_340)},
    "nothing": {
        "invoices": [],
        "payments": [],
        "readings": [],
        "asked": None,
        "picked": None,
        "parts": [],
        "use": daily_use([], READINGS[0].day, READINGS[-1].day, times=Decimal(2), kwh=Decimal(2)),
        "accounts": [],
        "offices": (),
        "shown": [],
        "office_hours": None,
        "day_off": None,
        "owes": False,
        "claimed": None,
        "invoice": None,
        "outage": None,
        "place": None,
        "outages": [],
        "more": 0,
        "fault": None,
        "note": "",
        "has_place": True,
        "only_me": False,
    },
    "nobody knows when": {"outage": outage(expected_end=None, actual_end=NOW), "where": ""},
    "unusual": {"picked": None, "neighbours_kwh": None, "average": None, "not_yet": False},
    "filed and done": {
        "filed": service_request(state="done", expected_on=None, appointment=None, message=None, papers=0),
        "is_open": False,
        "kept": 0,
        "lost": 0,
        "offer": False,
    },
    "nobody knows": {
        "charge": residential_charge(Decimal(0), first_day=MONTH, last_day=MONTH),
        "used_for": Use(),
        "of": None,
        "month": None,
        "change": Decimal(-50),
        "bill": None,
        "unlinked": False,
        "begun": False,
        "to_come": None,
        "so_far": MonthSoFar(Decimal(3), date(2026, 11, 2), 0),
        "likely": [],
        "next_tier": NextTier(tiers(MONTH)[-1], None, None, None),
        "reached": None,
        "sources": [],
        "new_hours": None,
        "reduced": None,
        "after": None,
    },
    "nothing chosen": {
        "still": [],
        "starts": "",
        "ends": "",
        "level": None,
        "before_level": None,
        "level_off": False,
        "turned_on": [],
        "used": None,
        "charge": None,
        "where": "",
        "places": [],
    },
    "a level of money": {"level": Level(dong=100_000), "before_level": Level(kwh=100), "turned_off": []},
    "in office hours": {
        "promise": Promise(NOW, is_open=True, since=NOW),
        "angry": None,
        "agreed": False,
        "stored": {"messages": [], "reports": []},
        "files": 0,
    },
    "dearer": {"before": invoice(CODE, date(2026, 9, 1), total=600_000)},
}
ALWAYS_THERE = {
    "invoice": ("bill.card", "bill.explained", "bill.calculated", "bill.einvoice"),
    "before": ("bill.explained",),
    "asked": ("bill.none", "chart.month", "debt.of_months"),
    "average": ("chart.average",),
    "month": ("estimate.no_price",),
    "neighbours_kwh": ("chart.neighbours",),
    "outage": ("outage.back", "outage.joined"),
    "where": ("outage.suspected_there", "outage.suspected", "outage.joined", "case.suspected_outage"),
    "charge": ("estimate.answer", "estimate.for_money", "estimate.so_far"),
    "outages": ("outage.running", "outage.schedule"),
    "accounts": ("account.list",),
    "level": ("usage.level_set",),
    "used": ("price.next",),
}
"""Replies that are only said when there is one."""
NOTHING = (None, Level(), [], {}, (), "", 0, False)
LEFTOVERS = re.compile(r"\{\{|\}\}|\{%|\b(None|True|False|Undefined|datetime|Decimal)\b|  |\n\n\n")
AMOUNT_WITHOUT_POINTS = re.compile(r"\d{4,} đ(?!\w)")


def replies_on(occasion: str) -> Iterator[tuple[str, str, list[RenderedButton]]]:
    """Every reply as it is on an occasion: its key, text and buttons."""
    usual, special = values(), values(**OCCASIONS[occasion])
    for key in BOOK.replies:
        missed = {name: usual[name] for name, keys in ALWAYS_THERE.items() if key in keys and special[name] in NOTHING}
        yield key, *BOOK.render(key, **{**special, **missed})


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_every_reply_can_be_said(occasion: str) -> None:
    for key, text, buttons in replies_on(occasion):
        assert 0 < len(text) <= 2000, key
        assert not LEFTOVERS.search(text), f"{key}: {text}"
        assert not AMOUNT_WITHOUT_POINTS.search(text), f"{key}: {text}"
        for button in buttons:
            assert 0 < len(button.title) <= 100, key
            assert button.url is None or button.url.startswith("https://"), key
            assert button.phone is None or button.phone.isdigit(), key


def test_nothing_asks_for_what_must_never_be_asked_for() -> None:
    """It names passwords and cards only to say that it never wants them."""
    wanted = re.compile(r"(mật khẩu|mã PIN|số thẻ|CVV)", re.IGNORECASE)
    naming = {key for key, reply in BOOK.replies.items() if wanted.search(reply.text)}
    refusing = {key for key in naming if re.search(r"không|đừng|Quên mật khẩu", BOOK.replies[key].text)}
    assert naming == refusing


def test_nothing_threatens() -> None:
    threat = re.compile(r"sẽ (bị )?cắt điện|xử phạt|khởi kiện|cưỡng chế", re.IGNORECASE)
    assert [key for key, reply in BOOK.replies.items() if threat.search(reply.text)] == []


def test_the_short_message_to_a_phone_fits_one() -> None:
    """Without tone marks, 160 letters: one text, on any phone."""
    text, buttons = BOOK.render("sms.otp", password="012345")
    assert text.isascii()
    assert len(text) <= 160
    assert buttons == []


def test_the_checks_above_see_what_they_look_for() -> None:
    assert needed(ReplyText(text="{{ x }} {% if y %}{% endif %}")) == {"x", "y"}
    assert AMOUNT_WITHOUT_POINTS.search("1234 đ")
    assert not AMOUNT_WITHOUT_POINTS.search("1.234 đ")
