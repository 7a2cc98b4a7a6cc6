"""The understanding alone: start, memory, time of an answer, answers a second. No text comes twice."""

import json
from collections.abc import Iterator

from tests.load import client
from tests.load.report import Report, Row, percentile, spread
from tests.load.stack import Stack
from tests.load.traffic import post

SECTION = "Understanding (NLU), texts never repeated"
BAR_P95_SECONDS = 0.1
CLIENTS = 8
WARM_UP = 20


def measure(stack: Stack, report: Report, texts: Iterator[str], *, requests: int) -> None:
    """`requests` by one client, then as many by eight. Leaves the NLU running."""
    started = stack.start_nlu()
    _ask(stack, texts, WARM_UP, clients=1)
    one = _ask(stack, texts, requests, clients=1)
    many = _ask(stack, texts, requests, clients=CLIENTS)
    p95 = percentile(one.seconds, 0.95)
    report.add(
        SECTION,
        Row("start until it answers", f"{started:.1f} s"),
        Row("memory", f"{stack.rss_bytes('nlu') / 2**20:.0f} MiB"),
        Row("1 client: p50 / p95 / p99 / max", spread(one.seconds), "p95 ≤ 100 ms", p95 <= BAR_P95_SECONDS),
        Row("1 client: answers a second", f"{requests / one.took_seconds:.0f}"),
        Row(f"{CLIENTS} clients: answers a second", f"{requests / many.took_seconds:.0f}"),
        Row(f"{CLIENTS} clients: p50 / p95 / p99 / max", spread(many.seconds)),
        Row("errors", str(one.refused | many.refused or 0), "0", not one.refused and not many.refused),
    )


def _ask(stack: Stack, texts: Iterator[str], count: int, *, clients: int) -> client.Log:
    host, port = stack.settings.nlu_url.removeprefix("http://").split(":")
    bodies = [json.dumps({"text": next(texts)}).encode() for _ in range(count)]
    requests = [post(f"{host}:{port}", "/model/parse", body) for body in bodies]
    return client.run(host, int(port), client.Order(requests, clients=clients))
