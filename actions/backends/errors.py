"""What can go wrong between us and a backend, as types with one meaning each.

BackendError
├── BackendDown    no usable answer now: timeout, no connection, 5xx, 429, circuit open. It may work later.
├── BackendWrong   an answer that breaks the contract: garbage, another content type or shape. Retrying is no use.
├── NotFound       the backend answers that there is no such customer, ticket … (404 in the contract's own form).
├── Rejected       the backend understood and refuses (409, 422 …); `code` says why, in the contract's words.
└── NotAllowed     the token is refused (401, 403): a setting is wrong; people must mend it.

No text of these errors holds a customer code, an address of a request or a value of an answer: they may be logged.
"""


class BackendError(Exception):
    """Any failure of a call to a backend; `operation` names the call as `openapi.yaml` does."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}: {reason}")
        self.operation = operation
        self.reason = reason


class BackendDown(BackendError):
    """No usable answer now. `transient` tells whether trying again at once makes sense."""

    def __init__(self, operation: str, reason: str, *, transient: bool = True) -> None:
        super().__init__(operation, reason)
        self.transient = transient


class BackendWrong(BackendError):
    """An answer outside the contract."""


class NotFound(BackendError):
    """The thing asked for does not exist."""


class Rejected(BackendError):
    """Understood and refused. `code` is machine-readable; `message` is the backend's own text, for staff."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(operation, f"rejected ({code})")
        self.code = code
        self.message = message


class NotAllowed(BackendError):
    """The backend refuses our token."""
