"""The Zalo Official Account as a channel."""

from datetime import datetime, timedelta
from typing import ClassVar

from bot.channels.base import Limits, Picture, Template
from bot.channels.outcomes import BadRequest, Reauthorise, SendError, Sent, rights_concern_templates_only
from bot.channels.zalo import rendering
from bot.channels.zalo.api import EXTENSIONS, ZaloApi
from bot.channels.zalo.errors import ATTACHMENT_EXPIRED, BUTTONS_REFUSED, RIGHTS_TO_A_CALL
from bot.channels.zalo.tokens import ZaloTokens
from bot.logs import get_logger
from bot.messages import ChannelName, OutMessage
from bot.metrics import TOKEN_ALERT
from bot.settings import ZaloSettings

log = get_logger(__name__)

_BUTTONS_REFUSED = {str(code) for code in BUTTONS_REFUSED}


class ZaloChannel:
    """Sends through `api`, with the access token of `tokens`."""

    name: ClassVar[ChannelName] = ChannelName.ZALO
    limits: ClassVar[Limits] = rendering.LIMITS

    def __init__(self, settings: ZaloSettings, api: ZaloApi, tokens: ZaloTokens) -> None:
        self.api = api
        self.tokens = tokens
        self._oa_id = settings.oa_id
        self._window = timedelta(hours=settings.reply_window_hours)

    def render(self, message: OutMessage) -> list[OutMessage]:
        return rendering.render(message)

    def send(self, recipient: str, message: OutMessage, *, delivery_key: str, picture: Picture | None) -> Sent:  # noqa: ARG002 (Zalo carries no key of ours)
        if message.media_id is not None:
            return self._send_picture(recipient, message, picture)
        if message.buttons:
            return self._send_buttons(recipient, message)
        return self.api.send_cs(recipient, rendering.as_text(message))

    def send_template(self, recipient: str, template: Template, *, delivery_key: str) -> Sent:  # noqa: ARG002
        with rights_concern_templates_only(RIGHTS_TO_A_CALL):
            return self.api.send_template_to_user(recipient, template.name, dict(template.values))

    def window_ends(self, last_inbound_at: datetime | None) -> datetime | None:
        return last_inbound_at + self._window if last_inbound_at else None

    def reply_window(self, last_inbound_at: datetime | None, now: datetime) -> bool:
        ends = self.window_ends(last_inbound_at)
        return ends is not None and now < ends

    def show_typing(self, recipient: str) -> None:
        """Nothing: Zalo has no such call (zalo.md §3.1)."""

    def display_name(self, recipient: str) -> str | None:
        try:
            return self.api.user(recipient).display_name
        except SendError as error:
            log.info("zalo name not read", code=error.code, reason=error.reason)
            return None

    def keep_credentials(self) -> None:
        try:
            self.tokens.refresh_if_due()
        except SendError as error:
            log.warning("zalo token not renewed", code=error.code, reason=error.reason)
            if error.alert:
                TOKEN_ALERT.labels(self.name).set(1)
        else:
            TOKEN_ALERT.labels(self.name).set(0)

    def check(self) -> None:
        oa_id = self.api.oa().oa_id
        if oa_id != self._oa_id:
            raise Reauthorise("oa-id", "the token is for another OA than ZALO_OA_ID")

    def _send_buttons(self, recipient: str, message: OutMessage) -> Sent:
        """With buttons, or as a numbered list where `cs` refuses them (zalo.md §3.1)."""
        try:
            return self.api.send_cs(recipient, rendering.as_buttons(message))
        except BadRequest as error:
            if error.code not in _BUTTONS_REFUSED:
                raise
            log.warning("zalo buttons refused, sent as a numbered list", code=error.code)
        return self.api.send_cs(recipient, rendering.as_numbered_text(message))

    def _send_picture(self, recipient: str, message: OutMessage, picture: Picture | None) -> Sent:
        if picture is None:
            raise BadRequest("no-picture", "the picture is no longer kept")
        source = self._source(picture)
        try:
            return self.api.send_cs(recipient, rendering.as_picture(message, source))
        except BadRequest as error:
            if error.code != str(ATTACHMENT_EXPIRED):
                raise
        return self.api.send_cs(recipient, rendering.as_picture(message, self._source(picture)))

    def _source(self, picture: Picture) -> dict[str, str]:
        """Uploaded, or fetched by Zalo from our address when it cannot be uploaded."""
        fits = picture.content_type in EXTENSIONS and len(picture.content) <= self.limits.picture_bytes
        if fits:
            try:
                return {"attachment_id": self.api.upload_picture(picture.content, picture.content_type)}
            except Reauthorise:
                raise
            except SendError as error:
                if picture.url is None:
                    raise
                log.warning("zalo picture not uploaded, sent by address", code=error.code, reason=error.reason)
        if picture.url is None:
            raise BadRequest("picture-refused", "picture too big or of a type Zalo does not take")
        return {"url": picture.url}
