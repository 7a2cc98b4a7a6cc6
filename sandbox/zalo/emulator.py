"""The emulator put together: its parts, and the blueprints under `/zalo` and `/control/zalo`."""

from flask import Blueprint, Response, request

from sandbox.emulator.clock import MovableClock
from sandbox.emulator.timers import Timers
from sandbox.settings import SandboxSettings
from sandbox.zalo.errors import ZaloError, failure
from sandbox.zalo.history import history_routes
from sandbox.zalo.messages import Messages, messages_routes
from sandbox.zalo.oauth import TokenOffice, oauth_blueprint
from sandbox.zalo.people import People
from sandbox.zalo.state import ZaloState
from sandbox.zalo.templates import TemplateDesk, business_blueprint, template_routes
from sandbox.zalo.uploads import upload_routes
from sandbox.zalo.users import user_routes
from sandbox.zalo.webhooks import ZaloWebhooks


class ZaloEmulator:
    """One Official Account with its people."""

    def __init__(self, settings: SandboxSettings, clock: MovableClock, timers: Timers) -> None:
        self.clock = clock
        self.state = ZaloState(settings, clock)
        self.webhooks = ZaloWebhooks(self.state, timers)
        self.people = People(self.state, self.webhooks)
        self.messages = Messages(self.state, self.webhooks, self.people)
        self.office = TokenOffice(self.state)
        self.desk = TemplateDesk(self.state, self.webhooks, self.people, self.messages)

    def blueprint(self) -> Blueprint:
        """Everything the product calls: `/oauth`, `/openapi`, `/business`; and the files that people sent."""
        pages = Blueprint("zalo", __name__)
        pages.register_blueprint(oauth_blueprint(self.state, self.office), url_prefix="/oauth")
        pages.register_blueprint(self._openapi(), url_prefix="/openapi")
        pages.register_blueprint(business_blueprint(self.desk, self.office), url_prefix="/business")

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

    def _openapi(self) -> Blueprint:
        pages = Blueprint("zalo_openapi", __name__)
        remaining = "sandbox.remaining_calls"

        @pages.before_request
        def check_caller() -> None:
            """Rate limit per app and minute (zalo.md §8), then the token, which counts only in the header."""
            within, request.environ[remaining] = self.state.rate.take()
            if not within:
                raise ZaloError(-32)
            self.office.check_access(request.headers.get("access_token"))

        @pages.after_request
        def rate_headers(response: Response) -> Response:
            response.headers["X-RateLimit-Limit"] = str(self.state.rate.limit)
            response.headers["X-RateLimit-Remain"] = str(request.environ.get(remaining, 0))
            return response

        @pages.errorhandler(ZaloError)
        def on_error(error: ZaloError) -> Response:
            return failure(error)

        messages_routes(pages, self.state, self.messages)
        template_routes(pages, self.desk)
        upload_routes(pages, self.state)
        user_routes(pages, self.state)
        history_routes(pages, self.state)
        return pages
