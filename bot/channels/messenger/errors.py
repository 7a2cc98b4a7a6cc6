"""What Meta's error codes mean for us (messenger.md §7): the subcode decides, the code alone often misleads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.channels.outcomes import (
    Scope,
    SendError,
    Verdict,
    bad_request,
    outcome_unknown,
    reauthorise,
    recipient_gone,
    retry,
    seconds,
    slow_down,
    window_closed,
)

_MINUTES = seconds(5 * 60)
_HOUR = seconds(3600)
_DAY = seconds(24 * 3600)

_TEMPORARY = retry("temporary failure of the platform", seconds(3), max_attempts=4)
_QUOTA = slow_down("call limit reached", _MINUTES, alert=True)
_RATE = slow_down("rate limit reached", seconds(60))
_TOKEN = reauthorise("page token refused: a new one is needed")
_PERMISSION = reauthorise("app lacks a permission or is not live")
_WINDOW = window_closed("outside the allowed window")
_UNREACHABLE = recipient_gone("blocked the Page, or cannot receive")
_CADENCE = bad_request("too many messages of this kind to this person")
_RESTRICTED = reauthorise("the Page may not send: policy")
_MEDIA = retry("media could not be fetched", seconds(5), max_attempts=3)
_OTHER_OWNER = slow_down("another app owns the thread", _HOUR, scope=Scope.RECIPIENT)
_META_ANSWERS = slow_down("Meta's own flow is running", seconds(60), scope=Scope.RECIPIENT)
_NO_PROFILE = bad_request("no profile to read")
_TEMPLATE = bad_request("template refused")

RIGHTS_TO_A_CALL = frozenset({"3", "10", "200", "200/2018021", "200/2018027", "200/2018028"})
"""Where the app lacks a permission: the token is good, and may not be used for this call."""

BY_PAIR: dict[tuple[int, int], Verdict] = {
    (1, 1357046): outcome_unknown("answered with an error although it was sent"),
    (613, 2534040): _RATE,
    (613, 2018338): slow_down("abusive rate to this person", _DAY, scope=Scope.RECIPIENT, alert=True),
    (4, 2018354): _CADENCE,
    (9, 2018352): _CADENCE,
    (613, 1893016): _CADENCE,
    (200, 2018028): _PERMISSION,
    (200, 2018027): _PERMISSION,
    (200, 2018021): _PERMISSION,
    (10, 2018278): _WINDOW,
    (10, 2018065): _WINDOW,
    (10, 2534022): _WINDOW,
    (200, 1545041): _UNREACHABLE,
    (10, 2018108): _UNREACHABLE,
    (100, 2018001): recipient_gone("no such person for this Page"),
    (100, 33): bad_request("object missing or no permission", alert=True),
    (100, 2018008): _MEDIA,
    (100, 2018047): bad_request("media of another type than said"),
    (100, 2018074): bad_request("attachment id invalid"),
    (100, 2018109): bad_request("attachment too big"),
    (100, 2018014): bad_request("action and message in one call"),
    (10, 1893063): _RESTRICTED,
    (10, 1404170): _RESTRICTED,
    (10, 1893015): recipient_gone("stopped this topic", scope=Scope.KIND),
    (100, 2534037): _OTHER_OWNER,
}

EITHER: dict[int, Verdict] = {
    2018294: _MEDIA,
    2018300: _OTHER_OWNER,
    2018321: _META_ANSWERS,
    2018218: _NO_PROFILE,
    2018247: _NO_PROFILE,
    2018416: _TEMPLATE,
}
"""Numbers that Meta's pages give without saying whether they come as code or as subcode."""

WITHOUT_SUBCODE: dict[int, Verdict] = {
    1: _TEMPORARY,
    2: _TEMPORARY,
    3: _PERMISSION,
    10: _PERMISSION,
    200: _PERMISSION,
}
"""Only when no subcode came: with an unknown one these would hide what is really meant (messenger.md §11)."""

BY_CODE: dict[int, Verdict] = {
    4: _QUOTA,
    17: _QUOTA,
    32: _QUOTA,
    80006: _QUOTA,
    613: _RATE,
    190: _TOKEN,
    551: _UNREACHABLE,
    1545041: recipient_gone("person not available"),
    2022: _RESTRICTED,
    100: bad_request("invalid parameter"),
    10303: bad_request("account linking token invalid"),
}

_UNKNOWN = bad_request("unknown code", alert=True)
_NO_MATCHING_USER = "no matching user found"


@dataclass(frozen=True)
class GraphError:
    """The `error` object of an answer. `trace` is Meta's id of the failed call, for their support."""

    code: int
    subcode: int | None
    message: str
    trace: str | None

    @property
    def label(self) -> str:
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)

    def as_send_error(self, now: datetime) -> SendError:
        return self._verdict()(self.label, now)

    def _verdict(self) -> Verdict:
        if self.subcode and (self.code, self.subcode) in BY_PAIR:
            return BY_PAIR[self.code, self.subcode]
        if self.subcode in EITHER:
            return EITHER[self.subcode]
        if self.code in EITHER:
            return EITHER[self.code]
        if not self.subcode and self.code in WITHOUT_SUBCODE:
            return WITHOUT_SUBCODE[self.code]
        if self.code == 100 and _NO_MATCHING_USER in self.message.lower():
            return BY_PAIR[100, 2018001]
        return BY_CODE.get(self.code, _UNKNOWN)


def graph_error(body: dict[str, Any] | None) -> GraphError | None:
    """The error in an answer, None when there is none."""
    error = (body or {}).get("error")
    if not isinstance(error, dict):
        return None
    return GraphError(
        code=_int(error.get("code")) or 0,
        subcode=_int(error.get("error_subcode")),
        message=str(error.get("message") or ""),
        trace=str(error["fbtrace_id"]) if error.get("fbtrace_id") else None,
    )


def _int(value: object) -> int | None:
    try:
        return int(str(value)) or None
    except ValueError:
        return None
