"""What people do in Messenger, what their phone reports, and what an agent does in the Page's Inbox.

Used by the chat page and by the control API. A person comes into being when they first do something.
"""

from typing import Any
from zlib import crc32

from sandbox.emulator.clock import epoch_ms
from sandbox.emulator.media import StoredFile
from sandbox.emulator.people import PeopleActions, Receipts
from sandbox.emulator.samples import FileKind
from sandbox.emulator.transcript import Entry, Media, Tap
from sandbox.messenger.state import INBOX_APP_ID, MessengerState, Person
from sandbox.messenger.webhooks import ECHO_DELAY, MessengerWebhooks

LIKE, LIKE_SHOWN_AS = 369239263222822, "dong-y"
"""The thumb beside Messenger's text field, and the sticker of ours that looks like it."""


class People(PeopleActions):
    """Actions of people by PSID."""

    def __init__(self, state: MessengerState, webhooks: MessengerWebhooks) -> None:
        super().__init__(state.transcript, state.clock)
        self._state = state
        self._webhooks = webhooks

    def say(self, user: str, text: str, *, quote: str | None = None) -> str:
        message: dict[str, Any] = {"text": text}
        if quote:
            message["reply_to"] = {"mid": quote, "is_self_reply": False}
        return self._send(user, "text", message, text=text, quote=quote)

    def send_file(self, user: str, kind: FileKind, file: StoredFile) -> str:
        """A picture, voice note, video or file; a GIF is an image for Messenger."""
        kind = "image" if kind == "gif" else kind
        url = self._state.media_url(file)
        message = {"attachments": [{"type": kind, "payload": {"url": url}}]}
        return self._send(user, kind, message, media=Media(kind, url, file.name, len(file.content)))

    def send_sticker(self, user: str, sticker: str) -> str:
        url = f"{self._state.settings.base_url}/chat/static/stickers/{sticker}.svg"
        payload = {"url": url, "sticker_id": LIKE if sticker == LIKE_SHOWN_AS else crc32(sticker.encode())}
        message = {"attachments": [{"type": "sticker", "payload": payload}]}
        return self._send(user, "sticker", message, media=Media("sticker", url))

    def send_location(self, user: str, latitude: float, longitude: float) -> str:
        """Messenger has no location attachment any more: a shared place is a link (`fallback`, messenger.md §3)."""
        place = {"latitude": latitude, "longitude": longitude}
        url = f"https://www.bing.com/maps/default.aspx?where1={latitude}%2C{longitude}"
        attachment = {"type": "fallback", "title": "Vị trí đã ghim", "url": url, "payload": {"url": url}}
        return self._send(user, "location", {"attachments": [attachment]}, location=place)

    def send_link(self, user: str, url: str) -> str:
        attachment = {"type": "fallback", "title": url, "url": url, "payload": {"url": url}}
        return self._send(user, "link", {"text": url, "attachments": [attachment]}, text=url)

    def tappable(self, user: str) -> list[Tap]:
        """Latest first, then the menu; quick replies only under the last message (messenger.md §5)."""
        entries = self._state.transcript.of(user)
        taps = list(entries[-1].quick_replies) if entries else []
        for entry in reversed(entries):
            taps += entry.buttons
            taps += [button for card in entry.cards for button in card.buttons]
        return taps + self.menu() + self.ice_breakers()

    def press(self, user: str, tap: Tap) -> None:
        """A postback or quick reply is told to the product; opening an address or a call is not."""
        if tap.type == "postback" and tap.payload is not None:
            self._postback(self._state.person(user), tap.title, tap.payload)
        elif tap.type == "text" and tap.payload is not None:
            message = {"text": tap.title, "quick_reply": {"payload": tap.payload}}
            self._send(user, "text", message, text=tap.title)

    def get_started(self, user: str) -> bool:
        """Tap Get Started; the `ref` of an m.me link that led here comes along. False when the Page has none."""
        started = self._state.profile.get("get_started")
        if not started:
            return False
        person = self._state.person(user)
        ref, person.pending_ref = person.pending_ref, None
        self._postback(person, "Bắt đầu", started["payload"], referral=_referral(ref) if ref else None)
        return True

    def open_link(self, user: str, ref: str | None) -> bool:
        """Follow `m.me/<page>?ref=`: True in an existing thread; a new one waits for Get Started (messenger.md §8)."""
        person = self._state.person(user)
        if person.last_interaction is None:
            person.pending_ref = ref
            return False
        self._state.interacted(person)
        if ref:
            self._webhooks.from_person(person, referral=_referral(ref))
        return True

    def react(self, user: str, message_id: str, emoji: str) -> None:
        person = self._state.person(user)
        self._state.interacted(person)
        reaction = {"mid": message_id, "action": "react", "reaction": "other", "emoji": emoji}
        self._webhooks.from_person(person, reaction=reaction)

    def edit(self, user: str, message_id: str, text: str) -> None:
        entry = self._state.transcript.find(message_id)
        if entry:
            self._state.transcript.update(entry, text=text)
        edited = {"mid": message_id, "text": text, "num_edit": 1}
        self._webhooks.from_person(self._state.person(user), message_edit=edited)

    def staff_reply(self, user: str, text: str) -> str:
        """An agent answers in the Inbox: takes the thread when routing is on, then an echo of another app (§4)."""
        person = self._state.person(user)
        if self._state.options.routing == "default_app" and self._state.owner(person) != INBOX_APP_ID:
            before = self._state.owner(person)
            self._state.own(person, INBOX_APP_ID)
            taken = {"previous_owner_app_id": before, "new_owner_app_id": INBOX_APP_ID, "metadata": ""}
            self._webhooks.about_thread(person, take_thread_control=taken)
        entry = self._add(person, "text", text=text, author="staff")
        self._state.own(person, person.owner)
        self._webhooks.echo(person, {"mid": entry.message_id, "text": text}, INBOX_APP_ID, by_api=False)
        return entry.message_id

    def hand_back(self, user: str) -> None:
        """The agent marks the chat as done: control passes to the default app, ours."""
        person = self._state.person(user)
        before = self._state.owner(person)
        self._state.own(person, self._state.app_id)
        passed = {"previous_owner_app_id": before, "new_owner_app_id": self._state.app_id, "metadata": ""}
        self._webhooks.about_thread(person, pass_thread_control=passed)

    @property
    def receipts(self) -> Receipts:
        return self._state.options.receipts

    def phone_rings(self, person: Person) -> None:
        """A message reached Meta for this person; an open chat page notices by itself (`looks`)."""
        if self._state.options.receipts == "auto":
            self._webhooks.timers.after(2 * ECHO_DELAY, lambda: self.receive(person.psid))
            self._webhooks.timers.after(4 * ECHO_DELAY, lambda: self.see(person.psid))

    def receive(self, user: str) -> list[str]:
        """One `delivery` event for all messages that the phone did not have yet."""
        arrived = self.mark(user, "delivered_at")
        if arrived:
            delivery: dict[str, Any] = {"watermark": epoch_ms(self._state.clock.now())}
            if self._state.options.delivery_mids:
                delivery["mids"] = arrived
            self._webhooks.from_person(self._state.person(user), delivery=delivery)
        return arrived

    def see(self, user: str) -> list[str]:
        """One `read` event up to now; the phone has the messages now, too."""
        self.receive(user)
        seen = self.mark(user, "seen_at")
        if seen:
            read = {"watermark": epoch_ms(self._state.clock.now())}
            self._webhooks.from_person(self._state.person(user), read=read)
        return seen

    def page_saw(self, person: Person) -> None:
        """`mark_seen`: the Page has seen what the person wrote."""
        for entry in self._state.transcript.of(person.psid):
            if entry.author == "user" and entry.seen_at is None:
                self._state.transcript.update(entry, seen_at=self._state.clock.now())

    def menu(self) -> list[Tap]:
        """The persistent menu's items (messenger.md §5)."""
        menus = self._state.profile.get("persistent_menu") or [{}]
        return [
            Tap(item["title"], item["type"], payload=item.get("payload"), url=item.get("url"))
            for item in menus[0].get("call_to_actions", [])
        ]

    def ice_breakers(self) -> list[Tap]:
        """Questions offered before the first message; they hide Get Started."""
        rows = self._state.profile.get("ice_breakers") or []
        if rows and "call_to_actions" in rows[0]:
            rows = rows[0]["call_to_actions"]
        return [Tap(row["question"], "postback", payload=row["payload"]) for row in rows]

    def _postback(self, person: Person, title: str, payload: str, referral: dict[str, str] | None = None) -> None:
        self._state.interacted(person)
        entry = self._add(person, "text", text=title)
        postback: dict[str, Any] = {"mid": entry.message_id, "title": title, "payload": payload}
        if referral:
            postback["referral"] = referral
        self._webhooks.from_person(person, postback=postback)

    def _send(
        self,
        user: str,
        kind: str,
        message: dict[str, Any],
        *,
        text: str = "",
        media: Media | None = None,
        location: dict[str, float] | None = None,
        quote: str | None = None,
    ) -> str:
        person = self._state.person(user)
        entry = self._add(person, kind, text=text, media=media, location=location, quote=quote)
        self._state.interacted(person)
        self._webhooks.from_person(person, message={"mid": entry.message_id, **message})
        return entry.message_id

    def _add(self, person: Person, kind: str, *, media: Media | None = None, **said: Any) -> Entry:
        entry = Entry(
            user=person.psid,
            author=said.pop("author", "user"),
            message_id=self._state.new_message_id(),
            kind=kind,
            at=self._state.clock.now(),
            media=(media,) if media else (),
            **said,
        )
        return self._state.transcript.add(entry)


def _referral(ref: str) -> dict[str, str]:
    return {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}
