"""What the customer reads when a backend fails: short and honest, with a button to try again."""

from actions.backends.errors import BackendDown, BackendError, NotFound, Rejected
from actions.handlers import registry

registry.failure(BackendDown, "failure.backend_down")
registry.failure(BackendError, "failure.backend_wrong")
registry.failure(NotFound, "failure.not_found")
registry.failure(Rejected, "failure.rejected")
