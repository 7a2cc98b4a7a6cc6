"""The Page itself: profile, subscriptions, people's names, and who controls a thread (messenger.md §2, §4, §5)."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.messenger.errors import GraphError, invalid
from sandbox.messenger.state import WANTED_FIELDS, MessengerState, Person
from sandbox.messenger.webhooks import MessengerWebhooks

PROFILE_PROPERTIES = {
    "get_started",
    "greeting",
    "ice_breakers",
    "persistent_menu",
    "commands",
    "whitelisted_domains",
    "account_linking_url",
}
MAX_ICE_BREAKERS = 4
MAX_MENU_ITEMS = 20
MAX_EXTENSION = timedelta(days=7)


def profile_routes(pages: Blueprint, state: MessengerState) -> None:
    """Adds `/{page}/messenger_profile`."""

    @pages.get("/<page>/messenger_profile")
    def read_profile() -> Response:
        wanted = request.args.get("fields", "").split(",")
        found = {name: value for name, value in state.profile.items() if name in wanted}
        return jsonify({"data": [found] if found else []})

    @pages.post("/<page>/messenger_profile")
    def write_profile() -> Response:
        given = _body()
        if not given or not set(given) <= PROFILE_PROPERTIES:
            raise invalid("unknown messenger profile property")
        _check_menu(given, has_started=bool(given.get("get_started") or state.profile.get("get_started")))
        state.profile.update(given)
        return jsonify({"result": "success"})

    @pages.delete("/<page>/messenger_profile")
    def delete_profile() -> Response:
        for name in _body().get("fields", []):
            state.profile.pop(name, None)
        return jsonify({"result": "success"})


def subscription_routes(pages: Blueprint, state: MessengerState, webhooks: MessengerWebhooks) -> None:
    """Adds `/{page}/subscribed_apps`: subscribing again is the only way back after Meta gave up."""

    @pages.get("/<page>/subscribed_apps")
    def subscribed_apps() -> Response:
        if not webhooks.sender.stats.subscribed:
            return jsonify({"data": []})
        app = {"id": state.app_id, "name": "Trợ lý Điện", "subscribed_fields": state.subscribed_fields}
        return jsonify({"data": [app]})

    @pages.post("/<page>/subscribed_apps")
    def subscribe() -> Response:
        given = request.values.get("subscribed_fields") or _body().get("subscribed_fields") or ""
        fields = given if isinstance(given, list) else [name.strip() for name in given.split(",") if name.strip()]
        if not fields or not set(fields) <= set(WANTED_FIELDS):
            raise invalid("param subscribed_fields is invalid")
        state.subscribed_fields = fields
        webhooks.sender.subscribe()
        return jsonify({"success": True})

    @pages.delete("/<page>/subscribed_apps")
    def unsubscribe() -> Response:
        webhooks.sender.stats.subscribed = False
        return jsonify({"success": True})


def thread_routes(pages: Blueprint, state: MessengerState) -> None:
    """Adds the calls of conversation routing."""

    def thread() -> tuple[Person, dict[str, Any]]:
        given = _body()
        person = state.people.get(str((given.get("recipient") or {}).get("id")))
        if person is None:
            raise GraphError(100, 2018001)
        return person, given

    @pages.post("/<page>/pass_thread_control")
    def pass_control() -> Response:
        person, given = thread()
        _must_own(state, person)
        if not given.get("target_app_id"):
            raise invalid("param target_app_id is needed")
        state.own(person, str(given["target_app_id"]))
        return jsonify({"success": True})

    @pages.post("/<page>/take_thread_control")
    def take_control() -> Response:
        person, _ = thread()
        if state.options.routing == "zero_config":
            raise GraphError(100, 2534037)
        state.own(person, state.app_id)
        return jsonify({"success": True})

    @pages.post("/<page>/release_thread_control")
    def release_control() -> Response:
        person, _ = thread()
        _must_own(state, person)
        state.own(person, None)
        return jsonify({"success": True})

    @pages.post("/<page>/request_thread_control")
    def request_control() -> Response:
        thread()
        return jsonify({"success": True})

    @pages.post("/<page>/extend_thread_control")
    def extend_control() -> Response:
        person, given = thread()
        _must_own(state, person)
        span = timedelta(seconds=int(given.get("duration") or 0))
        if not timedelta() < span <= MAX_EXTENSION:
            raise invalid("param duration must be at most 7 days")
        state.own(person, state.app_id, span)
        return jsonify({"success": True})

    @pages.get("/<page>/thread_owner")
    def thread_owner() -> Response:
        person = state.people.get(request.args.get("recipient", ""))
        owner = state.owner(person) if person else None
        if person is None or owner is None or person.owner_until is None:
            return jsonify({"data": []})
        row = {"app_id": owner, "expiration": int(person.owner_until.timestamp())}
        return jsonify({"data": [{"thread_owner": row}]})


def person_routes(pages: Blueprint, state: MessengerState) -> None:
    """Adds `GET /{psid}`: a person's name, for those who wrote; nothing without access (messenger.md §5)."""

    @pages.get("/<psid>")
    def person(psid: str) -> Response:
        found = state.people.get(psid)
        if found is None or found.last_interaction is None:
            raise GraphError(100, 33, "(#100) Unsupported get request. The object does not exist")
        if not state.options.profile_access:
            return jsonify({})
        known = {
            "first_name": found.first_name,
            "last_name": found.last_name,
            "profile_pic": f"{state.settings.base_url}/chat/static/person.svg",
        }
        wanted = request.args.get("fields", "first_name,last_name,profile_pic").split(",")
        return jsonify({name: value for name, value in known.items() if name in wanted} | {"id": psid})


def _must_own(state: MessengerState, person: Person) -> None:
    if state.controlled_by_other(person):
        raise GraphError(100, 2534037)


def _check_menu(given: dict[str, Any], *, has_started: bool) -> None:
    if menus := given.get("persistent_menu"):
        if not has_started:
            raise invalid("You must set a Get Started button if you also wish to use persistent menu")
        if "default" not in {menu.get("locale") for menu in menus}:
            raise invalid("persistent_menu needs the locale default")
        if any(len(menu.get("call_to_actions", [])) > MAX_MENU_ITEMS for menu in menus):
            raise invalid(f"persistent_menu has at most {MAX_MENU_ITEMS} items")
    rows = given.get("ice_breakers") or []
    if any(len(row.get("call_to_actions", rows)) > MAX_ICE_BREAKERS for row in rows):
        raise invalid(f"at most {MAX_ICE_BREAKERS} ice breakers")


def _body() -> dict[str, Any]:
    given = request.get_json(force=True, silent=True)
    return given if isinstance(given, dict) else {}
