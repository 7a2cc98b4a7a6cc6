"""The few words a channel itself has to add when a platform cannot show all buttons."""

CHOOSE = "Mời quý khách chọn:"
OR_REPLY = "Hoặc quý khách nhắn: {titles}."
REPLY_BY_NUMBER = "Quý khách nhắn số để chọn:"
CALL = "{title}: {phone}"
OPEN = "{title}: {url}"
