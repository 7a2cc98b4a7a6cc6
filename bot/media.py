"""What lies under `/media/`: pictures made for a contact, and documents fetched from the backend as they are opened."""

from threading import BoundedSemaphore

from flask import Blueprint, Response
from itsdangerous import BadData, URLSafeTimedSerializer
from markupsafe import escape

from actions.backends.billing import BillingClient
from actions.backends.errors import BackendDown, BackendError, NotFound
from actions.backends.http import BackendFile
from actions.backends.service import ServiceClient
from actions.desk import document_links, load_company
from actions.documents import Document, DocumentExpired, DocumentKind, NotADocument
from bot.clock import Clock
from bot.dialogue.replies import ReplyBook
from bot.logs import get_logger
from bot.pipeline.assembly import DATA
from bot.pipeline.sending import MEDIA_SALT
from bot.pipeline.turns import MEDIA_LIFETIME
from bot.settings import Settings
from bot.store import conversations
from bot.store.database import Database
from bot.store.models import Media

AT_A_TIME = 3
"""Documents that one process fetches at once: a slow backend must leave threads for the webhooks."""
PAGE = (
    '<!doctype html><html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title>"
    '<body style="font:1.2rem/1.5 sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem"><p>{text}</p>'
)
KEPT_NOWHERE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}

log = get_logger(__name__)


class Documents:
    """Fetches documents of linked accounts. Keeps nothing."""

    def __init__(self, settings: Settings, database: Database) -> None:
        token = settings.backend_token.get_secret_value()
        self._billing = BillingClient(settings.billing_url, token)
        self._service = ServiceClient(settings.service_url, token)
        self._database = database
        self._free = BoundedSemaphore(AT_A_TIME)

    def fetch(self, document: Document) -> BackendFile | None:
        """The file, or None when its account is no longer linked. Raises BackendError."""
        with self._database.begin() as session:
            code = conversations.live_code(session, document.link_id)
        if code is None:
            return None
        if not self._free.acquire(blocking=False):
            raise BackendDown(document.kind, "too many documents at once", transient=False)
        try:
            match document.kind:
                case DocumentKind.CONTRACT_PDF:
                    return self._service.contract_file(code)
                case DocumentKind.INVOICE_PDF:
                    return self._billing.invoice_file(code, document.document_id, "pdf")
                case DocumentKind.INVOICE_XML:
                    return self._billing.invoice_file(code, document.document_id, "xml")
        finally:
            self._free.release()


def media_blueprint(settings: Settings, database: Database, clock: Clock) -> Blueprint:
    """`/media/<token>`, where the token is that of a document or of a picture."""
    blueprint = Blueprint("media", __name__)
    pictures = URLSafeTimedSerializer(settings.secret_key.get_secret_value(), salt=MEDIA_SALT)
    company = load_company(DATA)
    links = document_links(settings, company)
    documents = Documents(settings, database)
    book = ReplyBook(DATA / "replies", settings.zone, company.model_dump())

    def page(status: int, text: str) -> Response:
        shown = PAGE.format(title=escape(company.short_name), text=escape(text))
        return Response(shown, status, headers=KEPT_NOWHERE, content_type="text/html; charset=utf-8")

    def picture(token: str) -> Response:
        try:
            media_id = pictures.loads(token, max_age=int(MEDIA_LIFETIME.total_seconds()))
        except BadData:
            return page(404, book.render("document.unknown")[0])
        with database.begin() as session:
            found = session.get(Media, media_id)
        if found is None:
            return page(404, book.render("document.unknown")[0])
        return Response(found.body, mimetype=found.content_type, headers=KEPT_NOWHERE)

    @blueprint.get("/media/<token>")
    def media(token: str) -> Response:
        try:
            document = links.read(token, clock())
            file = documents.fetch(document)
        except NotADocument:
            return picture(token)
        except DocumentExpired:
            return page(410, book.render("document.expired")[0])
        except NotFound:
            return page(404, book.render("document.missing")[0])
        except BackendError as error:
            log.warning("a document could not be fetched", operation=error.operation, reason=error.reason)
            return page(503, book.render("document.later")[0])
        if file is None:
            return page(410, book.render("document.expired")[0])
        headers = {
            **KEPT_NOWHERE,
            "Content-Disposition": f'attachment; filename="{document.file_name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Referrer-Policy": "no-referrer",
        }
        return Response(file.content, content_type=document.kind.content_type, headers=headers)

    return blueprint
