"""What Zalo's error codes mean for us, per host (zalo.md §1.4, §7.1, §7.2): the same code means different things."""

import random
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.channels.outcomes import (
    Hold,
    Scope,
    SendError,
    Verdict,
    bad_request,
    reauthorise,
    recipient_gone,
    retry,
    seconds,
    slow_down,
    window_closed,
)

ZALO_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""Zalo's own hours and days (zalo.md §3.2, §6.3), wherever the product runs."""

NIGHT_ENDS = timedelta(hours=6, minutes=5)
SPREAD = timedelta(minutes=10)


def next_minute(now: datetime) -> timedelta:
    """Until the next minute starts, and a little longer so that not all come at once."""
    return timedelta(seconds=60 - now.second + random.uniform(0, 5))  # noqa: S311


def morning(now: datetime) -> timedelta:
    """Until 06:05 in Vietnam, spread over ten minutes."""
    midnight = _midnight(now)
    opens = midnight + NIGHT_ENDS
    if opens <= now.astimezone(ZALO_ZONE):
        opens += timedelta(days=1)
    return opens - now + _jitter()


def tomorrow(now: datetime) -> timedelta:
    """Until the next day in Vietnam, past the hours at which nothing may be sent."""
    return _midnight(now) + timedelta(days=1) + NIGHT_ENDS - now + _jitter()


def next_month(now: datetime) -> timedelta:
    first = (_midnight(now).replace(day=1) + timedelta(days=32)).replace(day=1)
    return first + NIGHT_ENDS - now + _jitter()


