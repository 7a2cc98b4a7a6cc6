"""From a stored event to the reply on its way: load, let the dialogue answer, commit everything at once.

Nothing is locked while the NLU and the backends are asked. The commit takes the conversation's lock and checks that
nobody (staff, another run of the same event) changed it meanwhile; otherwise the turn is computed again.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from actions.backends.calls import watched
from bot.channels.base import Channel
from bot.clock import Clock
from bot.dialogue.commands import PAYLOAD_PREFIX, Command
from bot.dialogue.engine import Engine
from bot.dialogue.state import DialogueState
from bot.dialogue.turn import Account, Caller, Draft, Turn
from bot.logs import get_logger
from bot.messages import ChannelName, Inbound, InboundKind
from bot.metrics import TURN_SECONDS, TURNS
from bot.store import conversations, deliveries, events, ledger
from bot.store.conversations import Loaded
from bot.store.database import Database
from bot.store.ledger import LastTold
from bot.store.models import (
    Contact,
    Conversation,
    EventStatus,
    Lane,
    Message,
    Owner,
)
from bot.store.otp import is_password
from bot.store.queue import enqueue

MEDIA_LIFETIME = timedelta(days=2)
NOTICE_IS_ANSWERED_WITHIN = timedelta(days=3)
"""So long the first message after a notice may be about it (F22)."""
PICTURE_TYPE = "image/png"
SECRET_SHOWN = "••••••"
"""Kept in place of a message that held a one-time password."""

log = get_logger(__name__)


class Conflict(Exception):
    """The conversation changed while the turn was computed; it must be computed again."""


@dataclass(frozen=True)
class Event:
    """An inbound event as stored and as understood."""

    id: int
    channel: ChannelName
    inbound: Inbound
    received_at: datetime


class TurnHandler:
    """Handles events of customers. `desk` is what the registry's handlers work with; `topic_of` tells what an answer to
    a notice is about."""

    def __init__(
        self,
        database: Database,
        channels: dict[ChannelName, Channel],
        engine: Engine[Any],
        desk: Any,
        clock: Clock,
        *,
        topic_of: Callable[[LastTold], Command],
    ) -> None:
        self._database = database
        self._channels = channels
        self._engine = engine
        self._desk = desk
        self._clock = clock
        self._topic_of = topic_of
        self._background = ThreadPoolExecutor(max_workers=2, thread_name_prefix="typing")

    def handle(self, event: Event) -> None:
        """Answer, or only record. Raises NluUnavailable and Conflict; then nothing has been written."""
        started = monotonic()
        with self._database.begin() as session:
            loaded = conversations.load(session, event.channel, str(event.inbound.user_id))
            told = self._told_since_the_last_message(session, loaded.contact)
        if loaded.conversation.owner == Owner.STAFF:
            self._record_only(event, loaded)
            return
        turn = self._turn(event, loaded)
        if told and told.sent_at < event.inbound.at:
            turn.told = self._topic_of(told)
            turn.state.hear(turn.told, turn.now)
        if event.inbound.kind in {InboundKind.TEXT, InboundKind.BUTTON}:
            self._background.submit(self._channels[event.channel].show_typing, loaded.contact.channel_user_id)
        with watched() as calls:
            self._engine.respond(turn)
        self._commit(event, loaded, turn, calls=calls, latency_ms=int((monotonic() - started) * 1000))
        TURNS.labels(event.channel, turn.handled_by[0] if turn.handled_by else "welcome").inc()
        TURN_SECONDS.labels(event.channel).observe((self._clock() - event.received_at).total_seconds())

    def _told_since_the_last_message(self, session: Session, contact: Contact) -> LastTold | None:
        since = self._clock() - NOTICE_IS_ANSWERED_WITHIN
        return ledger.last_told(session, contact.id, max(since, contact.last_inbound_at or since))

    def ask_for_patience(self, event: Event) -> None:
        """Say that the answer takes longer than usual; the event stays open."""
        with self._database.begin() as session:
            self._apologise(session, event, "failure.slow")

    def give_up(self, event: Event, why: str) -> None:
        """Park the event and say so. Once: a second call finds it closed."""
        with self._database.begin() as session:
            if events.finish(session, event.id, EventStatus.PARKED, error=why):
                loaded = conversations.load(session, event.channel, str(event.inbound.user_id))
                self._write_question(session, event, loaded, turn=None, latency_ms=None)
                self._apologise(session, event, "failure.given_up")

    def _apologise(self, session: Session, event: Event, reply: str) -> None:
        """Say `reply` without touching the dialogue's state, unless staff speak with the customer."""
        loaded = conversations.load(session, event.channel, str(event.inbound.user_id))
        if loaded.conversation.owner != Owner.STAFF:
            conversations.touch(session, loaded.contact.id, event.inbound.at)
            turn = self._turn(event, loaded)
            turn.say(reply)
            self._write_replies(session, event, loaded.contact, loaded.conversation, turn, key=reply)

    def _turn(self, event: Event, loaded: Loaded) -> Turn[Any]:
        return Turn(
            caller=Caller(
                contact_id=loaded.contact.id,
                conversation_id=loaded.conversation.id,
                channel=event.channel,
                accounts=tuple(Account(link.id, link.customer_code, link.nickname) for link in loaded.links),
                consents=loaded.consents,
                owner=Owner(loaded.conversation.owner),
            ),
            inbound=event.inbound,
            event_id=event.id,
            now=self._clock(),
            state=DialogueState.model_validate(loaded.conversation.state),
            desk=self._desk,
            replies=self._engine.replies,
            signer=self._engine.signer,
        )

    def _commit(
        self, event: Event, loaded: Loaded, turn: Turn[Any], *, calls: list[dict[str, Any]], latency_ms: int
    ) -> None:
        with self._database.begin() as session:
            conversation = conversations.lock(session, loaded.conversation.id)
            if conversation.version != loaded.conversation.version:
                raise Conflict
            if not events.finish(session, event.id, EventStatus.DONE):
                return
            self._write_question(session, event, loaded, turn=turn, latency_ms=latency_ms, calls=calls)
            for change in turn.changes:
                change(session)
            conversation.state = turn.state.model_dump(mode="json", exclude_defaults=True)
            conversation.version += 1
            self._write_replies(session, event, loaded.contact, conversation, turn, key="reply")

    def _record_only(self, event: Event, loaded: Loaded) -> None:
        with self._database.begin() as session:
            if events.finish(session, event.id, EventStatus.DONE):
                self._write_question(session, event, loaded, turn=None, latency_ms=None)

    def _write_question(
        self,
        session: Session,
        event: Event,
        loaded: Loaded,
        *,
        turn: Turn[Any] | None,
        latency_ms: int | None,
        calls: list[dict[str, Any]] | None = None,
    ) -> None:
        inbound = event.inbound
        understanding = turn.understanding if turn else None
        secret = (turn is not None and turn.secret) or is_password(
            session, loaded.contact.id, inbound.text, self._clock()
        )
        if secret:
            events.forget_payload(session, event.id)
        conversations.touch(session, loaded.contact.id, inbound.at)
        session.execute(
            update(Conversation)
            .where(Conversation.id == loaded.conversation.id)
            .values(last_message_at=func.greatest(Conversation.last_message_at, self._clock())),
            execution_options={"synchronize_session": False},
        )
        conversations.record(
            session,
            Message(
                conversation_id=loaded.conversation.id,
                sender="customer",
                kind=inbound.kind,
                text=SECRET_SHOWN if secret else _words(inbound, turn),
                content=_kept_of(inbound) | ({"calls": calls} if calls else {}),
                intent=understanding.intent if understanding else None,
                confidence=understanding.confidence if understanding else None,
                understanding=(
                    {
                        "entities": [] if secret else list(understanding.entities),
                        "ranking": [list(r) for r in understanding.ranking],
                        "model": understanding.model,
                    }
                    if understanding
                    else None
                ),
                handled_by=" ".join(turn.handled_by) if turn else None,
                latency_ms=latency_ms,
                inbound_event_id=event.id,
                created_at=event.received_at,
            ),
        )

    def _write_replies(
        self, session: Session, event: Event, contact: Contact, conversation: Conversation, turn: Turn[Any], *, key: str
    ) -> None:
        """Each draft as a line of the thread and as one delivery per send call; one job sends them all."""
        channel = self._channels[event.channel]
        number = 0
        for draft in turn.drafts:
            message = self._with_media(session, contact.id, draft)
            message_id = conversations.record(
                session,
                Message(
                    conversation_id=conversation.id,
                    sender="bot",
                    kind="text",
                    text=message.text,
                    content=message.model_dump(mode="json", exclude={"text"}, exclude_defaults=True),
                    inbound_event_id=event.id,
                    created_at=turn.now,
                ),
            )
            for part in channel.render(message):
                deliveries.plan(
                    session,
                    key=f"event-{event.id}-{key}-{number}",
                    contact=contact,
                    message_id=message_id,
                    lane=Lane.REPLY,
                    content=part,
                    now=turn.now,
                )
                number += 1
        if number:
            enqueue_sending(session, contact.id)

    def _with_media(self, session: Session, contact_id: int, draft: Draft) -> Any:
        if draft.picture is None:
            return draft.message
        media_id = deliveries.keep_media(
            session,
            contact_id=contact_id,
            content_type=PICTURE_TYPE,
            body=draft.picture,
            expires_at=self._clock() + MEDIA_LIFETIME,
        )
        return draft.message.model_copy(update={"media_id": media_id})


def _words(inbound: Inbound, turn: Turn[Any] | None) -> str:
    """What the customer wrote; of a tap that came as a text, what they saw of it."""
    tapped = turn.tapped if turn else None
    return tapped if tapped and inbound.text.startswith(PAYLOAD_PREFIX) else inbound.text


def _kept_of(inbound: Inbound) -> dict[str, Any]:
    """What came besides text, for the people who read along."""
    kept: dict[str, Any] = {}
    if inbound.attachments:
        kept["attachments"] = [
            {name: value for name, value in asdict(attachment).items() if value is not None}
            for attachment in inbound.attachments
        ]
    if inbound.latitude is not None:
        kept["position"] = [inbound.latitude, inbound.longitude]
    if inbound.info:
        kept["info"] = inbound.info
    return kept


def enqueue_sending(session: Session, contact_id: int, after: timedelta | None = None) -> None:
    lock = f"{deliveries.SENDING_LOCK}{contact_id}"
    enqueue(session, "send_replies", queue="reply", lock=lock, after=after, contact_id=contact_id)
