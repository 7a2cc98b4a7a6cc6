"""Each way of failing becomes its typed error, in bounded time, with nothing personal in it."""

import socket
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event, Thread

import pytest
import requests
from backend_serving import NOW, TOKEN, Backends, serving
from flask import Flask, Response, request

from actions.backends import BillingClient, ServiceClient
from actions.backends.breaker import Breaker
from actions.backends.errors import BackendDown, BackendError, BackendWrong, NotAllowed, NotFound, Rejected
from actions.backends.http import BackendHttp
from actions.backends.models import Case, Customer, OfficeList

HOA = "PA04DH0000123"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come true in time"
        Event().wait(0.01)


CALLS: list[Callable[[BillingClient, ServiceClient], object]] = [
    lambda billing, _: billing.customer(HOA),
    lambda billing, _: billing.debt(HOA),
    lambda billing, _: billing.payment_request(HOA, ["x"], idempotency_key="k"),
    lambda _, service: service.offices(),
    lambda _, service: service.outages(first=NOW, last=NOW),
    lambda _, service: service.send_sms(HOA, "x", idempotency_key="k"),
    lambda _, service: service.open_case(Case(kind="hazard", text="x"), idempotency_key="k"),
]


@pytest.mark.parametrize("call", CALLS)
def test_down(backends: Backends, call: Callable[[BillingClient, ServiceClient], object]) -> None:
    backends.faults.set(down=True)
    with within(4), pytest.raises(BackendDown):
        call(backends.billing, backends.service)


def test_hang_is_given_up_in_time(backends: Backends) -> None:
    backends.faults.set(hang=True)
    client = BillingClient(f"{backends.url}/billing", TOKEN, timeout=0.6)
    with within(3), pytest.raises(BackendDown, match="no answer in time"):
        client.customer(HOA)


def test_slow_answers_are_waited_for(backends: Backends) -> None:
    backends.faults.set(latency_ms=300)
    assert backends.billing.customer(HOA).code == HOA


def test_every_answer_failing(backends: Backends) -> None:
    backends.faults.set(error_rate=1)
    with pytest.raises(BackendDown, match="500"):
        backends.billing.customer(HOA)


def test_too_many_requests_is_not_pressed(backends: Backends) -> None:
    backends.faults.set(throttled=True)
    with pytest.raises(BackendDown, match="429"):
        backends.billing.customer(HOA)


def test_garbage(backends: Backends) -> None:
    backends.faults.set(garbage=True)
    with pytest.raises(BackendWrong):
        backends.billing.customer(HOA)


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with within(4), pytest.raises(BackendDown, match="no connection"):
        BillingClient(f"http://127.0.0.1:{port}", TOKEN).customer(HOA)


def test_recovers_without_being_made_anew(backends: Backends) -> None:
    backends.faults.set(down=True)
    with pytest.raises(BackendDown):
        backends.service.offices()
    backends.faults.reset()
    assert backends.service.offices().items


def test_a_lost_answer_is_fetched_again_and_the_effect_is_one(backends: Backends) -> None:
    backends.faults.set(lose_answers=1)
    backends.service.send_sms(HOA, "một lần", idempotency_key="s1")
    assert [sms.text for sms in backends.world.sms.messages("0912000001")] == ["một lần"]
    backends.faults.set(lose_answers=1)
    first = backends.service.open_case(Case(kind="hazard", text="x"), idempotency_key="c1")
    following = backends.service.open_case(Case(kind="hazard", text="y"), idempotency_key="c2")
    assert int(following.code[-6:]) == int(first.code[-6:]) + 1


def test_a_lost_answer_beyond_the_retries_is_down_yet_done_once(backends: Backends) -> None:
    backends.faults.set(lose_answers=3)
    with pytest.raises(BackendDown):
        backends.service.send_sms(HOA, "một lần", idempotency_key="s1")
    backends.service.send_sms(HOA, "một lần", idempotency_key="s1")
    assert len(backends.world.sms.messages("0912000001")) == 1


def test_the_same_key_at_the_same_moment(backends: Backends) -> None:
    together = Barrier(6)

    def send(_: int) -> None:
        together.wait(5)
        backends.service.send_sms(HOA, "một lần", idempotency_key="s1")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(send, range(6)))
    assert len(backends.world.sms.messages("0912000001")) == 1


def test_no_key_is_refused(backends: Backends) -> None:
    response = requests.post(
        f"{backends.url}/service/v1/customers/{HOA}/sms",
        json={"text": "x"},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=5,
    )
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_missing")


