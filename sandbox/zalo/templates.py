"""Template messages (ZBS, formerly ZNS): by UID on the OA host, by phone on the business host (zalo.md §3.3, §6)."""

import re
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from flask import Blueprint, Response, request

from sandbox.emulator.clock import VIETNAM, epoch_ms
from sandbox.emulator.transcript import Entry
from sandbox.zalo.answers import answer
from sandbox.zalo.errors import ZaloError, failure, success
from sandbox.zalo.messages import Messages
from sandbox.zalo.oauth import TokenOffice
from sandbox.zalo.people import People
from sandbox.zalo.state import Person, ZaloState, international
from sandbox.zalo.webhooks import ZaloWebhooks

APPROVED = Path(__file__).with_name("templates.yml")
MAX_TRACKING_ID = 48
DATE_FORMATS = (
    r"\d\d:\d\d:\d\d \d\d/\d\d/\d{4}",
    r"\d\d:\d\d \d\d/\d\d/\d{4}",
    r"\d\d/\d\d/\d{4}",
    r"\d\d/\d{4}",
    r"\d\d:\d\d",
)
PHONE = re.compile(r"84[235789]\d{8}")


@dataclass
class Template:
    """A template as approved; `params` are rows of `{name, type, maxLength}` (plus optional `require`)."""

    template_id: str
    name: str
    text: str
    params: list[dict[str, Any]]
    type: int = 1
    tag: int = 1
    night: bool = False
    by_uid: bool = True
    price: int = 200
    price_uid: int = 100
    status: str = "ENABLE"
    quality: str = "UNDEFINED"

    def filled(self, data: dict[str, str]) -> str:
        return re.sub(r"<(\w+)>", lambda match: data.get(match[1], ""), self.text)


