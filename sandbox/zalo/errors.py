"""Zalo's error answers: HTTP 200 with a negative `error` (zalo.md §0.2, §7)."""

from typing import Any

from flask import Response, jsonify

MESSAGES = {
    -32: "Application or OA has reached the maximum number of requests per minute",
    -100: "attachment_id was expired",
    -108: "Phone number is invalid",
    -109: "Template ID is invalid",
    -112: "Template data content is invalid",
    -118: "Zalo account does not exist",
    -119: "Account cannot receive the notification",
    -124: "Access token is invalid",
    -127: "Test template can only be sent to admins",
    -131: "Template is not approved",
    -133: "Notification is not allowed to be sent at night (from 22:00 to 06:00)",
    -144: "OA has reached the daily quota",
    -146: "Template is disabled due to low quality",
    -161: "sending_mode is invalid",
    -162: "sending_mode 3 is not allowed for this template tag",
    -200: "Sending message failed",
    -201: "Params is invalid",
    -204: "Offical Account is disabled or deleted",
    -210: "Parameter exceeds the limit",
    -211: "Out of quota",
    -213: "User has not followed OA",
    -216: "Access token is invalid",
    -217: "User has blocked invitations from OA",
    -218: "Out of quota receive of user",
    -220: "Access token is expired or removed",
    -224: "Offical Account package is too low to use this feature",
    -227: "User is banned or has been inactive for more than 45 days",
    -230: "User has not interacted with the OA in the past 7 days",
    -232: "User has not interacted with the OA, or the interaction has expired",
    -233: "Message type is not supported",
    -234: "This type of message is not allowed to be sent at night (from 22:00 to 06:00)",
    -240: "This api is shut down",
    -244: "User has restricted this type of message from your OA",
    -248: "Message violates the platform standards",
    -249: "Template cannot be sent by user_id",
    -1121: "Template parameter is too long",
    -1122: "Template parameter is missing",
    -1124: "Template parameter has the wrong format",
}


class ZaloError(Exception):
    """An answer other than success. `message` defaults to the usual text of the code."""

    def __init__(self, code: int, message: str | None = None) -> None:
        self.code = code
        self.message = message or MESSAGES.get(code, "Error")
        super().__init__(f"{code} {self.message}")


def success(data: Any, **beside: Any) -> Response:
    return jsonify({"error": 0, "message": "Success", "data": data, **beside})


def failure(error: ZaloError) -> Response:
    return jsonify({"error": error.code, "message": error.message})
