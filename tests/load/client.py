"""The load generator: ready-made HTTP requests over kept-alive connections, in a process of its own.

`python -m tests.load.client HOST PORT` reads an `Order` (pickled) from stdin and writes a `Log` (pickled) to stdout.
The requests come as bytes, so that sending one costs this process next to nothing.
"""

import asyncio
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

CONNECTIONS = 16
"""Kept alive and used in turn, as a platform's several hosts would."""
MOST_CONNECTIONS = 128
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Order:
    """Open loop when `due` (seconds from the start) is given for each request, else `clients` in closed loop."""

    requests: Sequence[bytes]
    due: Sequence[float] = ()
    clients: int = 1


@dataclass
class Log:
    """Seconds from when a request was due (closed loop: was sent) to the end of its answer, and what went wrong.

    `refused` counts answers that were not 200 by status; 0 stands for a broken connection. `cpu_seconds` is what
    this process itself took, `late_seconds` the longest it was behind with sending.
    """

    seconds: list[float] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    took_seconds: float = 0.0
    cpu_seconds: float = 0.0
    late_seconds: float = 0.0

    def note(self, status: int, seconds: float) -> None:
        self.seconds.append(seconds)
        if status != 200:
            self.refused[status] = self.refused.get(status, 0) + 1


def run(host: str, port: int, order: Order) -> Log:
    """Carry out an order in another process. Raises subprocess.CalledProcessError."""
    command = [sys.executable, "-m", "tests.load.client", host, str(port)]
    done = subprocess.run(command, input=pickle.dumps(order), stdout=subprocess.PIPE, check=True)
    log: Log = pickle.loads(done.stdout)
    return log


class Connection(asyncio.Protocol):
    """One request at a time; `answer` is its status once the whole body is here."""

    def __init__(self) -> None:
        self.open = True
        self.answer: asyncio.Future[int] | None = None
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        assert self._transport
        self._received = b""
        self.answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(HEAD_END)
        if not found or not self.answer or self.answer.done():
            return
        lines = head.lower().split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
        if len(body) >= int(headers.get(b"content-length", 0)):
            self.open = headers.get(b"connection") != b"close"
            self.answer.set_result(int(lines[0].split()[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self.answer and not self.answer.done():
            self.answer.set_result(0)


class Pool:
    """Connections used in turn; more are opened while all are busy."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._idle: list[Connection] = []
        self._may_open = asyncio.Semaphore(MOST_CONNECTIONS)

    async def open(self, count: int) -> None:
        self._idle += [await self._connect() for _ in range(count)]

    async def ask(self, request: bytes) -> int:
        async with self._may_open:
            connection = self._take() or await self._connect()
            status = await connection.ask(request)
            if connection.open:
                self._idle.append(connection)
            return status

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop(0)
            if connection.open:
                return connection
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _transport, connection = await loop.create_connection(Connection, *self._address)
        return connection


async def _open_loop(pool: Pool, order: Order, log: Log) -> None:
    """Requests start when they are due, whether or not those before are answered."""
    await pool.open(CONNECTIONS)
    start = time.monotonic() + 0.1

    async def ask(request: bytes, due: float) -> None:
        try:
            status = await pool.ask(request)
        except OSError:
            status = 0
        log.note(status, time.monotonic() - due)

    under_way = set()
    for request, offset in zip(order.requests, order.due, strict=True):
        due = start + offset
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        log.late_seconds = max(log.late_seconds, time.monotonic() - due)
        task = asyncio.create_task(ask(request, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    log.took_seconds = time.monotonic() - start


async def _closed_loop(pool: Pool, order: Order, log: Log) -> None:
    """Each client sends its next request when its last is answered."""
    await pool.open(order.clients)
    left = iter(order.requests)
    start = time.monotonic()

    async def client() -> None:
        for request in left:
            began = time.monotonic()
            log.note(await pool.ask(request), time.monotonic() - began)

    await asyncio.gather(*(client() for _ in range(order.clients)))
    log.took_seconds = time.monotonic() - start


async def _carry_out(host: str, port: int, order: Order) -> Log:
    log = Log()
    await (_open_loop if order.due else _closed_loop)(Pool(host, port), order, log)
    log.cpu_seconds = time.process_time()
    return log


def _main() -> None:
    from tests.load import client  # noqa: PLC0415 (pickles name the module, not __main__)

    order = pickle.load(sys.stdin.buffer)
    log = asyncio.run(client._carry_out(sys.argv[1], int(sys.argv[2]), order))
    sys.stdout.buffer.write(pickle.dumps(log))


if __name__ == "__main__":
    _main()