@dataclass
class TemplateDesk:
    """Templates of the OA, and what was sent with them: `sent` has the time (ms) each message by phone arrived."""

    state: ZaloState
    webhooks: ZaloWebhooks
    people: People
    messages: Messages
    templates: dict[str, Template] = field(default_factory=dict)
    sent: dict[str, int | None] = field(default_factory=dict)
    sent_on: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for row in yaml.safe_load(APPROVED.read_text(encoding="utf-8")):
            self.templates[row["template_id"]] = Template(**row)

    def by_uid(self, body: Any) -> dict[str, Any]:
        """`POST /v3.0/oa/message/template`: no window needed (zalo.md §3.3)."""
        body = body if isinstance(body, dict) else {}
        person = self.messages.recipient({"recipient": body})
        template = self._template(body)
        if not template.by_uid:
            raise ZaloError(-249)
        data = self._checked_data(template, body)
        entry = self._show(person, template, data, kind="template")
        link = {"zinstant_id": entry.message_id, "text": entry.text, "link_url": "", "checksum": ""}
        self.messages.announce(person, entry, [{"type": "template", "payload": link}])
        quota = {"quota_type": "purchase_quota", "owner_type": "OA", "owner_id": self.state.settings.zalo_oa_id}
        sent_time = str(epoch_ms(entry.at))
        return {"message_id": entry.message_id, "user_id": person.user_id, "sent_time": sent_time, "quota": quota}

    def by_phone(self, body: Any) -> dict[str, Any]:
        """`POST /message/template` with `phone`, or `/message/template/hashphone` with `hash_phone` (zalo.md §6.1)."""
        body = body if isinstance(body, dict) else {}
        template = self._template(body)
        data = self._checked_data(template, body)
        phone, echoed = self._phone(body)
        self._may_send_now(template, body, phone)
        person = self.state.person_by_phone(phone)
        if person and person.refuses is not None:
            raise ZaloError(person.refuses)
        message_id = self.state.new_message_id()
        with self.state.lock:
            self.sent[message_id] = None
            self.sent_on[self._today()] += 1
        if person:
            self._show(person, template, data, kind="zbs", message_id=message_id)
        tracking_id = str(body.get("tracking_id") or "")
        delay = self.state.options.zbs_receipt_seconds
        self.webhooks.timers.after(delay, lambda: self._arrived(echoed, message_id, tracking_id))
        return {
            "msg_id": message_id,
            "sent_time": str(epoch_ms(self.state.clock.now())),
            "sending_mode": str(body.get("sending_mode") or "1"),
            "quota": {"dailyQuota": str(self.state.options.daily_quota), "remainingQuota": str(self.remaining())},
        }

    def remaining(self) -> int:
        return max(0, self.state.options.daily_quota - self.sent_on[self._today()])

    def set_status(self, template_id: str, status: str, reason: str = "") -> None:
        """ENABLE, PENDING_REVIEW, DISABLE, REJECT or DELETE, told to the product by `change_template_status`."""
        template = self.templates[template_id]
        before, template.status = template.status, status
        self.webhooks.emit(
            "change_template_status",
            None,
            oa_id=self.state.settings.zalo_oa_id,
            template_id=template_id,
            status={"prev_status": before, "new_status": status},
            reason=reason,
        )

    def _template(self, body: dict[str, Any]) -> Template:
        template = self.templates.get(str(body.get("template_id")))
        if template is None:
            raise ZaloError(-109)
        if template.status == "DISABLE":
            raise ZaloError(-146)
        if template.status != "ENABLE":
            raise ZaloError(-131)
        return template

    def _checked_data(self, template: Template, body: dict[str, Any]) -> dict[str, str]:
        data = body.get("template_data")
        if not isinstance(data, dict):
            raise ZaloError(-112)
        for param in template.params:
            name = param["name"]
            value = data.get(name)
            if value is None or value == "":
                if param.get("require", True):
                    raise ZaloError(-1122, f"Template parameter {name} is missing")
                continue
            if not isinstance(value, str) or not _fits(param["type"], value):
                raise ZaloError(-1124, f"Template parameter {name} has the wrong format")
            if len(value) > param["maxLength"]:
                raise ZaloError(-1121, f"Template parameter {name} is too long")
        return data

    def _phone(self, body: dict[str, Any]) -> tuple[str, str]:
        """(phone as 84…, what the receipt names: the phone or the given hash)."""
        if given := body.get("hash_phone"):
            known = {sha256(p.encode()).hexdigest(): p for p in self._known_phones()}
            if given not in known:
                raise ZaloError(-118)
            return known[given], given
        phone = international(str(body.get("phone") or ""))
        if not PHONE.fullmatch(phone):
            raise ZaloError(-108)
        if phone in self.state.without_zalo:
            raise ZaloError(-118)
        return phone, phone

    def _known_phones(self) -> set[str]:
        return {international(p.phone) for p in list(self.state.people.values()) if p.phone}

    def _may_send_now(self, template: Template, body: dict[str, Any], phone: str) -> None:
        mode = str(body.get("sending_mode") or "1")
        if mode not in {"1", "3"}:
            raise ZaloError(-161)
        if mode == "3" and template.tag in {1, 2}:
            raise ZaloError(-162)
        if body.get("mode") == "development" and phone not in self.state.developers:
            raise ZaloError(-127)
        if len(str(body.get("tracking_id") or "")) > MAX_TRACKING_ID:
            raise ZaloError(-1121, "tracking_id is too long")
        if not template.night and not 6 <= self.state.clock.now().astimezone(VIETNAM).hour < 22:
            raise ZaloError(-133)
        if mode == "1" and self.remaining() <= 0:
            raise ZaloError(-144)

    def _show(
        self, person: Person, template: Template, data: dict[str, str], *, kind: str, message_id: str | None = None
    ) -> Entry:
        return self.state.transcript.add(
            Entry(
                user=person.user_id,
                author="bot",
                message_id=message_id or self.state.new_message_id(),
                kind=kind,
                at=self.state.clock.now(),
                text=template.filled(data),
                template={"template_id": template.template_id, "name": template.name, "data": data},
            )
        )

    def _arrived(self, recipient: str, message_id: str, tracking_id: str) -> None:
        self.sent[message_id] = epoch_ms(self.state.clock.now())
        self.people.zbs_received(recipient, message_id, tracking_id)

    def _today(self) -> str:
        return f"{self.state.clock.now().astimezone(VIETNAM):%Y-%m-%d}"


