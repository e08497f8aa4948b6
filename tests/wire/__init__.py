"""AWS's listing APIs over real HTTP, from a generated fleet of any size: fast, counted, and with faults on order."""

from tests.wire.fleet import Fleet, Machine
from tests.wire.plan import Call, Fault, Plan, Trouble
from tests.wire.server import Wire

__all__ = ["Call", "Fault", "Fleet", "Machine", "Plan", "Trouble", "Wire"]
