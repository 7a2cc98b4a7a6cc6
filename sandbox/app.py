"""The sandbox: Zalo, Messenger and the utility's systems in one Flask app, with chat pages to talk to the product.

Mounted: `/`, `/chat`, `/world` (pages), `/zalo`, `/messenger` (platforms), `/billing`, `/service`, `/pay` (the
utility), `/control/zalo`, `/control/messenger`, `/control/backends` (for tests).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from bot.clock import system_clock
from sandbox.backends import Faults, billing_blueprint, payments_blueprint, service_blueprint
from sandbox.backends import control_blueprint as backends_control
from sandbox.chat.pages import chat_blueprint
from sandbox.chat.rooms import Visitor
from sandbox.chat.world import world_blueprint
from sandbox.emulator.clock import MovableClock
from sandbox.emulator.timers import Timers
from sandbox.messenger.control import control_blueprint as messenger_control
from sandbox.messenger.emulator import MessengerEmulator
from sandbox.messenger.state import psid_of
from sandbox.settings import SandboxSettings
from sandbox.world import Persona, build_world
from sandbox.zalo.control import control_blueprint as zalo_control
from sandbox.zalo.emulator import ZaloEmulator
from sandbox.zalo.state import user_id_of

MAX_UPLOAD = 30 * 1024 * 1024


class _Json(DefaultJSONProvider):
    """Keys in the order given, Vietnamese unescaped, times as ISO 8601."""

    ensure_ascii = False
    sort_keys = False

    @staticmethod
    def default(o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else DefaultJSONProvider.default(o)


class Sandbox:
    """Everything outside the product, in memory. `now` replaces the machine's clock."""

    def __init__(self, settings: SandboxSettings, *, now: Callable[[], datetime] | None = None) -> None:
        self.settings = settings
        self.now = now or system_clock(settings.trolydien_now)
        self._timers = Timers()
        self.zalo = ZaloEmulator(settings, MovableClock(self.now), self._timers)
        self.messenger = MessengerEmulator(settings, MovableClock(self.now), self._timers)
        self.world = build_world(settings.world_seed, self.now, public_url=settings.base_url)
        self.faults = Faults()
        self.visitors = [self._visitor(persona) for persona in self.world.personas]

    def app(self) -> Flask:
        app = Flask("sandbox", static_folder=None)
        app.config["MAX_CONTENT_LENGTH"] = MAX_UPLOAD
        app.json = _Json(app)
        token = self.settings.backend_token
        app.register_blueprint(self.zalo.blueprint(), url_prefix="/zalo")
        app.register_blueprint(self.messenger.blueprint(), url_prefix="/messenger")
        app.register_blueprint(billing_blueprint(self.world, token, self.faults), url_prefix="/billing")
        app.register_blueprint(service_blueprint(self.world, token, self.faults), url_prefix="/service")
        app.register_blueprint(payments_blueprint(self.world), url_prefix="/pay")
        app.register_blueprint(zalo_control(self.zalo), url_prefix="/control/zalo")
        app.register_blueprint(messenger_control(self.messenger), url_prefix="/control/messenger")
        app.register_blueprint(backends_control(self.faults, self.world), url_prefix="/control/backends")
        app.register_blueprint(world_blueprint(self.world, self.settings.company_name))
        app.register_blueprint(chat_blueprint(self.settings, self.visitors, self.world.sms, self.zalo, self.messenger))

        @app.get("/healthz")
        def healthz() -> dict[str, str]:
            return {"status": "ok"}

        return app

    def close(self) -> None:
        """Let hanging calls answer and stop the threads."""
        self._timers.close()
        self.zalo.close()
        self.messenger.close()

    def _visitor(self, persona: Persona) -> Visitor:
        """The persona's accounts on both platforms; they have not written yet."""
        user_id = user_id_of(self.settings.zalo_oa_id, persona.phone)
        psid = psid_of(self.settings.messenger_page_id, persona.phone)
        self.zalo.state.person(user_id, name=persona.name, phone=persona.phone)
        self.messenger.state.person(psid, name=persona.name, phone=persona.phone)
        return Visitor(persona, user_id, psid)
