"""The reference backends over real HTTP, on a port of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread

from flask import Flask
from werkzeug.serving import make_server

from actions.backends import BillingClient, ServiceClient
from sandbox.backends import (
    Faults,
    billing_blueprint,
    control_blueprint,
    payments_blueprint,
    service_blueprint,
)
from sandbox.world import World, build_world

TOKEN = "t0ken-of-the-tests"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # Monday 10:00 in Thái Nguyên


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an app for a while; gives its base URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def backends_app(world: World, faults: Faults, token: str = TOKEN) -> Flask:
    app = Flask("backends")
    app.register_blueprint(billing_blueprint(world, token, faults), url_prefix="/billing")
    app.register_blueprint(service_blueprint(world, token, faults), url_prefix="/service")
    app.register_blueprint(payments_blueprint(world), url_prefix="/pay")
    app.register_blueprint(control_blueprint(faults, world), url_prefix="/control/backends")
    return app


@dataclass
class Backends:
    """The served backends and what is behind them."""

    url: str
    world: World
    faults: Faults
    billing: BillingClient
    service: ServiceClient


@contextmanager
def running() -> Iterator[Backends]:
    world, faults = build_world(1, lambda: NOW, customers=120), Faults()
    with serving(backends_app(world, faults)) as url:
        billing, service = BillingClient(f"{url}/billing", TOKEN), ServiceClient(f"{url}/service", TOKEN)
        yield Backends(url, world, faults, billing, service)
        faults.reset()
