"""All handlers and forms of the product, gathered from the modules of this package."""

from actions import (
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
    service_forms,
    service_requests,
    services,
    usage,
    voltage,
)
from actions.handlers import registry

__all__ = ["registry"]

MODULES = (
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
    service_forms,
    service_requests,
    services,
    usage,
    voltage,
)
