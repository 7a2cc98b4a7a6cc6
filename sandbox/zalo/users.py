"""People, their tags, and the account itself (zalo.md §5.1)."""

import json
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request

from sandbox.emulator.clock import VIETNAM
from sandbox.zalo.errors import ZaloError, success
from sandbox.zalo.state import Person, ZaloState

MAX_PAGE = 50


def user_routes(pages: Blueprint, state: ZaloState) -> None:
    """Adds the calls about people and the account to the blueprint of `openapi.zalo.me`."""
    settings = state.settings

    @pages.get("/v3.0/oa/user/detail")
    def detail() -> Response:
        person = state.people.get(str(query().get("user_id")))
        if person is None:
            raise ZaloError(-201, "user_id is invalid")
        return success(profile(person))

    @pages.post("/v3.0/oa/user/update")
    def update() -> Response:
        body = request.get_json(force=True, silent=True) or {}
        person = state.people.get(str(body.get("user_id")))
        if person is None:
            raise ZaloError(-201, "user_id is invalid")
        person.shared_info |= body.get("shared_info") or {}
        return success({})

    @pages.get("/v3.0/oa/user/getlist")
    def getlist() -> Response:
        asked = query()
        offset, count = integer(asked, "offset", 0, 9951), integer(asked, "count", MAX_PAGE, MAX_PAGE)
        found = [p.user_id for p in list(state.people.values()) if matches(p, asked)]
        users = [{"user_id": user_id} for user_id in found[offset : offset + count]]
        return success({"total": len(found), "count": len(users), "offset": offset, "users": users})

    @pages.get("/v2.0/oa/getoa")
    def getoa() -> Response:
        return success(
            {
                "oaid": settings.zalo_oa_id,
                "name": settings.company_name,
                "description": settings.company_name,
                "is_verified": True,
                "oa_type": 2,
                "num_follower": sum(p.is_follower for p in list(state.people.values())),
                "package_name": "Advanced",
                "package_valid_through_date": "31/12/2099",
                "linked_ZCA": "ZCA_1",
                "avatar": f"{settings.base_url}/chat/static/company.svg",
            }
        )

    @pages.post("/v2.0/oa/menu")
    def menu() -> Response:
        return success({})

    @pages.post("/v2.0/oa/tag/<any(tagfollower, rmfollowerfromtag, rmtag):action>")
    def tag(action: str) -> Response:
        body = request.get_json(force=True, silent=True) or {}
        name = str(body.get("tag_name") or "")
        chosen = list(state.people.values()) if action == "rmtag" else [state.people.get(str(body.get("user_id")))]
        for person in chosen:
            if person is None or not name:
                raise ZaloError(-201, "user_id, tag_name is invalid")
            if action == "tagfollower" and name not in person.tags:
                person.tags.append(name)
            elif action != "tagfollower" and name in person.tags:
                person.tags.remove(name)
        return success({})

    @pages.get("/v2.0/oa/tag/gettagsofoa")
    def tags() -> Response:
        return success(sorted({tag for p in list(state.people.values()) for tag in p.tags}))

    def profile(person: Person) -> dict[str, Any]:
        avatar = f"{settings.base_url}/chat/static/person.svg"
        last = person.last_interaction
        return {
            "user_id": person.user_id,
            "user_id_by_app": person.user_id_by_app,
            "user_external_id": "",
            "display_name": person.name,
            "user_alias": person.name,
            "is_sensitive": False,
            "user_is_follower": person.is_follower,
            "user_last_interaction_date": f"{last.astimezone(VIETNAM):%d/%m/%Y}" if last else "",
            "avatar": avatar,
            "avatars": {"120": avatar, "240": avatar},
            "dynamic_param": "",
            "tags_and_notes_info": {"notes": [], "tag_names": person.tags},
            "shared_info": person.shared_info,
        }

    def matches(person: Person, asked: dict[str, Any]) -> bool:
        if "is_follower" in asked and person.is_follower != (str(asked["is_follower"]).lower() == "true"):
            return False
        if asked.get("tag_name") and asked["tag_name"] not in person.tags:
            return False
        if period := asked.get("last_interaction_period"):
            first, last = days(str(period), state.clock.now().astimezone(VIETNAM).date())
            seen = person.last_interaction
            return seen is not None and first <= seen.astimezone(VIETNAM).date() <= last
        return True


def query() -> dict[str, Any]:
    """The `data` parameter of a GET call: one URL-encoded JSON (zalo.md §0)."""
    try:
        asked = json.loads(request.args.get("data") or "{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise ZaloError(-201, "data is invalid")
    return asked


def integer(asked: dict[str, Any], name: str, default: int, largest: int) -> int:
    value = asked.get(name, default)
    if not str(value).isdigit() or int(value) > largest:
        raise ZaloError(-201, f"{name} is invalid")
    return int(value)


def days(period: str, today: date) -> tuple[date, date]:
    """`TODAY`, `YESTERDAY`, `L7D`, `L30D` or `YYYY_MM_DD:YYYY_MM_DD` as first and last day."""
    before = {"TODAY": (0, 0), "YESTERDAY": (1, 1), "L7D": (7, 0), "L30D": (30, 0)}.get(period)
    if before:
        return today - timedelta(days=before[0]), today - timedelta(days=before[1])
    try:
        first, last = (datetime.strptime(day, "%Y_%m_%d").replace(tzinfo=VIETNAM).date() for day in period.split(":"))
    except ValueError:
        raise ZaloError(-201, "last_interaction_period is invalid") from None
    return first, last
