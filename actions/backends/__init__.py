"""The utility's two systems as contracts: `openapi.yaml`, and the clients that speak them.

*billing* knows customers, invoices, payments and readings; *service* knows contracts, outages, tickets and offices,
and sends text messages to the phone on the contract.
"""

from actions.backends.billing import BillingClient
from actions.backends.service import ServiceClient

__all__ = ["BillingClient", "ServiceClient"]
