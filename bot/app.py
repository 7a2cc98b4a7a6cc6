"""The gateway: webhooks of platforms and utility, pictures and documents fetched from us, the console of the staff,
health and figures.
"""

from flask import Flask, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge

from bot.clock import Clock, system_clock
from bot.console.site import add_console
from bot.media import media_blueprint
from bot.metrics import WEBHOOK_REFUSED, exposition
from bot.own_data import own_data_blueprint
from bot.settings import Settings
from bot.store.database import Database
from bot.webhooks.changes import changes_blueprint
from bot.webhooks.data_deletion import data_deletion_blueprint
from bot.webhooks.intake import MAX_BODY_BYTES
from bot.webhooks.messenger import messenger_blueprint
from bot.webhooks.zalo import zalo_blueprint


def create_app(settings: Settings, database: Database, *, clock: Clock | None = None) -> Flask:
    """The WSGI application; a channel without settings has no webhook, and neither has the utility without a secret."""
    app = Flask("trolydien")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    clock = clock or system_clock(settings.trolydien_now)
    if settings.zalo:
        app.register_blueprint(zalo_blueprint(settings.zalo, database, clock))
    if settings.messenger:
        app.register_blueprint(messenger_blueprint(settings.messenger, database, clock))
        app.register_blueprint(data_deletion_blueprint(settings.messenger, database, clock, settings.public_url))
    if settings.changes_secret:
        app.register_blueprint(changes_blueprint(settings.changes_secret.get_secret_value(), database, clock))
    app.register_blueprint(media_blueprint(settings, database, clock))
    app.register_blueprint(own_data_blueprint(settings, database, clock))

    add_console(app, settings, database, clock)

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_error: RequestEntityTooLarge) -> Response:
        WEBHOOK_REFUSED.labels("any", "too_large").inc()
        return Response(status=413)

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        """Ready when the database answers and has our tables."""
        try:
            with database.begin() as session:
                session.execute(text("SELECT 1 FROM inbound_event LIMIT 1"))
        except SQLAlchemyError:
            return Response("the database does not answer, or is not migrated\n", 503, mimetype="text/plain")
        return Response("ready\n", mimetype="text/plain")

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(exposition(), mimetype="text/plain; version=0.0.4")

    return app
