"""Which place, or whose supply, a question about the grid or an office is about (electricity.md §5)."""

from collections.abc import Sequence
from datetime import datetime

from actions.backends.models import OutageList
from actions.desk import DeskTurn
from bot.dialogue.commands import Command, Place, PlaceChoice, Slots
from bot.dialogue.turn import Account

AREAS = frozenset({"district", "both"})
"""Kinds of places that are all of their choices: a former district, and both parts of a split commune."""


def asked_about(turn: DeskTurn, slots: Slots, intent: str) -> tuple[Place | None, Account | None]:
    """The place named, or the account; neither when a question had to be asked first."""
    place = slots.place
    if place and (place.code or place.kind in AREAS):
        return place, None
    if place and place.choices:
        ask_which(turn, slots, place, intent)
        return None, None
    if turn.caller.accounts:
        return None, turn.account(slots)
    if place and place.kind != "province":
        turn.say("place.of_which_commune", name=place.name)
    else:
        turn.say("outage.which_place")
    return None, None


def ask_which(turn: DeskTurn, slots: Slots, place: Place, intent: str) -> None:
    """A name that several places have, or that one had which was split since."""
    options = [
        (title, Command(name=intent, slots=slots.model_copy(update={"place": chosen(place, choice)})))
        for title, choice in zip(titles(place.choices), place.choices, strict=True)
    ]
    if is_split(place):
        both = Place(name=place.name, choices=place.choices, kind="both", detail=place.detail)
        either = Command(name=intent, slots=slots.model_copy(update={"place": both}))
        options.append((turn.replies.render("place.either")[0], either))
        turn.offer("place.split", options, name=place.name, choices=place.choices)
    else:
        turn.offer("place.which", options, name=place.name, choices=place.choices)


def is_split(place: Place) -> bool:
    """Is the name that of one former unit, which today belongs to several (one of them may have kept the name)?"""
    former = {(choice.old_name or choice.name, choice.district) for choice in place.choices}
    return len(place.choices) > 1 and len(former) == 1


def titles(choices: Sequence[PlaceChoice]) -> list[str]:
    """Short enough for buttons: what tells the readings apart is the former district, or else the unit."""
    districts = [choice.district or "" for choice in choices]
    apart = all(districts) and len(set(districts)) == len(districts) and any(choice.old_name for choice in choices)
    return districts if apart else [choice.name for choice in choices]


def chosen(place: Place, choice: PlaceChoice) -> Place:
    return Place(code=choice.code, name=choice.name, detail=place.detail)


def codes_of(place: Place) -> frozenset[str]:
    """The communes and wards that a place is: one, or all of an area."""
    return frozenset({place.code} if place.code else {choice.code for choice in place.choices})


def called(turn: DeskTurn, place: Place | None, account: Account | None) -> str:
    if account:
        return account.label
    if place is None:
        return ""
    if place.code:
        return turn.desk.gazetteer.title(place.code)
    return turn.replies.render("place.former", name=place.name)[0]


def outages_at(
    turn: DeskTurn, place: Place | None, account: Account | None, first: datetime, last: datetime
) -> OutageList:
    """What touches the span: of the account, of the commune or ward, or of all units of an area."""
    found = turn.desk.service.outages(
        customer_code=account.customer_code if account else None,
        place_code=place.code if place else None,
        first=first,
        last=last,
    )
    if account or place is None or place.code:
        return found
    codes = codes_of(place)
    return found.model_copy(update={"items": tuple(o for o in found.items if codes & set(o.place_codes))})
