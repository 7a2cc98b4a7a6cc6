"""Addresses of documents (e-invoice, e-contract, the copy of one's own data): signed, and good for minutes only.

That of an e-invoice or e-contract names a link, not a customer code: whoever opens it gets the document of the code
that this link is still verified for. Nothing of it is kept here; the gateway fetches it from the backend when opened.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from itsdangerous import BadData, URLSafeSerializer

from bot.text import fold

SALT = "document"
COPY_SALT = "copy of one's own data"
Read = TypeVar("Read")


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


class CopyFormat(StrEnum):
    """How one's own data can be had: to read, or to take elsewhere."""

    PAGE = "page"
    JSON = "json"


class _SignedLinks:
    """Addresses that carry what they stand for, with the moment until which they are good."""

    def __init__(self, base: str, secret: str, salt: str, lifetime: timedelta) -> None:
        self._base = base
        self._serializer = URLSafeSerializer(secret, salt=salt)
        self.lifetime = lifetime

    @property
    def minutes(self) -> int:
        """How long an address is good, for the reply that gives it."""
        return int(self.lifetime.total_seconds() // 60)

    def _sign(self, content: list[Any], now: datetime) -> str:
        expires = int((now + self.lifetime).timestamp())
        return f"{self._base}/{self._serializer.dumps([*content, expires])}"

    def _read(self, token: str, now: datetime, make: Callable[..., Read]) -> Read:
        """What `make` makes of the signed content. Raises NotADocument, DocumentExpired."""
        try:
            *content, expires = self._serializer.loads(token)
            read = make(*content)
            until = datetime.fromtimestamp(expires, UTC)
        except (BadData, ValueError, TypeError) as error:
            raise NotADocument from error
        if now > until:
            raise DocumentExpired
        return read


class DocumentLinks(_SignedLinks):
    """Makes addresses of documents and reads them back."""

    def __init__(self, public_url: str, secret: str, lifetime: timedelta) -> None:
        super().__init__(f"{public_url}/media", secret, SALT, lifetime)

    def url(self, kind: DocumentKind, *, link_id: int, document_id: str = "", now: datetime) -> str:
        """An address that is good until `now` + lifetime."""
        return self._sign([kind.value, link_id, document_id], now)

    def read(self, token: str, now: datetime) -> Document:
        """Raises NotADocument, DocumentExpired."""
        return self._read(token, now, lambda kind, link_id, name: Document(DocumentKind(kind), int(link_id), str(name)))


class CopyLinks(_SignedLinks):
    """Makes addresses of the copy of a contact's own data and reads them back."""

    def __init__(self, public_url: str, secret: str, lifetime: timedelta) -> None:
        super().__init__(f"{public_url}/media/copy", secret, COPY_SALT, lifetime)

    def url(self, form: CopyFormat, *, contact_id: int, now: datetime) -> str:
        return self._sign([form.value, contact_id], now)

    def read(self, token: str, now: datetime) -> tuple[CopyFormat, int]:
        """Format and contact. Raises NotADocument, DocumentExpired."""
        return self._read(token, now, lambda form, contact_id: (CopyFormat(form), int(contact_id)))
