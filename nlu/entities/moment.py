"""The local day of a message, from which "hôm nay" and "tháng trước" are counted."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def moment_of(message_time: str | None) -> date:
    """The local day of an ISO 8601 time (without offset: local time), or today.

    Raises:
        ValueError: when the text is no ISO 8601 time.
    """
    if message_time is None:
        return datetime.now(ZONE).date()
    moment = datetime.fromisoformat(message_time.replace("Z", "+00:00"))
    return moment.astimezone(ZONE).date() if moment.tzinfo else moment.date()
