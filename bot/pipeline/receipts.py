"""What platforms tell us beside customers' messages, one by one: others' echoes, take-overs, people leaving."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from actions.deadlines import Deadlines
from bot.channels.messenger.inbound import DATA_DELETION
from bot.clock import Clock
from bot.messages import Inbound, InboundKind
from bot.pipeline.turns import Event
from bot.store import conversations, deliveries, handovers, retention, rights
from bot.store.conversations import Loaded
from bot.store.models import Conversation, EventStatus, HandoverReason, Message, Owner, RightKind

RECEIPT_WAITS_FOR_OUR_COMMIT = timedelta(seconds=20)
"""A receipt may come before the send that it is about is written down (examples.md §5)."""


ZALO_WRITTEN_BY_SOMEBODY = frozenset(
    {"oa_send_text", "oa_send_image", "oa_send_gif", "oa_send_file", "oa_send_sticker"}
)
"""Echoes that, when the message is not ours, a person wrote, even without `admin_id` (zalo.md §2.7)."""


class TooEarly(Exception):
    """The message this is about is not known yet, and may still be: try again."""


def is_young(event: Event, now: datetime) -> bool:
    """May what the event is about still be on its way into our books?"""
    return now - event.received_at < RECEIPT_WAITS_FOR_OUR_COMMIT


class OneByOne:
    """Handles events that concern more than the ledger of what is sent."""

    def __init__(self, clock: Clock, deadlines: Deadlines) -> None:
        self._clock = clock
        self._deadlines = deadlines

    def handle(self, session: Session, event: Event) -> EventStatus:
        """Write down what the event says. Raises TooEarly."""
        inbound = event.inbound
        match inbound.kind:
            case InboundKind.ECHO:
                return self._echo(session, event)
            case InboundKind.UNFOLLOW:
                loaded = conversations.load(session, event.channel, str(inbound.user_id))
                conversations.mark_unreachable(session, loaded.contact.id, inbound.at)
            case InboundKind.TAKEOVER:
                loaded = conversations.load(session, event.channel, str(inbound.user_id))
                self._staff_take_over(session, event, loaded)
            case InboundKind.HANDBACK:
                loaded = conversations.load(session, event.channel, str(inbound.user_id))
                row = handovers.open_of(session, loaded.conversation.id)
                if row and row.reason == HandoverReason.RIGHTS:
                    rights.finish(session, loaded.contact.id, self._clock())
                handovers.give_back(session, loaded.conversation.id, by="staff", at=self._clock())
            case InboundKind.WITHDRAW:
                self._erase(session, event, conversations.load(session, event.channel, str(inbound.user_id)))
            case _:
                return EventStatus.IGNORED
        return EventStatus.DONE

    def _echo(self, session: Session, event: Event) -> EventStatus:
        """Our own message after all, or a person wrote from the platform's own inbox: then the bot is silent.

        While a message of ours is being handed over, an echo of another text may still be its (the platform or our
        fallback without buttons may have changed it): the answer to our send will tell. Of what was sent before the
        person's data was erased nothing is known any more, so that its echo says nothing.
        """
        inbound = event.inbound
        if inbound.user_id is None:
            return EventStatus.IGNORED
        loaded = conversations.load(session, event.channel, inbound.user_id)
        ours = not inbound.by_staff and deliveries.confirm_echo(
            session,
            event.channel,
            contact_id=loaded.contact.id,
            key=inbound.echo_of,
            provider_message_id=inbound.message_id,
            text=inbound.text,
            now=self._clock(),
        )
        if ours:
            return EventStatus.DONE
        if not (inbound.by_staff or inbound.name in ZALO_WRITTEN_BY_SOMEBODY):
            return EventStatus.IGNORED
        erased_at = rights.erased_at(session, loaded.contact.id)
        if not inbound.by_staff and erased_at and inbound.at <= erased_at:
            return EventStatus.IGNORED
        young = is_young(event, self._clock())
        if not inbound.by_staff and young and deliveries.is_under_way(session, loaded.contact.id):
            raise TooEarly
        self._staff_take_over(session, event, loaded)
        return EventStatus.DONE

    def _erase(self, session: Session, event: Event, loaded: Loaded) -> None:
        """Asked for through the platform. Meta names people by another id than the chat's: one that no chat has is
        left to people, who look for theirs.
        """
        contact_id, now = loaded.contact.id, self._clock()
        found = event.inbound.name != DATA_DELETION or loaded.conversation.last_message_at is not None
        rights.add(
            session,
            contact_id=contact_id,
            kind=RightKind.ERASE,
            event_id=event.id,
            received_at=now,
            due=self._deadlines.of(RightKind.ERASE, now),
            done=found,
        )
        conversations.withdraw_consents(session, contact_id, event_id=event.id, at=event.inbound.at)
        retention.erase(session, contact_id, actor="platform")

    def _staff_take_over(self, session: Session, event: Event, loaded: Loaded) -> None:
        conversations.set_owner(session, loaded.conversation.id, Owner.STAFF, self._clock())
        rights.answer(session, loaded.contact.id, self._clock())
        self._record_staff_message(session, event, event.inbound, loaded.conversation.id)

    def _record_staff_message(self, session: Session, event: Event, inbound: Inbound, conversation_id: int) -> None:
        session.execute(
            update(Conversation).where(Conversation.id == conversation_id).values(last_message_at=self._clock())
        )
        conversations.record(
            session,
            Message(
                conversation_id=conversation_id,
                sender="staff",
                kind=inbound.name,
                text=inbound.text,
                inbound_event_id=event.id,
                created_at=self._clock(),
            ),
        )
