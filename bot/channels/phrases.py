"""The few words a channel itself has to add when a platform cannot show all buttons."""

CHOOSE = "Mời quý khách chọn:"
OR_REPLY = "Hoặc quý khách nhắn: {titles}."
REPLY_BY_NUMBER = "Quý khách nhắn số để chọn:"
_CALL = "{title}: {phone}"
OPEN = "{title}: {url}"


def call(title: str, phone: str) -> str:
    """A phone button told in the text; a title that already names the number is enough."""
    return title if phone in title else _CALL.format(title=title, phone=phone)
