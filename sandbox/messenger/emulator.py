"""The emulator put together: its parts, and the blueprints under `/messenger` and `/control/messenger`."""

import hmac
from hashlib import sha256

from flask import Blueprint, Response, g, request

from sandbox.emulator.clock import MovableClock
from sandbox.emulator.timers import Timers
from sandbox.messenger.errors import GraphError, failure
from sandbox.messenger.page import person_routes, profile_routes, subscription_routes, thread_routes
from sandbox.messenger.people import People
from sandbox.messenger.send import SendApi, send_routes
from sandbox.messenger.state import MessengerState
from sandbox.messenger.templates import TemplateDesk, template_routes
from sandbox.messenger.webhooks import MessengerWebhooks
from sandbox.settings import SandboxSettings


def appsecret_proof(token: str, app_secret: str) -> str:
    """Lowercase hex HMAC-SHA256 of the token with the app secret (messenger.md §1)."""
    return hmac.digest(app_secret.encode(), token.encode(), sha256).hex()


class MessengerEmulator:
    """One Page with its people."""

    def __init__(self, settings: SandboxSettings, clock: MovableClock, timers: Timers) -> None:
        self.clock = clock
        self.state = MessengerState(settings, clock)
        self.webhooks = MessengerWebhooks(self.state, timers)
        self.people = People(self.state, self.webhooks)
        self.templates = TemplateDesk(self.state, self.webhooks)
        self.send_api = SendApi(self.state, self.webhooks, self.people, self.templates)

    def blueprint(self) -> Blueprint:
        """The Graph API under any version (`/v25.0`), and the files that people sent."""
        pages = Blueprint("messenger", __name__)
        pages.register_blueprint(self._graph(), url_prefix="/<version>")

        @pages.get("/media/<file_id>/<name>")
        def media(file_id: str, name: str) -> Response:
            file = self.state.media.get(file_id)
            if file is None or file.name != name:
                return Response(status=404)
            return Response(file.content, content_type=file.content_type)

        return pages

    def close(self) -> None:
        self.state.faults.clear()
        self.webhooks.sender.close()

    def _graph(self) -> Blueprint:
        pages = Blueprint("messenger_graph", __name__)

        @pages.url_value_preprocessor
        def take_off_path(_: str | None, values: dict[str, str] | None) -> None:
            """The version, as an old one is served by a newer (messenger.md §1), and the one Page."""
            if values is not None:
                del values["version"]
                g.page = values.pop("page", None)

        @pages.before_request
        def check_caller() -> None:
            self._check_token()
            if g.page not in {None, "me", self.state.settings.messenger_page_id}:
                raise GraphError(100, 33, f"(#100) Object with ID '{g.page}' does not exist or cannot be loaded")

        @pages.errorhandler(GraphError)
        def on_error(error: GraphError) -> Response:
            return failure(error)

        send_routes(pages, self.state, self.send_api)
        template_routes(pages, self.templates)
        profile_routes(pages, self.state)
        subscription_routes(pages, self.state, self.webhooks)
        thread_routes(pages, self.state)
        person_routes(pages, self.state)
        return pages

    def _check_token(self) -> None:
        """Page token in the query or as Bearer, and its proof where one is given or required."""
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = request.args.get("access_token") or bearer or request.form.get("access_token", "")
        if self.state.token_error:
            raise GraphError(*self.state.token_error)
        if not hmac.compare_digest(token.encode(), self.state.page_token.encode()):
            raise GraphError(190)
        proof = request.args.get("appsecret_proof")
        if proof is None and not self.state.options.require_proof:
            return
        expected = appsecret_proof(token, self.state.settings.messenger_app_secret)
        if not hmac.compare_digest((proof or "").encode(), expected.encode()):
            raise GraphError(100, None, "Invalid appsecret_proof provided in the API argument")
