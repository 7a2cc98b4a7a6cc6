"""A small utility, made from a seed: customers, meters, bills, payments, outages, tickets."""

from sandbox.world.people import Persona
from sandbox.world.sms import Sms, SmsInbox
from sandbox.world.world import Refused, Unknown, World, build_world

__all__ = ["Persona", "Refused", "Sms", "SmsInbox", "Unknown", "World", "build_world"]
