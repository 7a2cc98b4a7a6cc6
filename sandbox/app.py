"""The sandbox: Zalo, Messenger and the utility's systems in one Flask app, with a chat page to talk to the product.

Mounted: `/` and `/chat` (pages), `/zalo`, `/messenger` (platforms), `/control/zalo`, `/control/messenger` (tests).
"""

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from bot.clock import system_clock
from sandbox.emulator.clock import MovableClock
from sandbox.emulator.timers import Timers
from sandbox.messenger.control import control_blueprint as messenger_control
from sandbox.messenger.emulator import MessengerEmulator
from sandbox.settings import SandboxSettings
from sandbox.zalo.control import control_blueprint as zalo_control
from sandbox.zalo.emulator import ZaloEmulator

MAX_UPLOAD = 30 * 1024 * 1024


class Sandbox:
    """Everything outside the product, in memory. `now` replaces the machine's clock."""

    def __init__(self, settings: SandboxSettings, *, now: Callable[[], datetime] | None = None) -> None:
        self.settings = settings
        self.now = now or system_clock(settings.trolydien_now)
        self._timers = Timers()
        self.zalo = ZaloEmulator(settings, MovableClock(self.now), self._timers)
        self.messenger = MessengerEmulator(settings, MovableClock(self.now), self._timers)

    def app(self) -> Flask:
        app = Flask("sandbox")
        app.config["MAX_CONTENT_LENGTH"] = MAX_UPLOAD
        if isinstance(app.json, DefaultJSONProvider):
            app.json.ensure_ascii = False
            app.json.sort_keys = False
        app.register_blueprint(self.zalo.blueprint(), url_prefix="/zalo")
        app.register_blueprint(zalo_control(self.zalo), url_prefix="/control/zalo")
        app.register_blueprint(self.messenger.blueprint(), url_prefix="/messenger")
        app.register_blueprint(messenger_control(self.messenger), url_prefix="/control/messenger")

        @app.get("/healthz")
        def healthz() -> dict[str, str]:
            return {"status": "ok"}

        return app

    def close(self) -> None:
        """Let hanging calls answer and stop the threads."""
        self._timers.close()
        self.zalo.close()
        self.messenger.close()
