"""Every route of the console says who may use it, and means it."""

from fixtures.console import Console
from flask import Flask

from bot.store.models import Role

PUBLIC = {"console.entrance.sign_in", "console.entrance.enter"}


def views(app: Flask) -> dict[str, frozenset[Role] | None]:
    return {
        rule.endpoint: getattr(app.view_functions[rule.endpoint], "roles", frozenset())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.") and rule.endpoint != "console.static"
    }


def test_every_route_names_its_roles_or_is_one_of_the_few_for_everybody(console: Console) -> None:
    found = views(console.app)
    assert {name for name, roles in found.items() if roles is None} == PUBLIC
    assert [name for name, roles in found.items() if roles is not None and not roles] == []


def test_everything_of_the_console_is_behind_its_door(console: Console) -> None:
    outside = [
        rule.rule
        for rule in console.app.url_map.iter_rules()
        if rule.rule.startswith("/console") and not rule.endpoint.startswith("console.")
    ]
    assert outside == []


def test_nobody_without_a_sign_in_gets_past_it(console: Console) -> None:
    browser = console.browser()
    for rule in console.app.url_map.iter_rules():
        if rule.endpoint not in PUBLIC and rule.endpoint.startswith("console.") and rule.endpoint != "console.static":
            path = console.app.url_map.bind("localhost").build(
                rule.endpoint, {name: converter.to_python("1") for name, converter in rule._converters.items()}
            )
            for method in rule.methods - {"OPTIONS", "HEAD"}:
                send = browser.get if method == "GET" else browser.post
                answer = send(path.removeprefix("/console"))
                assert (answer.status_code, answer.location.split("?")[0]) == (302, "/console/sign-in"), rule


def test_nobody_with_another_role_does_either(console: Console) -> None:
    for role in Role:
        browser = console.signed_in(role)
        for rule in console.app.url_map.iter_rules():
            roles = getattr(console.app.view_functions[rule.endpoint], "roles", None)
            if not rule.endpoint.startswith("console.") or not roles or role in roles:
                continue
            path = console.app.url_map.bind("localhost").build(
                rule.endpoint, {name: converter.to_python("1") for name, converter in rule._converters.items()}
            )
            for method in rule.methods - {"OPTIONS", "HEAD"}:
                send = browser.get if method == "GET" else browser.post
                assert send(path.removeprefix("/console")).status_code == 403, (role, rule)
