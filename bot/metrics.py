"""What the product counts about itself. No label ever holds a person, a code or a text.

With PROMETHEUS_MULTIPROC_DIR set (bot.cli does) all processes on a machine count into one folder, so that the
gateway's /metrics shows the worker's and the clock's figures too.
"""

import os

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

WEBHOOK_EVENTS = Counter("webhook_events_total", "Events accepted, by channel and event", ["channel", "event"])
WEBHOOK_DUPLICATES = Counter("webhook_duplicates_total", "Events that had come before", ["channel"])
WEBHOOK_REFUSED = Counter("webhook_refused_total", "Requests refused, by channel and reason", ["channel", "reason"])
WEBHOOK_SECONDS = Histogram(
    "webhook_seconds",
    "Time to the acknowledgement of a webhook",
    ["channel"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2),
)
UNKNOWN_EVENTS = Counter("webhook_unknown_events_total", "Events of no known kind, stored only", ["channel"])
TURNS = Counter("turns_total", "Customer messages answered, by channel and what handled them", ["channel", "handler"])
TURN_SECONDS = Histogram(
    "turn_seconds",
    "From the event's arrival to the reply handed to sending",
    ["channel"],
    buckets=(0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 15, 60),
)
NLU_FAILURES = Counter("nlu_failures_total", "Messages that could not be understood for lack of the NLU")
PARKED_EVENTS = Counter("parked_events_total", "Events given up after all retries", ["channel"])
DELIVERIES = Counter("deliveries_total", "Send attempts by channel and outcome", ["channel", "outcome"])
DELIVERY_SECONDS = Histogram(
    "delivery_seconds",
    "From planned to accepted by the provider",
    ["channel", "lane"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120, 600),
)
NOTICES_PAUSED = Counter("notices_paused_total", "Notices paused by the product itself, for people to look at")
SUSPECTED_OUTAGES = Counter("suspected_outages_total", "Areas from which many customers at once reported no power")
FEED_FAILING = Gauge(
    "feed_failing", "1 while a change feed of the utility cannot be read", ["feed"], multiprocess_mode="mostrecent"
)
FEED_CHANGES = Counter("feed_changes_total", "Changes read from the utility's feeds, repeats too", ["feed"])
FEED_GAPS = Counter("feed_gaps_total", "Times that a feed no longer had what came after our cursor", ["feed"])
HANDOVERS_WAITING = Gauge(
    "handovers_waiting", "Conversations that wait for a person, by reason", ["reason"], multiprocess_mode="mostrecent"
)
RIGHTS_PRESSING = Gauge(
    "rights_requests_pressing",
    "Requests about one's own data that are due within a working day, or overdue",
    ["state"],
    multiprocess_mode="mostrecent",
)
TOKEN_ALERT = Gauge(
    "provider_needs_attention",
    "1 when a person must renew or repair a provider",
    ["provider"],
    multiprocess_mode="mostrecent",
)


def exposition() -> bytes:
    """All figures in the Prometheus text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