def _midnight(now: datetime) -> datetime:
    return now.astimezone(ZALO_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


def _jitter() -> timedelta:
    return SPREAD * random.random()  # noqa: S311


_SOON: Hold = seconds(5)
_LATER: Hold = seconds(60)
_HOURLY: Hold = seconds(3600)

TOKEN_REFUSED_OPENAPI = frozenset({-216, -220, 216, 401, -401})
TOKEN_REFUSED_BUSINESS = frozenset({-124})
"""Codes after which the access token is renewed once and the call made once more (zalo.md §1.3)."""

RIGHTS_TO_A_CALL = frozenset({"-212", "-223", "-224", "-235"})
"""The token is good, and may not be used for this call."""

ATTACHMENT_EXPIRED = -100
BUTTONS_REFUSED = frozenset({-201, -233})

_TOKEN = dict.fromkeys(TOKEN_REFUSED_OPENAPI, reauthorise("access token refused"))

OPENAPI: dict[int, Verdict] = _TOKEN | {
    -32: slow_down("over the requests a minute", next_minute),
    ATTACHMENT_EXPIRED: bad_request("attachment expired"),
    -200: retry("send failed", _SOON, max_attempts=2),
    -201: bad_request("parameter invalid"),
    -204: reauthorise("OA disabled or deleted"),
    -205: reauthorise("OA does not exist"),
    -209: reauthorise("app not activated"),
    -210: bad_request("parameter over its limit"),
    -211: slow_down("out of quota", tomorrow, scope=Scope.KIND, alert=True),
    -212: reauthorise("API not registered"),
    -213: recipient_gone("does not follow the OA"),
    -214: retry("article being processed", _LATER),
    -217: recipient_gone("blocked invitations"),
    -218: slow_down("this person's quota is used up", tomorrow, scope=Scope.RECIPIENT),
    -219: reauthorise("app removed or disabled"),
    -221: reauthorise("OA not verified"),
    -223: reauthorise("OA has not granted this API"),
    -224: reauthorise("OA package too low"),
    -227: recipient_gone("banned, or long offline"),
    -230: window_closed("no interaction in 7 days"),
    -232: window_closed("no interaction, or it expired"),
    -233: bad_request("message type not supported"),
    -234: slow_down("not at night", morning, scope=Scope.KIND),
    -235: reauthorise("API not for this type of OA"),
    -237: reauthorise("group disabled", scope=Scope.KIND),
    -238: reauthorise("asset used or disabled", scope=Scope.KIND),
    -240: bad_request("API version shut down", alert=True),
    -241: reauthorise("asset used", scope=Scope.KIND),
    -242: reauthorise("appsecret_proof wrong or missing"),
    -244: recipient_gone("restricted this message type", scope=Scope.KIND),
    -248: bad_request("against the platform's standards", alert=True),
    -249: bad_request("template cannot go by UID", alert=True),
    -320: reauthorise("no Zalo Cloud account linked", scope=Scope.KIND),
    -321: slow_down("Zalo Cloud account out of money", _HOURLY, scope=Scope.KIND, alert=True),
    -403: reauthorise("OA not in the group", scope=Scope.KIND),
    -1340: bad_request("ads form not found"),
    -1341: bad_request("ads form not accessible"),
}

_KEYS = reauthorise("problem with the RSA or E2EE key", scope=Scope.KIND)
_TEMPLATE_DATA = bad_request("template data refused")
_BUTTON = bad_request("template button or text refused")
_NO_PERMISSION = reauthorise("OA or app lacks the permission")
_BODY = bad_request("request body refused")
_JOURNEY = bad_request("journey token refused")
_UPLOAD = bad_request("upload refused")

BUSINESS: dict[int, Verdict] = {
    -100: retry("unknown error of the platform", _LATER),
    -101: reauthorise("app invalid"),
    -102: reauthorise("app missing"),
    -103: reauthorise("app inactive"),
    -104: reauthorise("app secret wrong"),
    -105: reauthorise("app not linked to the OA"),
    -106: bad_request("method not supported"),
    -107: bad_request("message id invalid"),
    -108: recipient_gone("phone number invalid"),
    -109: bad_request("template id invalid", alert=True),
    -1091: bad_request("template not editable"),
    -110: recipient_gone("Zalo version too old"),
    -111: _TEMPLATE_DATA,
    -112: _TEMPLATE_DATA,
    -1121: _TEMPLATE_DATA,
    -1122: _TEMPLATE_DATA,
    -1123: _TEMPLATE_DATA,
    -1124: _TEMPLATE_DATA,
    -113: _BUTTON,
    -1131: _BUTTON,
    -116: _BUTTON,
    -114: recipient_gone("inactive, refused or on an old app"),
    -115: slow_down("out of quota or balance", _HOURLY, scope=Scope.KIND, alert=True),
    -117: reauthorise("no right to this template", scope=Scope.KIND),
    -118: recipient_gone("no Zalo account"),
    -119: recipient_gone("cannot receive"),
    -120: _NO_PERMISSION,
    -1201: _NO_PERMISSION,
    -1202: _NO_PERMISSION,
    -138: _NO_PERMISSION,
    -1381: _NO_PERMISSION,
    -121: _BODY,
    -122: _BODY,
    -130: _BODY,
    -132: _BODY,
    -153: _BODY,
    -123: _KEYS,
    -128: _KEYS,
    -129: _KEYS,
    -142: _KEYS,
    -143: _KEYS,
    -151: _KEYS,
    -152: _KEYS,
    -124: reauthorise("access token refused"),
    -1241: reauthorise("appsecret_proof wrong"),
    -125: reauthorise("OA id invalid"),
    -126: slow_down("development wallet empty", _HOURLY, scope=Scope.KIND, alert=True),
    -127: bad_request("test messages go to administrators only"),
    -131: reauthorise("template not approved", scope=Scope.KIND),
    -133: slow_down("template not at night", morning, scope=Scope.KIND),
    -134: recipient_gone("did not opt in", scope=Scope.KIND),
    -135: reauthorise("OA may not send templates", scope=Scope.KIND),
    -1351: reauthorise("OA blocked for a violation", scope=Scope.KIND),
    -136: reauthorise("Zalo Cloud account must be linked", scope=Scope.KIND),
    -137: slow_down("Zalo Cloud account could not be charged", _HOURLY, scope=Scope.KIND, alert=True),
    -139: recipient_gone("refused this type of message", scope=Scope.KIND),
    -140: recipient_gone("not eligible for this message", scope=Scope.KIND),
    -141: recipient_gone("refused this OA"),
    -144: slow_down("the OA's daily quota is used up", tomorrow, scope=Scope.KIND, alert=True),
    -1441: slow_down("the month's promotion quota is used up", next_month, scope=Scope.KIND, alert=True),
    -145: reauthorise("content type not allowed", scope=Scope.KIND),
    -146: reauthorise("template disabled for its quality", scope=Scope.KIND),
    -147: slow_down("the template's daily quota is used up", tomorrow, scope=Scope.KIND, alert=True),
    -1471: slow_down("this person's monthly cap", next_month, scope=Scope.MESSAGE),
    -1472: slow_down("this person's daily cap", tomorrow, scope=Scope.MESSAGE),
    -148: _JOURNEY,
    -149: _JOURNEY,
    -1491: _JOURNEY,
    -150: _JOURNEY,
    -158: _UPLOAD,
    -159: _UPLOAD,
    -160: slow_down("the day's uploads are used up", tomorrow, scope=Scope.KIND),
    -161: bad_request("sending_mode wrong"),
    -162: bad_request("sending_mode not for this template"),
}

_CONSENT = reauthorise("refresh token refused: an administrator of the OA must consent again")

REFRESH_TOKEN_DEAD = frozenset({-14014, -14005, -118})
"""Codes of the token endpoint after which only a new consent helps (zalo.md §1.4)."""

OAUTH: dict[int, Verdict] = dict.fromkeys(REFRESH_TOKEN_DEAD, _CONSENT) | {
    -14002: reauthorise("app id invalid or app not active"),
    -14003: reauthorise("callback address wrong"),
    -14029: reauthorise("app not approved"),
}

_UNKNOWN = bad_request("unknown code", alert=True)
_UNKNOWN_OAUTH = reauthorise("unknown code of the token endpoint")


UNREADABLE = 1


def error_code(body: dict[str, Any]) -> int:
    """The `error` of an answer: 0 for success or none, `UNREADABLE` for what is no number."""
    try:
        return int(body.get("error") or 0)
    except (TypeError, ValueError):
        return UNREADABLE


def openapi_error(code: int, now: datetime) -> SendError:
    return OPENAPI.get(code, _UNKNOWN)(str(code), now)


def business_error(code: int, now: datetime) -> SendError:
    return BUSINESS.get(code, _UNKNOWN)(str(code), now)


def oauth_error(code: int, now: datetime) -> SendError:
    return OAUTH.get(code, _UNKNOWN_OAUTH)(str(code), now)
