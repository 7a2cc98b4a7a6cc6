"""What handlers work with: the backends, the limits, what is true of this company, the tariffs, the places."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict

from actions.answers import Answers, load_answers
from actions.backends.billing import BillingClient
from actions.backends.service import ServiceClient
from actions.deadlines import Deadlines, RightsData
from actions.documents import CopyLinks, DocumentLinks
from actions.gazetteer import Gazetteer, load_gazetteer
from actions.genuine import Genuine, load_genuine
from actions.hazard_data import Hazards, load_hazards
from actions.notice_words import NoticeWords, load_notice_words
from actions.office_hours import OfficeHours, StaffData
from actions.paper_fetcher import PaperFetcher
from bot.dialogue.turn import Turn
from bot.notice_kinds import NoticeKinds, load_notice_kinds
from bot.settings import Settings
from bot.store.database import Database
from bot.store.grid import GridReports, Rule
from bot.store.limits import Rate
from bot.store.link_codes import LinkCodes
from bot.store.otp import Limits, OtpStore
from bot.store.preferences import QuietHours

CODE_FORM = re.compile(r"P[A-Z]\d{2}[A-Z0-9]{2}[0-9]{7}")


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UnderstandingData(_Data):
    """Thresholds of the fallback ladder (docs/nlu.md)."""

    act: float
    suggest: float
    lead: float


class OtpData(_Data):
    """Limits of one-time passwords, over all chats; `guesses` is for one password."""

    lifetime_minutes: int
    pause_seconds: int
    guesses: int
    sends_per_contact_per_hour: int
    sends_per_code_per_day: int
    sends_per_phone_per_day: int
    guesses_per_contact_per_day: int
    guesses_per_code_per_day: int
    guesses_per_phone_per_day: int

    def limits(self) -> Limits:
        day = timedelta(days=1)
        return Limits(
            lifetime=timedelta(minutes=self.lifetime_minutes),
            pause=timedelta(seconds=self.pause_seconds),
            guesses=self.guesses,
            sends_per_contact=Rate(self.sends_per_contact_per_hour, timedelta(hours=1)),
            sends_per_code=Rate(self.sends_per_code_per_day, day),
            sends_per_phone=Rate(self.sends_per_phone_per_day, day),
            guesses_per_contact=Rate(self.guesses_per_contact_per_day, day),
            guesses_per_code=Rate(self.guesses_per_code_per_day, day),
            guesses_per_phone=Rate(self.guesses_per_phone_per_day, day),
        )


class LinkCodeData(_Data):
    """Codes that staff hand out: how long they hold, and how many wrong ones a chat may try."""

    days: int
    wrong_per_contact_per_day: int

    def limit(self) -> Rate:
        return Rate(self.wrong_per_contact_per_day, timedelta(days=1))


class DocumentsData(_Data):
    """How long the address of an e-invoice or e-contract is good."""

    link_minutes: int


class UsageData(_Data):
    """What counts as unusual use. `baseline_days` before the days shown tell what is usual."""

    baseline_days: int
    unusual_day_times: Decimal
    unusual_day_kwh: Decimal
    unusual_month_percent: int


class SuspectedOutageData(_Data):
    """So many contacts of one area within so long without power make an outage of the whole area likely."""

    reporters: int
    within_minutes: int
    lasts_minutes: int

    @property
    def rule(self) -> Rule:
        return Rule(self.reporters, timedelta(minutes=self.within_minutes), timedelta(minutes=self.lasts_minutes))


class NoticesData(_Data):
    """What holds for who chose nothing else: local quiet hours, and how many notices a day that can wait.

    `due_days_before`, `overdue_days_after` and `outage_hours_before`: when people are reminded.
    `quiet_offered`: other quiet hours to tap, as `21:00-06:00`. `level_kwh` and `level_dong`: the least and the
    most that a month's use can be watched for.
    """

    quiet_from: time
    quiet_until: time
    quiet_offered: tuple[str, ...]
    most_per_day: int
    due_days_before: tuple[int, ...]
    overdue_days_after: tuple[int, ...]
    outage_hours_before: tuple[int, ...]
    level_kwh: tuple[int, int]
    level_dong: tuple[int, int]

    @property
    def quiet(self) -> QuietHours:
        return QuietHours(self.quiet_from, self.quiet_until)


class AreaData(_Data):
    """The box around the area that the company serves, in degrees: what lies outside is surely not its own."""

    south: float
    north: float
    west: float
    east: float

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


class RetentionData(_Data):
    """Days that things are kept."""

    inbound_event_days: int
    attachment_days: int
    message_days: int


class Company(_Data):
    """data/company.yml: the company's own facts, each to be confirmed by it (electricity.md §0)."""

    name: str
    short_name: str
    hotline: str
    site: str
    app: str
    privacy_version: str
    code_prefixes: tuple[str, ...]
    other_companies: dict[str, str]
    understanding: UnderstandingData
    otp: OtpData
    link_codes: LinkCodeData
    nicknames: tuple[str, ...]
    reconnection_fee: int
    staff: StaffData
    rights: RightsData
    area: AreaData
    outage_days_ahead: int
    suspected_outage: SuspectedOutageData
    told_again_minutes: int
    retention: RetentionData
    documents: DocumentsData
    usage: UsageData
    notices: NoticesData

    def is_our_code(self, customer_code: str) -> bool:
        """Has it the form of this company's codes (electricity.md §2.1)?"""
        return customer_code.startswith(self.code_prefixes) and CODE_FORM.fullmatch(customer_code) is not None

    @property
    def told_again(self) -> timedelta:
        """Within this a second report of the same contact from the same place is the first one again."""
        return timedelta(minutes=self.told_again_minutes)

    def looks_like_our_code(self, text: str) -> bool:
        """Does it begin as this company's customer codes do, whatever follows?"""
        return text.strip().upper().startswith(self.code_prefixes)

    def other_company(self, customer_code: str) -> str | None:
        """Whose customer code this is, when its first letters are another company's (electricity.md §2.1)."""
        if customer_code.startswith(self.code_prefixes):
            return None
        return self.other_companies.get(customer_code[:4]) or self.other_companies.get(customer_code[:2])


