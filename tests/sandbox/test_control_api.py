"""The control API says what is wrong with a call instead of ignoring it."""

from typing import Any

import pytest
from sandbox_remote import Remote


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("zalo/say", {"text": "a"}, "user"),
        ("zalo/say", {"user": "u"}, "nothing to say"),
        ("zalo/options", {"echo": "sideways"}, "echo"),
        ("zalo/options", {"ecko": "off"}, "ecko"),
        ("zalo/users", {"user": "u", "refuses": "no"}, "refuses"),
        ("zalo/faults", {"kind": "explode"}, "kind"),
        ("zalo/faults", {"kind": "error", "call": "mail"}, "call"),
        ("zalo/faults", {"kind": "error", "code": "x"}, "code"),
        ("zalo/token", {"remove": "access"}, "remove"),
        ("zalo/templates", {"template_id": "1"}, "name"),
        ("zalo/clock", {"advance_seconds": "1"}, "advance_seconds"),
        ("zalo/webhook/release", {"batch": True}, "batch"),
        ("zalo/webhook/signing", {"signing": "odd"}, "signing"),
        ("messenger/options", {"routing": "none"}, "routing"),
        ("messenger/say", {"user": "u", "location": "here"}, "location"),
    ],
)
def test_a_wrong_call_is_named(shared: Remote, path: str, body: dict[str, Any], named: str) -> None:
    answer = shared.post(f"/control/{path}", body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


def test_times_of_a_person_can_be_set(shared: Remote) -> None:
    at = "2026-11-20T05:00:00+00:00"
    shared.control("zalo/users", user="u7", last_interaction=at)
    [person] = [p for p in shared.see("zalo/users") if p["user_id"] == "u7"]
    assert person["last_interaction"] == at
    assert shared.consult("u7", {"text": "a"})["data"]["quota"]["quota_type"] == "sub_quota"
