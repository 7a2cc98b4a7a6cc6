"""Recent chats and their messages, for catching up after downtime (zalo.md §5.2)."""

import json
from typing import Any

from flask import Blueprint, Response

from sandbox.emulator.clock import epoch_ms
from sandbox.emulator.transcript import Entry
from sandbox.zalo.errors import success
from sandbox.zalo.state import ZaloState
from sandbox.zalo.users import integer, query

MAX_HISTORY = 10


def history_routes(pages: Blueprint, state: ZaloState) -> None:
    """Adds `/v2.0/oa/listrecentchat` and `/v2.0/oa/conversation` to the blueprint of `openapi.zalo.me`."""
    settings = state.settings

    @pages.get("/v2.0/oa/listrecentchat")
    def listrecentchat() -> Response:
        last = [state.transcript.of(user)[-1] for user in state.transcript.users()]
        return success([history(e) for e in page(last)])

    @pages.get("/v2.0/oa/conversation")
    def conversation() -> Response:
        entries = state.transcript.of(str(query().get("user_id")))
        return success([history(e) for e in page(entries[::-1])])

    def page(entries: list[Entry]) -> list[Entry]:
        asked = query()
        offset, count = integer(asked, "offset", 0, 10**9), integer(asked, "count", MAX_HISTORY, MAX_HISTORY)
        return entries[offset : offset + count]

    def history(entry: Entry) -> dict[str, Any]:
        person = state.person(entry.user)
        by_user = entry.author == "user"
        ids = (entry.user, settings.zalo_oa_id) if by_user else (settings.zalo_oa_id, entry.user)
        row: dict[str, Any] = {
            "src": int(by_user),
            "time": epoch_ms(entry.at),
            "type": "text" if entry.kind == "text" else "photo" if entry.kind == "image" else entry.kind,
            "message": entry.text,
            "message_id": entry.message_id,
            "from_id": ids[0],
            "to_id": ids[1],
            "from_display_name": person.name if by_user else settings.company_name,
            "to_display_name": settings.company_name if by_user else person.name,
            "from_avatar": f"{settings.base_url}/chat/static/{'person' if by_user else 'company'}.svg",
        }
        if entry.media:
            row |= {"url": entry.media[0].url, "thumb": entry.media[0].url}
        if entry.location:
            row["location"] = json.dumps(entry.location)
        return row
