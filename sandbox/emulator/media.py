"""Files of an emulated platform: what customers send and what the product uploads. In memory, like all state."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5


@dataclass(frozen=True)
class StoredFile:
    id: str
    content: bytes
    content_type: str
    name: str
    at: datetime

    @property
    def checksum(self) -> str:
        return md5(self.content, usedforsecurity=False).hexdigest()


class MediaStore:
    """Files by id; the oldest are dropped beyond `keep`."""

    def __init__(self, now: Callable[[], datetime], *, keep: int = 2000) -> None:
        self._now = now
        self._keep = keep
        self._files: dict[str, StoredFile] = {}
        self._lock = threading.Lock()

    def add(self, content: bytes, content_type: str, name: str) -> StoredFile:
        file = StoredFile(secrets.token_urlsafe(24), content, content_type, name, self._now())
        with self._lock:
            self._files[file.id] = file
            while len(self._files) > self._keep:
                del self._files[next(iter(self._files))]
        return file

    def get(self, file_id: str) -> StoredFile | None:
        with self._lock:
            return self._files.get(file_id)
