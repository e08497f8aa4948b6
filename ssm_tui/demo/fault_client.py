"""Orders faults of a running demo cloud."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from ssm_tui.demo.fault_orders import Fault, LiveSession, Order
from ssm_tui.demo.order_client import OrderClient

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultClient:
    """`environment` is the cloud's, as `ssm-tui demo` prints it; nodes are looked for in `region`."""

    def __init__(self, environment: Mapping[str, str], region: str = "") -> None:
        self._orders = OrderClient(environment, region, command="ssm-tui demo fault")
        self._own_key = environment.get("AWS_ACCESS_KEY_ID", "")

    def inject(self, order: Order) -> tuple[str, ...]:
        """Carries out the order; what it fell on: ids of sessions, of the node, names. Raises OrderError."""
        if order.fault in (Fault.EXPIRE_CREDENTIALS, Fault.RENEW_CREDENTIALS) and not order.key:
            order = replace(order, key=self._own_key)
        return tuple(self._orders.call("InjectFault", msgspec.to_builtins(order))["Affected"])

    def sessions(self) -> tuple[LiveSession, ...]:
        """The sessions that the cloud's gateway holds."""
        return msgspec.convert(self._orders.call("ListSessions", {})["Sessions"], tuple[LiveSession, ...])
