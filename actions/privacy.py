"""Consent, given and withdrawn (F16; electricity.md §8). The other rights over one's data: actions/rights.py."""

from actions.desk import DeskTurn
from actions.handlers import registry
from actions.rights_requests import record
from bot.dialogue.commands import Slots
from bot.dialogue.turn import Change
from bot.store import conversations
from bot.store.conversations import ACCOUNT_PURPOSE
from bot.store.models import Consent, RightKind


def give_consent(turn: DeskTurn, *, granted: bool = True, purpose: str = ACCOUNT_PURPOSE) -> None:
    """Write down yes or no to a purpose, with the words it was given to."""
    consent = Consent(
        contact_id=turn.caller.contact_id,
        purpose=purpose,
        granted=granted,
        text_version=turn.desk.company.privacy_version,
        inbound_event_id=turn.event_id,
        at=turn.now,
    )
    turn.change(lambda session: session.add(consent))


@registry.handles("consent.give")
def consent_given(turn: DeskTurn, _slots: Slots) -> None:
    give_consent(turn)
    turn.say("consent.given" if turn.caller.accounts else "consent.given_link_next")


@registry.handles("consent.refuse")
def consent_refused(turn: DeskTurn, _slots: Slots) -> None:
    """No, or no longer and to nothing: then no code stays linked, because nothing of it may be looked up."""
    if turn.caller.consents:
        record(turn, RightKind.WITHDRAW, done=True)
    for purpose in turn.caller.consents | {ACCOUNT_PURPOSE}:
        give_consent(turn, granted=False, purpose=purpose)
    for account in turn.caller.accounts:
        turn.change(_ending(turn, account.link_id))
    turn.state.default_link = None
    turn.say("consent.refused", accounts=turn.caller.accounts)


def _ending(turn: DeskTurn, link_id: int) -> Change:
    contact_id, at = turn.caller.contact_id, turn.now
    return lambda session: conversations.end_link(session, contact_id=contact_id, link_id=link_id, at=at)


@registry.handles("consent.details")
def consent_details(turn: DeskTurn, _slots: Slots) -> None:
    turn.say("consent.details")
