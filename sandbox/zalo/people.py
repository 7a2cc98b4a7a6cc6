"""What people do on their phones: write, tap, follow, share; what their phone does: receive, show. Also OA staff.

Used by the chat page and by the control API. A person comes into being when they first do something.
"""

import json
from typing import Any, Literal

from sandbox.emulator.clock import epoch_ms
from sandbox.emulator.media import StoredFile
from sandbox.emulator.people import PeopleActions, Receipts
from sandbox.emulator.samples import FileKind
from sandbox.emulator.transcript import Entry, Media, Tap
from sandbox.zalo.state import Person, ZaloState, international
from sandbox.zalo.webhooks import ECHO_DELAY, ZaloWebhooks

InfoShape = Literal["new", "old"]
STAFF_ADMIN_ID = "7777777777777777777"


class People(PeopleActions):
    """Actions of people by UID."""

    def __init__(self, state: ZaloState, webhooks: ZaloWebhooks) -> None:
        super().__init__(state.transcript, state.clock)
        self._state = state
        self._webhooks = webhooks

    def say(self, user: str, text: str, *, quote: str | None = None, hidden: bool = False) -> str:
        """`user_send_text`; `hidden` is a tap on oa.query.hide, which the chat does not show."""
        return self._send(user, "text", text=text, quote=quote, hidden=hidden)

    def send_file(self, user: str, kind: FileKind, file: StoredFile) -> str:
        url = self._state.media_url(file)
        payload: dict[str, Any] = {"url": url}
        if kind in {"image", "gif", "video"}:
            payload["thumbnail"] = url
        if kind == "video":
            payload["description"] = ""
        if kind == "file":
            payload |= {
                "name": file.name,
                "size": str(len(file.content)),
                "type": file.name.rpartition(".")[2],
                "checksum": file.checksum,
            }
        media = Media(kind, url, file.name, len(file.content))
        return self._send(user, kind, payload=payload, media=media)

    def send_sticker(self, user: str, sticker: str) -> str:
        url = f"{self._state.settings.base_url}/chat/static/stickers/{sticker}.svg"
        return self._send(user, "sticker", payload={"id": sticker, "url": url}, media=Media("sticker", url))

    def send_location(self, user: str, latitude: float, longitude: float) -> str:
        coordinates = {"latitude": str(latitude), "longitude": str(longitude)}
        place = {"latitude": latitude, "longitude": longitude}
        return self._send(user, "location", payload={"coordinates": coordinates}, location=place)

    def send_link(self, user: str, url: str, description: str = "") -> str:
        payload = {"url": url, "thumbnail": "", "description": description}
        return self._send(user, "link", text=url, payload=payload, media=Media("link", url))

    def send_business_card(self, user: str, name: str, phone: str) -> str:
        """A contact: attachment type link whose description is JSON in a string (zalo.md §2.4)."""
        description = json.dumps({"phone": international(phone), "qrCodeUrl": ""}, ensure_ascii=False)
        payload = {"url": "", "thumbnail": "", "description": description}
        return self._send(user, "business_card", text=name, payload=payload, attachment_type="link")

    def tappable(self, user: str) -> list[Tap]:
        return [tap for entry in reversed(self._state.transcript.of(user)) for tap in entry.buttons]

    def press(self, user: str, tap: Tap) -> None:
        """`oa.query.*` sends its payload as a text; the other types send nothing (zalo.md §2.5)."""
        if tap.type.startswith("oa.query.") and tap.payload is not None:
            self.say(user, tap.payload, hidden=tap.type == "oa.query.hide")

    def follow(self, user: str, source: str = "oa_profile") -> None:
        person = self._state.person(user)
        person.is_follower = True
        self._state.interacted(person)
        self._webhooks.emit("follow", person, **self._follower(person), source=source)

    def unfollow(self, user: str, source: str = "oa_profile") -> None:
        person = self._state.person(user)
        person.is_follower = False
        self._webhooks.emit("unfollow", person, **self._follower(person), source=source)

    def open_chat(self, user: str) -> None:
        """`user_click_chatnow`: once, and only for a person who never chatted (zalo.md §2.6)."""
        person = self._state.person(user)
        if not person.opened_chat and person.last_interaction is None:
            person.opened_chat = True
            self._webhooks.emit(
                "user_click_chatnow", person, user_id=person.user_id, oa_id=self._state.settings.zalo_oa_id
            )

    def submit_info(self, user: str, info: dict[str, Any] | None = None, *, shape: InfoShape = "new") -> None:
        """`user_submit_info` in the shape of today or the older one (zalo.md §5.3)."""
        person = self._state.person(user)
        phone = international(person.phone) if person.phone else "84900000000"
        if info is None and shape == "new":
            address = {"user_city": "Thái Nguyên", "user_ward": "Phường Phan Đình Phùng", "user_address": "Số 1"}
            info = {
                "name": person.name,
                "phone": phone,
                "user_dob": "01/01/1980",
                "gender": "Nam",
                "full_address": address,
            }
        elif info is None:
            info = {
                "name": person.name,
                "phone": phone,
                "address": "Số 1",
                "ward": "Phan Đình Phùng",
                "district": "Thành phố Thái Nguyên",
                "city": "Thái Nguyên",
            }
        person.shared_info = {k: v for k, v in info.items() if k in {"name", "phone", "address", "district", "city"}}
        self._state.interacted(person)
        self._webhooks.emit(
            "user_submit_info",
            person,
            sender={"id": user},
            recipient={"id": self._state.settings.zalo_oa_id},
            info=info,
        )

    def withdraw(self, user: str) -> None:
        """`user_withdraw`: the person asks that their data be erased (zalo.md §2.6)."""
        self._webhooks.emit("user_withdraw", self._state.person(user), user_id=user)

    def react(self, user: str, message_id: str, icon: str) -> None:
        message = {"msg_id": message_id, "react_icon": icon}
        self._webhooks.from_person("user_reacted_message", self._state.person(user), message)

    def staff_reply(self, user: str, text: str) -> str:
        """A person of the company writes in Zalo's OA tool: an echo with `admin_id` (zalo.md §2.7)."""
        person = self._state.person(user)
        entry = self._state.transcript.add(
            Entry(
                user=user,
                author="staff",
                message_id=self._state.new_message_id(),
                kind="text",
                at=self._state.clock.now(),
                text=text,
            )
        )
        message = {"msg_id": entry.message_id, "text": text}
        self._webhooks.to_person("oa_send_text", person, message, admin_id=STAFF_ADMIN_ID)
        return entry.message_id

    @property
    def receipts(self) -> Receipts:
        return self._state.options.receipts

    def phone_rings(self, person: Person) -> None:
        """A message reached Zalo for this person; an open chat page notices by itself (`looks`)."""
        if self._state.options.receipts == "auto":
            self._webhooks.timers.after(2 * ECHO_DELAY, lambda: self.receive(person.user_id))
            self._webhooks.timers.after(4 * ECHO_DELAY, lambda: self.see(person.user_id))

    def receive(self, user: str) -> list[str]:
        """`user_received_message`, one event per message."""
        arrived = self._by_uid(self.mark(user, "delivered_at"))
        for message_id in arrived:
            self._webhooks.to_person("user_received_message", self._state.person(user), {"msg_id": message_id})
        return arrived

    def see(self, user: str) -> list[str]:
        """`user_seen_message` with the array of messages; the phone has them now, too."""
        self.receive(user)
        seen = self._by_uid(self.mark(user, "seen_at"))
        if seen:
            self._webhooks.to_person("user_seen_message", self._state.person(user), {"msg_ids": seen})
        return seen

    def zbs_received(self, phone_or_hash: str, message_id: str, tracking_id: str) -> None:
        """The `user_received_message` of a template by phone (zalo.md §2.9)."""
        person = self._state.person_by_phone(phone_or_hash)
        if person and (entry := self._state.transcript.find(message_id)):
            self._state.transcript.update(entry, delivered_at=self._state.clock.now())
        self._webhooks.emit(
            "user_received_message",
            None,
            sender={"id": self._state.settings.zalo_oa_id},
            recipient={"id": phone_or_hash},
            message={
                "delivery_time": str(epoch_ms(self._state.clock.now())),
                "msg_id": message_id,
                "tracking_id": tracking_id,
            },
        )

    def _send(
        self,
        user: str,
        kind: str,
        *,
        text: str = "",
        payload: dict[str, Any] | None = None,
        attachment_type: str | None = None,
        media: Media | None = None,
        location: dict[str, float] | None = None,
        quote: str | None = None,
        hidden: bool = False,
    ) -> str:
        person = self._state.person(user)
        entry = self._state.transcript.add(
            Entry(
                user=user,
                author="user",
                message_id=self._state.new_message_id(),
                kind=kind,
                at=self._state.clock.now(),
                text=text,
                media=(media,) if media else (),
                location=location,
                quote=quote,
                hidden=hidden,
            )
        )
        self._state.interacted(person)
        message: dict[str, Any] = {"msg_id": entry.message_id}
        if text:
            message["text"] = text
        if payload is not None:
            message["attachments"] = [{"type": attachment_type or kind, "payload": payload}]
        if quote:
            message["quote_msg_id"] = quote
        self._webhooks.from_person(f"user_send_{kind}", person, message)
        return entry.message_id

    def _by_uid(self, message_ids: list[str]) -> list[str]:
        """Without templates by phone, whose receipt is another event (`zbs_received`)."""
        found = map(self._state.transcript.find, message_ids)
        return [entry.message_id for entry in found if entry and entry.kind != "zbs"]

    def _follower(self, person: Person) -> dict[str, Any]:
        return {"oa_id": self._state.settings.zalo_oa_id, "follower": {"id": person.user_id}}
