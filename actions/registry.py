"""All handlers and forms of the product: importing the modules of this package registers them."""

from actions import (  # noqa: F401
    accounts,
    advice,
    bills,
    contract,
    conversation,
    evidence,
    explain,
    failures,
    hazards,
    offices,
    outage_reports,
    outages,
    payments,
    people,
    privacy,
    rights,
    service_forms,
    service_requests,
    services,
    usage,
    voltage,
)
from actions.handlers import registry

__all__ = ["registry"]
