"""What handlers work with: the backends, the limits, what is true of this company, the tariffs, the places."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import yaml
from pydantic import BaseModel, ConfigDict

from actions.answers import Answers, load_answers
from actions.backends.billing import BillingClient
from actions.backends.service import ServiceClient
from actions.gazetteer import Gazetteer, load_gazetteer
from actions.hazard_data import Hazards, load_hazards
from bot.dialogue.turn import Turn
from bot.settings import Settings
from bot.store.database import Database
from bot.store.grid import GridReports, Rule
from bot.store.otp import Limits, OtpStore


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UnderstandingData(_Data):
    """Thresholds of the fallback ladder (docs/nlu.md)."""

    act: float
    suggest: float
    lead: float


class OtpData(_Data):
    lifetime_minutes: int
    guesses: int
    sends_per_contact_per_hour: int
    sends_per_code_per_day: int


class StaffData(_Data):
    """When people answer; `weekdays` counts from Monday = 0."""

    opens: time
    closes: time
    weekdays: tuple[int, ...]
    hand_back_after_hours: int


class SuspectedOutageData(_Data):
    """So many contacts of one area within so long without power make an outage of the whole area likely."""

    reporters: int
    within_minutes: int
    lasts_minutes: int

    @property
    def rule(self) -> Rule:
        return Rule(self.reporters, timedelta(minutes=self.within_minutes), timedelta(minutes=self.lasts_minutes))


class RetentionData(_Data):
    inbound_event_days: int


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
    staff: StaffData
    outage_days_ahead: int
    suspected_outage: SuspectedOutageData
    told_again_minutes: int
    retention: RetentionData

    @property
    def told_again(self) -> timedelta:
        """Within this a second report of the same contact from the same place is the first one again."""
        return timedelta(minutes=self.told_again_minutes)

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
    grid: GridReports
    database: Database
    company: Company
    gazetteer: Gazetteer
    answers: Answers
    hazards: Hazards
    zone: ZoneInfo
    data: Path

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def staff_answer(self, now: datetime) -> bool:
        """Is it office hours: a working weekday that is no public holiday, between opening and closing?"""
        local = now.astimezone(self.zone)
        staff = self.company.staff
        open_day = local.weekday() in staff.weekdays and local.date() not in holidays.country_holidays("VN")
        return open_day and staff.opens <= local.time() < staff.closes


DeskTurn = Turn[Desk]


def load_company(data: Path) -> Company:
    """Raises ValueError (pydantic) naming the field that is wrong."""
    raw: dict[str, Any] = yaml.safe_load((data / "company.yml").read_text("utf-8"))
    return Company.model_validate(raw)


def build_desk(settings: Settings, database: Database, company: Company, data: Path) -> Desk:
    token = settings.backend_token.get_secret_value()
    limits = Limits(
        lifetime=timedelta(minutes=company.otp.lifetime_minutes),
        guesses=company.otp.guesses,
        per_contact=company.otp.sends_per_contact_per_hour,
        per_contact_window=timedelta(hours=1),
        per_code=company.otp.sends_per_code_per_day,
        per_code_window=timedelta(days=1),
    )
    return Desk(
        billing=BillingClient(settings.billing_url, token),
        service=ServiceClient(settings.service_url, token),
        otp=OtpStore(database, settings.secret_key.get_secret_value(), limits),
        grid=GridReports(database, company.suspected_outage.rule),
        database=database,
        company=company,
        gazetteer=load_gazetteer(data / "places.yml"),
        answers=load_answers(data / "answers.yml"),
        hazards=load_hazards(data / "hazards.yml"),
        zone=settings.zone,
        data=data,
    )
