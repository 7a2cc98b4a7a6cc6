"""Weak or unstable power: a case with what staff need before they come to measure (electricity.md §6: T57)."""

from typing import Annotated, Any, Final, Literal

from actions.answers import option_meant, option_of
from actions.backends.models import Case
from actions.desk import DeskTurn
from actions.handlers import registry
from actions.outage_reports import LONGEST_NOTE, read_place, where_tapped
from actions.photos import attach
from bot.dialogue.commands import Slots
from bot.dialogue.forms import Ask, Form
from bot.dialogue.turn import NeedsAccountChoice, NeedsLink, Turn

WORDS_ALONE: Final = 2
"""So few words to the question of the hour may be "tối", which is "tôi" in any other place."""


def _read_hours(turn: Turn[Any]) -> str | None:
    alone = turn.asks_for("hours") and len(turn.text.split()) <= WORDS_ALONE
    hours = option_meant(turn.desk.answers, "voltage.hours", turn.text)
    return hours or (option_meant(turn.desk.answers, "voltage.hours_alone", turn.text) if alone else None)


@registry.form("voltage_report")
class WeakPower(Form):
    """Where, since when, at what hours, and whether the neighbours have it too."""

    intents = frozenset({"voltage_report"})
    review = "voltage.review"

    link: int | None = None
    note: str = ""
    called: str = ""
    spot: Annotated[dict[str, Any], Ask("voltage.ask_place", read=read_place)]
    began: Annotated[Literal["today", "days", "long"], Ask("voltage.ask_since", read=option_of("voltage.since"))]
    hours: Annotated[Literal["evening", "daytime", "always"], Ask("voltage.ask_hours", read=_read_hours)]
    neighbours: Annotated[
        Literal["yes", "no", "unknown"], Ask("voltage.ask_neighbours", read=option_of("voltage.neighbours"))
    ]

    @classmethod
    def prefill(cls, turn: DeskTurn, slots: Slots) -> dict[str, Any]:
        values = {"note": turn.text[:LONGEST_NOTE] if turn.intent == "voltage_report" else ""}
        if slots.place or slots.customer_code:
            return values
        try:
            account = turn.account(slots)
        except (NeedsLink, NeedsAccountChoice):
            return values
        return {**values, "spot": {"link": account.link_id}, "link": account.link_id, "called": account.label}

    @classmethod
    def filled(cls, turn: DeskTurn, field: str, values: dict[str, Any]) -> None:
        if field != "spot":
            return
        spot = values["spot"] = where_tapped(turn, values["spot"])
        values["link"] = spot.get("link")
        if "link" in spot:
            account = turn.account(Slots(link=spot["link"]))
            values["called"] = account.label
        else:
            values["called"] = spot.get("name", turn.replies.render("place.position")[0])

    def submit(self, turn: DeskTurn) -> None:
        account = turn.account(Slots(link=self.link)) if self.link is not None else None
        text, _ = turn.replies.render("case.voltage", **self.model_dump())
        case = Case(
            kind="voltage",
            text=text,
            customer_code=account.customer_code if account else None,
            place_code=self.spot.get("code"),
            latitude=self.spot.get("latitude"),
            longitude=self.spot.get("longitude"),
        )
        ticket = turn.desk.service.open_case(case, idempotency_key=turn.idempotency_key("voltage"))
        turn.say("voltage.reported", ticket=ticket)
        attach(turn, ticket)
