"""All handlers and forms of the product, gathered from the modules of this package."""

from actions import (
    accounts,
    advice,
    bills,
    conversation,
    evidence,
    explain,
    failures,
    hazards,
    outage_reports,
    outages,
    payments,
    people,
    privacy,
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
    conversation,
    evidence,
    explain,
    failures,
    hazards,
    outage_reports,
    outages,
    payments,
    people,
    privacy,
    services,
    usage,
    voltage,
)
