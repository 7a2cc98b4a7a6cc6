"""zalo.md §3.3 and §6: template messages by UID and by phone."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sandbox_remote import Remote
from webhook_receiver import Receiver

USER = "2222222222222222222"
PHONE = "84912345678"
RECEIVED = {
    "template_id": "300004",
    "template_data": {"amount": "512340", "period": "10/2026", "customer_code": "PA04010000001"},
}
OTP = {"template_id": "300003", "template_data": {"otp": "482913"}}


def by_phone(zalo: Remote, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = zalo.post("/zalo/business/message/template", {"phone": PHONE} | RECEIVED | changes).json()
    return answer


def by_uid(zalo: Remote, **changes: Any) -> dict[str, Any]:
    body = {"user_id": USER} | RECEIVED | changes
    answer: dict[str, Any] = zalo.post("/zalo/openapi/v3.0/oa/message/template", body).json()
    return answer


def data(**changes: str | int | None) -> dict[str, Any]:
    return {"template_data": {**RECEIVED["template_data"], **changes}}  # type: ignore[dict-item]


def test_by_phone_is_accepted_then_received(zalo: Remote, receiver: Receiver) -> None:
    answer = by_phone(zalo, tracking_id="notice-7")
    assert answer["error"] == 0
    assert answer["data"]["quota"] == {"dailyQuota": "500", "remainingQuota": "499"}
    [got] = receiver.named("user_received_message")
    assert got.headers["X-ZEvent-Server"] == "ZNS"
    assert got.event["recipient"] == {"id": PHONE}
    assert got.event["message"]["msg_id"] == answer["data"]["msg_id"]
    assert got.event["message"]["tracking_id"] == "notice-7"
    assert got.event["message"]["delivery_time"].isdigit()
    status = zalo.get("/zalo/business/message/status", message_id=answer["data"]["msg_id"]).json()["data"]
    assert status["status"] == 1
    assert zalo.get("/zalo/business/message/status", message_id="none").json()["data"]["status"] == -1


def test_a_person_with_that_phone_sees_it_in_the_chat(zalo: Remote) -> None:
    zalo.control("zalo/users", user=USER, phone="0912345678")
    by_phone(zalo)
    [shown] = zalo.see("zalo/messages", user=USER)["messages"]
    assert shown["text"].startswith("Đã nhận 512340 đồng tiền điện 10/2026")
    digest = sha256(PHONE.encode()).hexdigest()
    body = {"hash_phone": digest} | RECEIVED
    assert zalo.post("/zalo/business/message/template/hashphone", body).json()["error"] == 0
    body["hash_phone"] = sha256(b"84900000001").hexdigest()
    assert zalo.post("/zalo/business/message/template/hashphone", body).json()["error"] == -118


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"phone": "0912345678"}, 0),
        ({"phone": "12"}, -108),
        ({"phone": "842083851234"}, -108),
        ({"template_id": "9"}, -109),
        ({"template_data": None}, -112),
        (data(amount=None), -1122),
        (data(amount="512.340"), -1124),
        (data(amount=512340), -1124),
        (data(period="1" * 31), -1121),
        ({"sending_mode": "2"}, -161),
        ({"sending_mode": "3"}, -162),
        ({"mode": "development"}, -127),
        ({"tracking_id": "x" * 49}, -1121),
    ],
)
def test_what_is_refused(shared: Remote, changes: dict[str, Any], error: int) -> None:
    assert by_phone(shared.with_zalo_token(), **changes)["error"] == error


def test_developers_get_test_sends_and_others_may_have_no_zalo(zalo: Remote) -> None:
    zalo.control("zalo/phones", phone=PHONE, developer=True)
    assert by_phone(zalo, mode="development")["error"] == 0
    zalo.control("zalo/phones", phone=PHONE, zalo=False)
    assert by_phone(zalo)["error"] == -118


def test_the_token_is_named_otherwise_on_this_host(remote: Remote) -> None:
    assert by_phone(remote)["error"] == -124


def test_only_templates_made_for_it_go_at_night(remote: Remote) -> None:
    until_22 = timedelta(hours=10).total_seconds()
    remote.control("zalo/clock", advance_seconds=until_22 - 1)
    assert by_phone(remote.with_zalo_token())["error"] == 0
    remote.control("zalo/clock", advance_seconds=1)
    zalo = remote.with_zalo_token()
    assert by_phone(zalo)["error"] == -133
    assert by_phone(zalo, **OTP)["error"] == 0
    remote.control("zalo/clock", advance_seconds=8 * 3600)
    assert by_phone(zalo)["error"] == 0


def test_the_daily_quota_returns_at_midnight(remote: Remote) -> None:
    remote.control("zalo/options", daily_quota=1)
    zalo = remote.with_zalo_token()
    assert [by_phone(zalo, **OTP)["error"] for _ in range(2)] == [0, -144]
    assert zalo.get("/zalo/business/message/quota").json()["data"]["remainingQuota"] == 0
    remote.control("zalo/clock", advance_seconds=12 * 3600)
    assert by_phone(zalo, **OTP)["error"] == 0


def test_by_uid_needs_no_window_but_a_fitting_template(zalo: Remote, receiver: Receiver) -> None:
    assert by_uid(zalo)["error"] == -201
    zalo.control("zalo/users", user=USER)
    answer = by_uid(zalo)
    assert answer["error"] == 0
    [echo] = receiver.named("oa_send_template")
    assert echo.event["message"]["msg_id"] == answer["data"]["message_id"]
    assert set(echo.event["message"]["attachments"][0]["payload"]) == {"zinstant_id", "text", "link_url", "checksum"}
    assert by_uid(zalo, **OTP)["error"] == -249
    zalo.control("zalo/faults", call="template", kind="error", code=-321)
    assert by_uid(zalo)["error"] == -321


def test_a_template_can_be_added_listed_and_stopped(zalo: Remote, receiver: Receiver) -> None:
    added = {"template_id": "400001", "name": "Khôi phục", "text": "Đã có điện ở <area>."}
    zalo.control("zalo/templates", **added, params=[{"name": "area", "type": "STRING", "maxLength": 30}])
    info = zalo.get("/zalo/business/template/info/v2", template_id="400001").json()["data"]
    assert [p["name"] for p in info["listParams"]] == ["area"]
    listed = zalo.get("/zalo/business/template/all", offset=0, limit=100).json()
    assert "400001" in [t["templateId"] for t in listed["data"]]
    zalo.control("zalo/templates/status", template_id="400001", status="DISABLE", reason="Bị báo cáo")
    [event] = receiver.named("change_template_status")
    assert event.event["status"] == {"prev_status": "ENABLE", "new_status": "DISABLE"}
    assert by_uid_error(zalo) == -146


def by_uid_error(zalo: Remote) -> int:
    zalo.control("zalo/users", user=USER)
    return int(by_uid(zalo, template_id="400001", template_data={"area": "Phú Lương"})["error"])
