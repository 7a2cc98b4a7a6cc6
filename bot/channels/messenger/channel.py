"""The Facebook Page as a channel."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from bot.channels.base import Limits, Picture, Template
from bot.channels.messenger import rendering
from bot.channels.messenger.api import MessengerApi
from bot.channels.messenger.errors import RIGHTS_TO_A_CALL
from bot.channels.outcomes import BadRequest, Reauthorise, SendError, Sent, rights_concern_templates_only
from bot.logs import get_logger
from bot.messages import ChannelName, OutMessage
from bot.settings import MessengerSettings

log = get_logger(__name__)


class MessengerChannel:
    name: ClassVar[ChannelName] = ChannelName.MESSENGER
    limits: ClassVar[Limits] = rendering.LIMITS

    def __init__(self, settings: MessengerSettings, api: MessengerApi) -> None:
        self.api = api
        self._window = timedelta(hours=settings.reply_window_hours)

    def render(self, message: OutMessage) -> list[OutMessage]:
        return rendering.render(message)

    def send(self, recipient: str, message: OutMessage, *, delivery_key: str, picture: Picture | None) -> Sent:
        if message.media_id is None:
            content = rendering.as_message(message)
        elif picture is None:
            raise BadRequest("no-picture", "the picture is no longer kept")
        else:
            content = rendering.as_picture(self._source(picture))
        return self.api.send_message(recipient, {**content, "metadata": delivery_key})

    def send_template(self, recipient: str, template: Template, *, delivery_key: str) -> Sent:
        values = dict(template.values)
        with rights_concern_templates_only(RIGHTS_TO_A_CALL):
            return self.api.send_utility(recipient, template.name, template.language, values, metadata=delivery_key)

    def window_ends(self, last_inbound_at: datetime | None) -> datetime | None:
        return last_inbound_at + self._window if last_inbound_at else None

    def reply_window(self, last_inbound_at: datetime | None, now: datetime) -> bool:
        ends = self.window_ends(last_inbound_at)
        return ends is not None and now < ends

    def show_typing(self, recipient: str) -> None:
        try:
            self.api.sender_action(recipient, "mark_seen")
            self.api.sender_action(recipient, "typing_on")
        except SendError as error:
            log.info("messenger typing not shown", code=error.code, reason=error.reason)

    def display_name(self, recipient: str) -> str | None:
        try:
            return self.api.first_and_last_name(recipient)
        except SendError as error:
            log.info("messenger name not read", code=error.code, reason=error.reason)
            return None

    def keep_credentials(self) -> None:
        """Nothing: a Page token has no refresh (messenger.md §1)."""

    def check(self) -> None:
        if "messages" not in self.api.subscribed_fields():
            raise Reauthorise("not-subscribed", "the Page's webhooks are not subscribed")

    def _source(self, picture: Picture) -> dict[str, Any]:
        """Uploaded, so that it needs no public address; else fetched by Meta from our short-lived one."""
        if len(picture.content) <= self.limits.picture_bytes:
            try:
                return {"attachment_id": self.api.upload_picture(picture.content, picture.content_type)}
            except Reauthorise:
                raise
            except SendError as error:
                if picture.url is None:
                    raise
                log.warning("messenger picture not uploaded, sent by address", code=error.code, reason=error.reason)
        if picture.url is None:
            raise BadRequest("picture-refused", "picture too big")
        return {"url": picture.url}
