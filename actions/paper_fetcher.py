"""Fetching photos and files of papers from where the platform keeps them.

Only from hosts of the platforms (setting ATTACHMENT_HOSTS), over HTTPS, without following redirects: an address comes
with a webhook, and must not lead anywhere else. On the sandbox, loopback is a platform's host too.
"""

import time
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import requests

from actions.backends.models import PaperType

FETCH_SECONDS: Final = 5.0
"""For one paper, from the first byte to the last."""
LARGEST: Final = 5 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_BEGINNINGS: Final[Mapping[bytes, PaperType]] = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"%PDF-": "application/pdf",
}


class PaperLost(Exception):
    """The paper could not be had; the text says why, without its address."""


class PaperFetcher:
    """`hosts` are domains whose subdomains count too; `loopback` only where nothing real is reached."""

    def __init__(self, hosts: Sequence[str], *, loopback: bool, seconds: float = FETCH_SECONDS) -> None:
        self._hosts = tuple(hosts)
        self._loopback = loopback
        self._seconds = seconds
        self._session = requests.Session()
        self._session.trust_env = False

    def fetch(self, url: str) -> tuple[bytes, PaperType]:
        """The content and its type, judged by its first bytes. Raises PaperLost."""
        if not self.may_fetch(url):
            raise PaperLost("not a platform's host")
        ends = time.monotonic() + self._seconds
        try:
            with self._session.get(
                url, timeout=(self._seconds / 2, self._seconds / 2), stream=True, allow_redirects=False
            ) as response:
                if response.status_code != requests.codes.ok:
                    raise PaperLost(f"status {response.status_code}")
                content = _body(response, ends)
        except requests.RequestException as error:
            raise PaperLost(type(error).__name__) from None
        kind = _type_of(content)
        if kind is None:
            raise PaperLost("neither a photo nor a PDF")
        return content, kind

    def may_fetch(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return False
        if self._loopback and parts.scheme == "http" and _is_loopback(host):
            return True
        known = any(host == domain or host.endswith(f".{domain}") for domain in self._hosts)
        return known and parts.scheme == "https" and port in {None, 443} and "@" not in parts.netloc


def _body(response: requests.Response, ends: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > LARGEST:
            raise PaperLost("too large")
        if time.monotonic() > ends:
            raise PaperLost("too slow")
    return bytes(body)


def _type_of(content: bytes) -> PaperType | None:
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in _BEGINNINGS.items() if content.startswith(beginning)), None)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
