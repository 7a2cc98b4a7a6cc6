"""Intents that are understood and not yet served: the customer is told so, and where to turn (reply `not_yet`)."""

NOT_YET = frozenset(
    {
        "usage_alert",
        "service_new_supply",
        "service_capacity",
        "service_move_meter",
        "service_meter_check",
        "service_owner_change",
        "service_quota_change",
        "service_purpose_change",
        "service_info_change",
        "service_renew",
        "service_terminate",
        "service_reconnect",
        "service_list",
        "notice_subscribe",
        "notice_unsubscribe",
        "notice_settings",
    }
)
