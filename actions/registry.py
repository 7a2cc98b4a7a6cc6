"""All handlers and forms of the product: importing the modules of this package registers them."""

from actions import (  # noqa: F401
    accounts,
    bills,
    contract,
    conversation,
    estimate_form,
    evidence,
    explain,
    failures,
    hazards,
    notices,
    offices,
    outage_reports,
    outages,
    payment_problems,
    payments,
    people,
    price_questions,
    privacy,
    questions,
    rights,
    service_forms,
    service_requests,
    services,
    usage,
    usage_alerts,
    voltage,
)
from actions.handlers import registry

__all__ = ["registry"]
