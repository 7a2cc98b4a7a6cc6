"""Sending a contact's replies: claim one, call the platform outside any transaction, write down the outcome."""

from datetime import timedelta

from itsdangerous import URLSafeTimedSerializer

from bot.channels.base import Channel, Picture
from bot.channels.budget import Budget, Wait
from bot.channels.outcomes import (
    OutcomeUnknown,
    Reauthorise,
    RecipientGone,
    Scope,
    SendError,
    SlowDown,
)
from bot.clock import Clock
from bot.logs import get_logger
from bot.messages import ChannelName, OutMessage
from bot.metrics import DELIVERIES, DELIVERY_SECONDS, TOKEN_ALERT
from bot.pipeline.turns import enqueue_sending
from bot.store import conversations, deliveries
from bot.store.database import Database
from bot.store.models import Contact, Delivery, DeliveryStatus, Lane, Media

REPLY_IS_STALE_AFTER = timedelta(minutes=15)
"""A reply that could not go for so long answers nobody any more; staff see it as failed."""
BUDGET_PATIENCE = timedelta(seconds=10)
"""How long a claimed reply waits for its share of the rate before it is put back; well below the lease."""
MEDIA_SALT = "media"

log = get_logger(__name__)


class ReplySender:
    """Sends what the dialogue planned. Safe to run for the same contact twice at once: rows are leased."""

    def __init__(
        self,
        database: Database,
        channels: dict[ChannelName, Channel],
        budget: Budget,
        clock: Clock,
        *,
        public_url: str,
        secret: str,
    ) -> None:
        self._database = database
        self._channels = channels
        self._budget = budget
        self._clock = clock
        self._public_url = public_url
        self._media_signer = URLSafeTimedSerializer(secret, salt=MEDIA_SALT)

    def send_all(self, contact_id: int) -> None:
        """Send the contact's pending replies in order, until none is left or the next must wait."""
        while True:
            with self._database.begin() as session:
                claimed = deliveries.claim_next_reply(session, contact_id, self._clock())
                if claimed is None:
                    later = deliveries.waits_until(session, contact_id)
                    if later and (wait := later - self._clock()) > timedelta():
                        enqueue_sending(session, contact_id, after=wait)
                    return
            if self._send(claimed.delivery, claimed.contact) and claimed.last:
                return

    def _send(self, delivery: Delivery, contact: Contact) -> bool:
        """Whether the platform took it."""
        channel = self._channels.get(ChannelName(delivery.channel))
        message = OutMessage.model_validate(delivery.content)
        if channel is None:
            self._fail(delivery, "channel_off", None)
            return False
        if not channel.reply_window(contact.last_inbound_at, self._clock()):
            self._fail(delivery, "window_closed", None)
            return False
        leave = self._budget.acquire_within(channel.name, Lane.REPLY, BUDGET_PATIENCE)
        if isinstance(leave, Wait):
            pause = timedelta(seconds=leave.seconds)
            if self._is_stale(delivery, pause):
                self._fail(delivery, "too_late", None)
            else:
                self._postpone(delivery, pause, "rate_budget", None, counts=False)
            return False
        try:
            sent = channel.send(
                contact.channel_user_id, message, delivery_key=delivery.key, picture=self._picture(message)
            )
        except SendError as error:
            self._settle_error(delivery, contact, error)
            return False
        with self._database.begin() as session:
            deliveries.settle(
                session,
                delivery.id,
                DeliveryStatus.SENT,
                outcome="sent",
                now=self._clock(),
                provider_message_id=sent.provider_message_id,
            )
        DELIVERIES.labels(delivery.channel, "sent").inc()
        TOKEN_ALERT.labels(delivery.channel).set(0)
        DELIVERY_SECONDS.labels(delivery.channel, delivery.lane).observe(
            max(0.0, (self._clock() - delivery.created_at).total_seconds())
        )
        return True

    def _settle_error(self, delivery: Delivery, contact: Contact, error: SendError) -> None:
        name = type(error).__name__
        level = log.error if error.alert else log.warning
        level("send_failed", delivery=delivery.id, outcome=name, code=error.code, reason=error.reason)
        DELIVERIES.labels(delivery.channel, name).inc()
        if isinstance(error, OutcomeUnknown):
            self._finish(delivery, DeliveryStatus.UNKNOWN, "outcome_unknown", error.code)
            return
        pause = error.pause(delivery.attempts)
        if pause is None or self._is_stale(delivery, pause):
            self._fail(delivery, name.lower() if pause is None else "too_late", error.code)
            if isinstance(error, RecipientGone) and error.scope is Scope.RECIPIENT:
                with self._database.begin() as session:
                    conversations.mark_unreachable(session, contact.id, self._clock())
            return
        if isinstance(error, SlowDown | Reauthorise) and error.scope is Scope.TOKEN:
            self._budget.slow_down(ChannelName(delivery.channel), pause)
            if isinstance(error, Reauthorise):
                TOKEN_ALERT.labels(delivery.channel).set(1)
        self._postpone(delivery, pause, name.lower(), error.code)

    def _is_stale(self, delivery: Delivery, pause: timedelta) -> bool:
        return self._clock() + pause - delivery.created_at > REPLY_IS_STALE_AFTER

    def _postpone(
        self, delivery: Delivery, pause: timedelta, outcome: str, code: str | None, *, counts: bool = True
    ) -> None:
        """Put the delivery back for `pause`; `counts`: the try counts against its attempts."""
        with self._database.begin() as session:
            deliveries.settle(
                session,
                delivery.id,
                DeliveryStatus.PENDING,
                outcome=outcome,
                now=self._clock(),
                provider_code=code,
                not_before=self._clock() + pause,
                attempts=delivery.attempts if counts else delivery.attempts - 1,
            )

    def _fail(self, delivery: Delivery, outcome: str, code: str | None) -> None:
        self._finish(delivery, DeliveryStatus.FAILED, outcome, code)

    def _finish(self, delivery: Delivery, status: DeliveryStatus, outcome: str, code: str | None) -> None:
        with self._database.begin() as session:
            deliveries.settle(session, delivery.id, status, outcome=outcome, now=self._clock(), provider_code=code)

    def _picture(self, message: OutMessage) -> Picture | None:
        if message.media_id is None:
            return None
        with self._database.begin() as session:
            media = session.get(Media, message.media_id)
        if media is None:
            return None
        url = f"{self._public_url}/media/{self._media_signer.dumps(media.id)}"
        return Picture(content=media.body, content_type=media.content_type, url=url)
