"""The Graph API's error answers (messenger.md §7)."""

import secrets

from flask import Response, jsonify

MESSAGES = {
    (1, None): "An unknown error has occurred.",
    (2, None): "Service temporarily unavailable",
    (10, 2018278): "(#10) This message is sent outside of allowed window.",
    (100, 2018001): "(#100) No matching user found",
    (100, 2018008): "(#100) Failed to fetch the file from the url",
    (100, 2018014): "(#100) Cannot send message and sender action together",
    (100, 2018047): "(#100) Upload attachment failure: the type does not match the file",
    (100, 2018074): "(#100) Invalid attachment id",
    (100, 2018109): "(#100) Attachment size exceeds allowable limit",
    (100, 2534037): "(#100) The application does not own the thread",
    (190, None): "Invalid OAuth access token - Cannot parse access token",
    (190, 460): "Error validating access token: the session is invalid because the password was changed",
    (200, 2018027): "(#200) The permission was not reviewed for this app",
    (551, 1545041): "(#551) This person isn't available right now.",
    (613, None): "(#613) Calls to this api have exceeded the rate limit.",
    (2018218, None): "(#2018218) This account has no profile",
    (2018300, None): "(#2018300) Another app controls this thread",
}


class GraphError(Exception):
    """An error answer: HTTP 400, or 500 for the two temporary codes."""

    def __init__(self, code: int, subcode: int | None = None, message: str | None = None) -> None:
        self.code = code
        self.subcode = subcode
        self.message = message or MESSAGES.get((code, subcode)) or MESSAGES.get((code, None)) or f"(#{code}) Error"
        super().__init__(self.message)


def invalid(what: str) -> GraphError:
    return GraphError(100, None, f"(#100) {what}")


def failure(error: GraphError) -> Response:
    body: dict[str, str | int] = {"message": error.message, "type": "OAuthException", "code": error.code}
    if error.subcode is not None:
        body["error_subcode"] = error.subcode
    body["fbtrace_id"] = secrets.token_urlsafe(9)
    answer = jsonify({"error": body})
    answer.status_code = 500 if error.code in {1, 2} else 400
    return answer