# --- A server that answers whatever a test wants -------------------------------------------------------------------


class Scripted:
    """Answers one after another, the last for ever; remembers what it was asked."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str | None]] = []
        self.app = Flask("scripted")
        self.app.add_url_rule("/<path:_>", view_func=self._answer, methods=["GET", "POST"])

    def _answer(self, _: str) -> Response:
        self.asked.append((request.method, request.headers.get("Idempotency-Key")))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def json(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="application/json")


ERROR = '{"code": "why", "message": "so"}'
OFFICES = '{"items": [], "as_of": "2026-11-23T03:00:00Z"}'


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json(ERROR, 401), NotAllowed),
        (Response("", 403), NotAllowed),
        (json(ERROR, 404), NotFound),
        (Response("<h1>Not Found</h1>", 404, content_type="text/html"), BackendWrong),
        (json('{"detail": "Not Found"}', 404), BackendWrong),
        (json(ERROR, 400), Rejected),
        (json(ERROR, 409), Rejected),
        (json(ERROR, 422), Rejected),
        (json("[]", 422), BackendWrong),
        (Response("", 302, {"Location": "https://example.vn"}), BackendWrong),
        (Response("", 408), BackendDown),
        (Response("", 429), BackendDown),
        (Response("", 500), BackendDown),
        (json(ERROR, 503), BackendDown),
        (json(""), BackendWrong),
        (json("null"), BackendWrong),
        (json('{"items": []}'), BackendWrong),
        (json('{"items": [], "as_of": "2026-11-23T03:00:00"}'), BackendWrong),
        (json('{"items": [{}], "as_of": "2026-11-23T03:00:00Z"}'), BackendWrong),
        (json(OFFICES[:-5]), BackendWrong),
        (Response(OFFICES, 200, content_type="text/html"), BackendWrong),
        (Response(b"\xff\xfe\x00", 200, content_type="application/json"), BackendWrong),
        (json('{"items": [], "as_of": "2026-11-23T03:00:00Z", "x": "' + "y" * 5_000_000 + '"}'), BackendWrong),
    ],
)
def test_each_answer_has_its_error(answer: Response, error: type[BackendError]) -> None:
    with serving(Scripted(answer).app) as url, pytest.raises(error) as raised:
        ServiceClient(url, TOKEN).offices()
    assert type(raised.value) is error
    assert raised.value.operation == "listOffices"


def test_a_good_answer_with_more_than_we_know() -> None:
    more = '{"items": [], "as_of": "2026-11-23T10:00:00+07:00", "new": {"field": 1}}'
    with serving(Scripted(json(more)).app) as url:
        assert ServiceClient(url, TOKEN).offices().as_of == NOW


def test_a_failure_is_retried_until_it_works() -> None:
    scripted = Scripted(Response("", 500), Response("", 502), json(OFFICES))
    with serving(scripted.app) as url:
        assert ServiceClient(url, TOKEN).offices().items == ()
    assert len(scripted.asked) == 3


def test_retries_are_bounded() -> None:
    scripted = Scripted(Response("", 500))
    with serving(scripted.app) as url, pytest.raises(BackendDown):
        ServiceClient(url, TOKEN).offices()
    assert len(scripted.asked) == 3


@pytest.mark.parametrize("status", [401, 404, 409, 422, 429])
def test_what_retrying_cannot_mend_is_asked_once(status: int) -> None:
    scripted = Scripted(json(ERROR, status))
    with serving(scripted.app) as url, pytest.raises(BackendError):
        ServiceClient(url, TOKEN).offices()
    assert len(scripted.asked) == 1


def test_unsafe_calls_keep_their_key_over_retries() -> None:
    scripted = Scripted(Response("", 500), Response("", 202))
    with serving(scripted.app) as url:
        ServiceClient(url, TOKEN).send_sms(HOA, "x", idempotency_key="the key")
    assert scripted.asked == [("POST", "the key"), ("POST", "the key")]


def test_an_answer_that_trickles_is_given_up() -> None:
    app, stop = Flask("trickle"), Event()

    @app.get("/<path:_>")
    def trickle(_: str) -> Response:
        def drops() -> Iterator[bytes]:
            while not stop.wait(0.05):
                yield b" "

        return Response(drops(), content_type="application/json")

    with serving(app) as url:
        try:
            with within(3), pytest.raises(BackendDown):
                ServiceClient(url, TOKEN, timeout=0.6).offices()
        finally:
            stop.set()


def test_a_listener_that_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        with within(3), pytest.raises(BackendDown):
            BillingClient(f"http://127.0.0.1:{silent.getsockname()[1]}", TOKEN, timeout=0.6).customer(HOA)


def test_a_connection_cut_in_the_middle() -> None:
    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen(8)

        def cut() -> None:
            for _ in range(3):
                connection, _address = rude.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
                    )

        thread = Thread(target=cut, daemon=True)
        thread.start()
        with within(4), pytest.raises(BackendDown):
            BillingClient(f"http://127.0.0.1:{rude.getsockname()[1]}", TOKEN).customer(HOA)
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "answer",
    [
        json('{"code": "PA04DH0000123", "name": "Ma Thị Hoa", "phone_masked": 5}'),
        json('{"code": "no", "message": "PA04DH0000123 of Ma Thị Hoa"}', 422),
        json('{"code": "no", "message": "PA04DH0000123"}', 404),
        Response("PA04DH0000123 Ma Thị Hoa", 500),
    ],
)
def test_no_error_tells_who(answer: Response) -> None:
    with serving(Scripted(answer).app) as url, pytest.raises(BackendError) as raised:
        BillingClient(url, TOKEN).customer(HOA)
    told = "".join(traceback.format_exception(raised.value))
    assert HOA not in told
    assert "Ma Thị Hoa" not in told


def test_no_error_of_the_network_tells_who() -> None:
    with pytest.raises(BackendDown) as raised:
        BillingClient("http://127.0.0.1:9", TOKEN, timeout=0.5).customer(HOA)
    assert HOA not in "".join(traceback.format_exception(raised.value))


# --- The circuit breaker ------------------------------------------------------------------------------------------


def http(url: str, breaker: Breaker) -> BackendHttp:
    return BackendHttp(url, TOKEN, timeout=1, breaker=breaker)


def ask(client: BackendHttp) -> OfficeList:
    return client.get("listOffices", "/v1/offices", OfficeList)


def test_the_breaker_opens_then_closes() -> None:
    scripted, breaker = Scripted(Response("", 500)), Breaker(failures=2, reset_seconds=0.3)
    with serving(scripted.app) as url:
        client = http(url, breaker)
        for _ in range(2):
            with pytest.raises(BackendDown, match="500"):
                ask(client)
        assert breaker.state == "open"
        asked = len(scripted.asked)
        with within(0.9), pytest.raises(BackendDown, match="circuit open"):
            ask(client)
        assert len(scripted.asked) == asked
        scripted.answers = [json(OFFICES)]

        def answered() -> bool:
            try:
                ask(client)
            except BackendDown:
                return False
            return True

        wait_until(answered)
        assert breaker.state == "closed"


def test_a_failed_trial_opens_it_again() -> None:
    scripted, breaker = Scripted(Response("", 500)), Breaker(failures=1, reset_seconds=0.2)
    with serving(scripted.app) as url:
        client = http(url, breaker)
        with pytest.raises(BackendDown):
            ask(client)
        asked = len(scripted.asked)

        def tried() -> bool:
            with pytest.raises(BackendDown):
                ask(client)
            return len(scripted.asked) > asked

        wait_until(tried)
        assert breaker.state == "open"


def test_refusals_are_no_failures_of_the_system() -> None:
    scripted, breaker = Scripted(json(ERROR, 404)), Breaker(failures=2)
    with serving(scripted.app) as url:
        client = http(url, breaker)
        for _ in range(6):
            with pytest.raises(NotFound):
                ask(client)
    assert breaker.state == "closed"


def test_a_slow_call_does_not_hold_up_the_others(backends: Backends) -> None:
    """Twelve calls of 0.3 s from twelve threads take about 0.3 s, not 3.6."""
    backends.faults.set(latency_ms=300)
    with within(3), ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: backends.billing.customer(HOA), range(12)))
    assert all(isinstance(answer, Customer) for answer in answers)


def test_only_one_call_tries_an_open_circuit() -> None:
    breaker, entered, leave = Breaker(failures=1, reset_seconds=0), Event(), Event()

    def fail() -> None:
        raise BackendDown("x", "down")

    with pytest.raises(BackendDown):
        breaker.call("x", fail)

    def trial() -> str:
        entered.set()
        leave.wait(5)
        return "tried"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(breaker.call, "x", trial)
        assert entered.wait(5)
        with pytest.raises(BackendDown, match="being tried"):
            breaker.call("x", trial)
        leave.set()
        assert first.result(5) == "tried"
    assert breaker.state == "closed"
