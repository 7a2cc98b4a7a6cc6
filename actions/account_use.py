"""How an account's kWh are priced: as its newest bill was."""

from decimal import Decimal

from actions.backends.models import Customer, Invoice
from actions.bill_parts import reckoned
from actions.bills import find
from actions.desk import DeskTurn
from actions.tariff import Group, Tariffs, TariffUnknown, tariffs
from actions.use import Use
from bot.dialogue.turn import Account


def use_of(turn: DeskTurn, account: Account) -> Use | None:
    """What the account uses electricity for; None where nobody can tell at which prices."""
    customer = turn.desk.billing.customer(account.customer_code)
    return billed_as(customer, newest_bill(turn, account))


def newest_bill(turn: DeskTurn, account: Account) -> Invoice | None:
    return find(turn, account, None)[0]


def billed_as(customer: Customer, newest: Invoice | None, data: Tariffs | None = None) -> Use | None:
    """The use whose prices the newest bill has; of a household without one, what the contract says."""
    data = data or tariffs()
    if customer.tariff_group != "residential":
        return _of_group(customer.tariff_group, newest, data) if newest else None
    bill = reckoned(newest, [customer.household_norms], data) if newest and newest.kwh else None
    if bill is None:
        return _of_norms(customer.household_norms)
    if bill.scheme == "undeclared":
        return Use(kind="tenants", undeclared=True)
    if bill.scheme == "prepaid":
        return Use(kind="prepaid")
    return _of_norms(Decimal(bill.norms.numerator) / bill.norms.denominator)


def _of_norms(norms: Decimal) -> Use:
    return Use() if norms in {0, 1} else Use(kind="shared", norms=norms)


def _of_group(group: Group, newest: Invoice, data: Tariffs) -> Use | None:
    """The voltage class whose prices the bill's lines have, and the kWh of each band."""
    billed = {line.price: line.kwh for line in newest.lines}
    try:
        rows = data.non_residential_on(newest.last_day).groups[group]
    except TariffUnknown:
        return None
    for row in rows:
        bands = {price: band for band, price in row.bands.items()}
        if billed and billed.keys() <= bands.keys():
            split = {bands[price]: kwh for price, kwh in billed.items()}
            return Use(kind=group, kv=row.lowest_kv, split=None if split.keys() == {"normal"} else split)
    return None
