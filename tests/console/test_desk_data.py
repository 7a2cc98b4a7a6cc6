"""data/campaigns.yml and data/console/desk.yml: all that the desk can meet has its kind, its fields and its words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from bot.channels import outcomes
from bot.channels.outcomes import SendError
from bot.console.desk.catalog import AudienceName, composables
from bot.messages import ChannelName
from bot.notice_kinds import load_notice_kinds
from bot.pipeline.assembly import DATA
from bot.store.models import CampaignStatus, DeliveryStatus, NoticeStatus
from notifier.composed import Announcement, Maintenance, good_until
from notifier.policy import Route

ROOT = Path(__file__).parents[2]
WORDS: dict[str, Any] = yaml.safe_load((DATA / "console" / "desk.yml").read_text("utf-8"))
KINDS = load_notice_kinds(DATA / "notices.yml")
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


@pytest.mark.parametrize("key", composables())
def test_each_can_be_told_and_has_the_fields_of_its_fact(key: str) -> None:
    kind = composables()[key]
    assert key in KINDS
    names = {field.name for field in kind.fields}
    models = {"announcement": Announcement, "maintenance": Maintenance}
    if kind.fact in models:
        assert names == set(models[kind.fact].model_fields)
    assert ("outage" in kind.audiences) == (kind.fact == "outage")
    assert kind.fact != "danger" or kind.audiences == ("area",), "a danger names its places"


def test_there_are_words_for_all_that_can_be() -> None:
    assert set(WORDS["audiences"]) == set(get_args(AudienceName))
    assert set(WORDS["steps"]) == set(CampaignStatus) - {CampaignStatus.RELEASED}
    assert set(WORDS["notices"]) == set(NoticeStatus)
    assert set(WORDS["deliveries"]) == set(DeliveryStatus)
    assert set(WORDS["routes"]) == set(get_args(Route))
    refusals = {each.__name__.lower() for each in vars(outcomes).values() if is_refusal(each)}
    assert refusals - {"outcomeunknown"} <= set(words("outcomes"))
    assert set(words("channels")) == set(ChannelName)
    assert {f"campaign.{step}" for step in ("written", "edited", "submitted", "approved", "released")} <= set(
        words("audit")
    )


def words(name: str) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load((DATA / "console" / f"{name}.yml").read_text("utf-8"))
    return found


def is_refusal(each: object) -> bool:
    return isinstance(each, type) and issubclass(each, SendError) and each is not SendError


def test_what_is_written_is_one_paragraph_in_one_form() -> None:
    told = Announcement(subject=" a\n\tb\u0000 ", text="nghi\u0309")
    assert (told.subject, told.text) == ("a b", "nghỉ")
    with pytest.raises(ValueError, match="at least 1"):
        Announcement(subject=" ", text="x")


def test_work_that_is_over_is_not_worth_telling() -> None:
    work = Maintenance(what="x", area="y", start=NOW, end=NOW + timedelta(hours=2))
    assert good_until({"maintenance": work.model_dump(mode="json")}) == work.end
    assert good_until({"announcement": {"subject": "x", "text": "y"}}) is None
    with pytest.raises(ValueError, match="ends before"):
        Maintenance(what="x", area="y", start=NOW, end=NOW)
