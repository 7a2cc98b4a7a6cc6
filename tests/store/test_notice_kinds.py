"""data/notices.yml: what the product promises is there, and what does not hang together is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bot.notice_kinds import NoticeKinds, load_notice_kinds
from bot.pipeline.assembly import DATA
from nlu import lexicon

KINDS = load_notice_kinds(DATA / "notices.yml")


def test_groups_are_those_that_the_understanding_names() -> None:
    assert set(KINDS.groups) == set(lexicon.read("topics")["notice_kind"])
    assert {kind.group for kind in KINDS.kinds} == set(KINDS.groups)


def test_what_the_law_and_safety_ask_for_always_comes() -> None:
    assert {kind.key for kind in KINDS.kinds if kind.always} == {
        "before_cut",
        "outage_planned",
        "outage_changed",
        "outage_cancelled",
        "hazard_warning",
    }


def test_advertising_and_warnings_of_use_are_asked_for() -> None:
    asked_for = {kind.group for kind in KINDS.kinds if kind.opt_out == "ask"}
    assert asked_for == {"usage", "news"}
    assert {kind.group for kind in KINDS.kinds if kind.own_consent} == {"news"}
    assert not any(kind.always for kind in KINDS.named("usage")), "each of F19 can be turned off"


def test_places_can_be_followed_for_outages_only() -> None:
    assert {kind.group for kind in KINDS.kinds if "place" in kind.per} == {"outage"}


def test_by_name() -> None:
    assert [kind.key for kind in KINDS.named("payment_due")] == ["payment_due"]
    assert {kind.group for kind in KINDS.named("bill")} == {"bill"}
    with pytest.raises(KeyError):
        KINDS.named("weather")


@pytest.mark.parametrize(
    "change",
    [
        {"why": "no reason is needed"},
        {"opt_out": "always"},
        {"own_consent": True},
        {"per": ["account", "contact"]},
        {"per": []},
        {"group": "weather"},
        {"key": "bill"},
        {"surprise": 1},
    ],
)
def test_what_does_not_hang_together_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    raw = yaml.safe_load((DATA / "notices.yml").read_text("utf-8"))
    raw["kinds"][0] |= change
    file = tmp_path / "notices.yml"
    file.write_text(yaml.safe_dump(raw), "utf-8")
    with pytest.raises(ValidationError):
        load_notice_kinds(file)


def test_a_key_written_twice_is_refused() -> None:
    raw = KINDS.model_dump()
    with pytest.raises(ValidationError):
        NoticeKinds.model_validate({**raw, "kinds": [*raw["kinds"], raw["kinds"][0]]})
