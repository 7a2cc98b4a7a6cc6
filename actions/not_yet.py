"""Intents that are understood and not yet served: the customer is told so, and where to turn (reply `not_yet`)."""

NOT_YET = frozenset(
    {
        "usage_alert",
        "notice_subscribe",
        "notice_unsubscribe",
        "notice_settings",
    }
)