@dataclass(frozen=True)
class Desk:
    """Handed to every handler as `turn.desk`."""

    billing: BillingClient
    service: ServiceClient
    otp: OtpStore
    link_codes: LinkCodes
    hours: OfficeHours
    deadlines: Deadlines
    copies: CopyLinks
    grid: GridReports
    database: Database
    company: Company
    gazetteer: Gazetteer
    answers: Answers
    documents: DocumentLinks
    hazards: Hazards
    genuine: Genuine
    papers: PaperFetcher
    notice_kinds: NoticeKinds
    notice_words: NoticeWords
    zone: ZoneInfo
    data: Path

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def staff_answer(self, now: datetime) -> bool:
        """Is it office hours?"""
        return self.hours.is_open(now)


DeskTurn = Turn[Desk]


def load_company(data: Path) -> Company:
    """Raises ValueError (pydantic) naming the field that is wrong."""
    raw: dict[str, Any] = yaml.safe_load((data / "company.yml").read_text("utf-8"))
    return Company.model_validate(raw)


def document_links(settings: Settings, company: Company) -> DocumentLinks:
    lifetime = timedelta(minutes=company.documents.link_minutes)
    return DocumentLinks(settings.public_url, settings.secret_key.get_secret_value(), lifetime)


def copy_links(settings: Settings, company: Company) -> CopyLinks:
    lifetime = timedelta(minutes=company.rights.copy_link_minutes)
    return CopyLinks(settings.public_url, settings.secret_key.get_secret_value(), lifetime)


def build_desk(settings: Settings, database: Database, company: Company, data: Path) -> Desk:
    token = settings.backend_token.get_secret_value()
    secret = settings.secret_key.get_secret_value()
    hours = OfficeHours(company.staff, settings.zone)
    return Desk(
        billing=BillingClient(settings.billing_url, token),
        service=ServiceClient(settings.service_url, token),
        otp=OtpStore(database, secret, company.otp.limits()),
        link_codes=LinkCodes(secret),
        hours=hours,
        deadlines=Deadlines(hours, company.rights),
        copies=copy_links(settings, company),
        grid=GridReports(database, company.suspected_outage.rule),
        database=database,
        company=company,
        gazetteer=load_gazetteer(data / "places.yml"),
        answers=load_answers(data / "answers.yml"),
        documents=document_links(settings, company),
        hazards=load_hazards(data / "hazards.yml"),
        genuine=load_genuine(data / "genuine.yml"),
        papers=PaperFetcher(settings.paper_hosts, loopback=settings.sandbox),
        notice_kinds=load_notice_kinds(data / "notices.yml"),
        notice_words=load_notice_words(data / "notice_words.yml"),
        zone=settings.zone,
        data=data,
    )