def _fits(kind: str, value: str) -> bool:
    match kind:
        case "NUMBER":
            return value.isdigit()
        case "DATE":
            return any(re.fullmatch(pattern, value) for pattern in DATE_FORMATS)
        case "OTP":
            return value.isalnum()
    return True


def template_routes(pages: Blueprint, desk: TemplateDesk) -> None:
    """Adds the template call of `openapi.zalo.me` to its blueprint."""

    @pages.post("/v3.0/oa/message/template")
    def by_uid() -> Response:
        body = request.get_json(force=True, silent=True)
        return answer(desk.state, "template", lambda: success(desk.by_uid(body)))


def business_blueprint(desk: TemplateDesk, office: TokenOffice) -> Blueprint:
    """`business.openapi.zalo.me`: the same OA token, other error codes (zalo.md §7.2)."""
    pages = Blueprint("zalo_business", __name__)

    @pages.before_request
    def check_token() -> None:
        try:
            office.check_access(request.headers.get("access_token"))
        except ZaloError:
            raise ZaloError(-124) from None

    @pages.errorhandler(ZaloError)
    def on_error(error: ZaloError) -> Response:
        return failure(error)

    @pages.post("/message/template")
    @pages.post("/message/template/hashphone")
    def by_phone() -> Response:
        body = request.get_json(force=True, silent=True)
        return answer(desk.state, "zbs", lambda: success(desk.by_phone(body)))

    @pages.get("/message/status")
    def status() -> Response:
        message_id = request.args.get("message_id", "")
        if message_id not in desk.sent:
            return success({"status": -1, "delivery_time": "", "message": "The message does not exist"})
        arrived = desk.sent[message_id]
        told = "Delivered" if arrived else "Not delivered yet"
        return success({"status": int(arrived is not None), "delivery_time": str(arrived or ""), "message": told})

    @pages.get("/message/quota")
    def quota() -> Response:
        return success(
            {
                "dailyQuota": desk.state.options.daily_quota,
                "remainingQuota": desk.remaining(),
                "dailyQuotaPromotion": 0,
                "remainingQuotaPromotion": 0,
                "monthlyPromotionQuota": 0,
                "remainingMonthlyPromotionQuota": 0,
            }
        )

    @pages.get("/message/template-tag")
    def template_tag() -> Response:
        return success(["TRANSACTION", "CUSTOMER_CARE"])

    @pages.get("/quality")
    def quality() -> Response:
        return success({"oaCurrentQuality": "UNDEFINED", "oa7dayQuality": "UNDEFINED"})

    @pages.get("/template/all")
    def template_all() -> Response:
        offset, limit = int(request.args.get("offset", 0)), min(100, int(request.args.get("limit", 100)))
        rows = [
            {
                "templateId": t.template_id,
                "templateName": t.name,
                "createdTime": 0,
                "status": t.status,
                "templateQuality": t.quality,
            }
            for t in desk.templates.values()
        ]
        return success(rows[offset : offset + limit], metadata={"total": len(rows)})

    @pages.get("/template/info/v2")
    def template_info() -> Response:
        template = desk.templates.get(request.args.get("template_id", ""))
        if template is None:
            raise ZaloError(-109)
        return success(_info(template))

    return pages


def _info(template: Template) -> dict[str, Any]:
    listed = [
        {
            "name": p["name"],
            "require": p.get("require", True),
            "type": p["type"],
            "minLength": 1,
            "maxLength": p["maxLength"],
            "acceptNull": not p.get("require", True),
        }
        for p in template.params
    ]
    return {
        "templateId": template.template_id,
        "templateName": template.name,
        "status": template.status,
        "listParams": listed,
        "listButtons": [],
        "timeout": 7_200_000,
        "previewUrl": "",
        "templateQuality": template.quality,
        "templateTag": {1: "TRANSACTION", 2: "CUSTOMER_CARE", 3: "PROMOTION"}[template.tag],
        "price": str(template.price),
        "price_sdt": str(template.price),
        "price_uid": str(template.price_uid),
    }
