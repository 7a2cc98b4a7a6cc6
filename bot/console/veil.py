"""What the signed-in person may see of whom: covered, until they opened it with a reason."""

import re
from datetime import datetime

from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from bot.console.access import signed_in
from bot.console.masking import cover, cover_code, cover_name, find_personal
from bot.console.office import office
from bot.store import staff
from bot.store.models import Contact, Message
from bot.text import fold


def uncover(transaction: Session, contact_id: int, reason: str) -> None:
    """From now on, for a while, the signed-in person sees this contact's data; the audit keeps why."""
    staff.open_personal_data(
        transaction, staff_id=signed_in().id, contact_id=contact_id, reason=reason, now=office().clock()
    )


class Veil:
    """Of one request."""

    def __init__(self, transaction: Session) -> None:
        self._public = (office().company.hotline,)
        self._open = staff.open_now(transaction, staff_id=signed_in().id, now=office().clock())

    def opened_until(self, contact_id: int) -> datetime | None:
        return self._open.get(contact_id)

    def name(self, contact: Contact) -> str:
        """What the person is called; without a name, or covered, their number with us tells them apart."""
        if not contact.display_name:
            return f"#{contact.id}"
        return contact.display_name if contact.id in self._open else f"{cover_name(contact.display_name)} #{contact.id}"

    def code(self, code: str, contact: Contact) -> str:
        return code if contact.id in self._open else cover_code(code)

    def words(self, text: str, contact: Contact) -> str:
        """Of a note, a notice, a summary."""
        if contact.id in self._open:
            return text
        return cover(text, find_personal(text, names=[contact.display_name], public=self._public))

    def text(self, message: Message, contact: Contact, looked_for: str = "") -> Markup:
        """What was said, with the words that were looked for marked."""
        said = message.text
        if contact.id not in self._open:
            found = (message.understanding or {}).get("entities", [])
            names = [contact.display_name]
            said = cover(said, find_personal(said, entities=found, names=names, public=self._public))
        return _mark(said, looked_for)


def _mark(text: str, looked_for: str) -> Markup:
    words = [re.escape(word) for word in re.findall(r"\w+", fold(looked_for))]
    plain = fold(text)
    if not words or len(plain) != len(text):
        return escape(text)
    shown, at = Markup(), 0
    for match in re.finditer(rf"\b(?:{'|'.join(words)})\b", plain):
        shown += escape(text[at : match.start()]) + Markup("<mark>{}</mark>").format(text[match.start() : match.end()])
        at = match.end()
    return shown + escape(text[at:])
