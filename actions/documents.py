"""Addresses of documents (e-invoice, e-contract): signed, for one linked account, and good for minutes only.

The address names a link, not a customer code: whoever opens it gets the document of the code that this link is still
verified for. Nothing of the document is kept here; the gateway fetches it from the backend at that moment.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from itsdangerous import BadData, URLSafeSerializer

from bot.text import fold

SALT = "document"


class DocumentKind(StrEnum):
    """What can be fetched, by kind and format."""

    INVOICE_PDF = "invoice_pdf"
    INVOICE_XML = "invoice_xml"
    CONTRACT_PDF = "contract_pdf"

    @property
    def content_type(self) -> str:
        return "application/xml" if self is DocumentKind.INVOICE_XML else "application/pdf"


class NotADocument(Exception):
    """The token is not one of ours."""


class DocumentExpired(Exception):
    """The token was ours, and its time is over."""


@dataclass(frozen=True)
class Document:
    """What an address stands for; `document_id` is the backend's id, empty where the account has one such document."""

    kind: DocumentKind
    link_id: int
    document_id: str

    @property
    def file_name(self) -> str:
        """Plain ASCII, for every phone."""
        name = "hop-dong" if self.kind is DocumentKind.CONTRACT_PDF else f"hoa-don-{self.document_id}"
        plain = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:60]
        return f"{plain}.{self.kind.value.rsplit('_', 1)[1]}"


class DocumentLinks:
    """Makes addresses under `/media/` and reads them back."""

    def __init__(self, public_url: str, secret: str, lifetime: timedelta) -> None:
        self._public_url = public_url
        self._serializer = URLSafeSerializer(secret, salt=SALT)
        self.lifetime = lifetime

    @property
    def minutes(self) -> int:
        """How long an address is good, for the reply that gives it."""
        return int(self.lifetime.total_seconds() // 60)

    def url(self, kind: DocumentKind, *, link_id: int, document_id: str = "", now: datetime) -> str:
        """An address that is good until `now` + lifetime."""
        expires = int((now + self.lifetime).timestamp())
        return f"{self._public_url}/media/{self._serializer.dumps([kind.value, link_id, document_id, expires])}"

    def read(self, token: str, now: datetime) -> Document:
        """Raises NotADocument, DocumentExpired."""
        try:
            kind, link_id, document_id, expires = self._serializer.loads(token)
            document = Document(DocumentKind(kind), int(link_id), str(document_id))
            until = datetime.fromtimestamp(expires, UTC)
        except (BadData, ValueError, TypeError) as error:
            raise NotADocument from error
        if now > until:
            raise DocumentExpired
        return document
