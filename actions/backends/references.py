"""How the utility's systems name one of our chats."""

import re
from typing import Final

_FORM: Final = re.compile(r"contact-(\d{1,18})")


def contact_reference(contact_id: int) -> str:
    return f"contact-{contact_id}"


def contact_id_of(reference: str) -> int | None:
    """None for a reference that is not one of ours."""
    found = _FORM.fullmatch(reference)
    return int(found[1]) if found else None
