"""Uploads of pictures, gifs and files, good for seven days (zalo.md §4)."""

from dataclasses import dataclass

from flask import Blueprint, Response, request

from sandbox.zalo.answers import answer
from sandbox.zalo.errors import ZaloError, success
from sandbox.zalo.state import ZaloState

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limit:
    max_bytes: int
    types: dict[str, bytes]
    """Extension → first bytes of such a file (empty: any)."""


LIMITS = {
    "image": Limit(MEGABYTE, {"jpg": b"\xff\xd8", "jpeg": b"\xff\xd8", "png": b"\x89PNG"}),
    "gif": Limit(5 * MEGABYTE, {"gif": b"GIF8"}),
    "file": Limit(5 * MEGABYTE, {"pdf": b"%PDF", "doc": b"", "docx": b"PK", "csv": b""}),
}


def upload_routes(pages: Blueprint, state: ZaloState) -> None:
    """Adds `/v2.0/oa/upload/{image,gif,file}` to the blueprint of `openapi.zalo.me`."""

    @pages.post("/v2.0/oa/upload/<any(image, gif, file):kind>")
    def upload(kind: str) -> Response:
        return answer(state, "upload", lambda: store(kind))

    def store(kind: str) -> Response:
        given = request.files.get("file")
        if given is None:
            raise ZaloError(-201, "file is invalid")
        content, limit = given.stream.read(), LIMITS[kind]
        if len(content) > limit.max_bytes:
            raise ZaloError(-210, f"file exceeds the limit of {limit.max_bytes // MEGABYTE} MB")
        name = given.filename or ""
        extension = name.rpartition(".")[2].lower()
        if extension not in limit.types:
            return success({})
        if not content.startswith(limit.types[extension]) or not content:
            raise ZaloError(-201, "file is invalid")
        asset = state.add_asset(kind, state.media.add(content, given.mimetype, name.replace("/", "_")))
        return success({"token" if kind == "file" else "attachment_id": asset.id})
