"""The reference implementation of both backend contracts, over the sandbox world."""

from sandbox.backends.billing import billing_blueprint
from sandbox.backends.control import control_blueprint
from sandbox.backends.faults import Faults
from sandbox.backends.payments import payments_blueprint
from sandbox.backends.service import service_blueprint

__all__ = ["Faults", "billing_blueprint", "control_blueprint", "payments_blueprint", "service_blueprint"]
