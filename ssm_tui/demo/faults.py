"""The faults that last: which calls, keys, databases and resumptions are refused at the moment. Asked, never asking.

Thread-safe and free of moto. `hinder` is asked before each call of AWS is answered, `reach` before a database is
dialled. Without faults each costs one look.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssm_tui.demo.agent import FarRefused, FarTimeout
from ssm_tui.demo.answers import AwsFault
from ssm_tui.demo.authorization import expired_token
from ssm_tui.demo.fault_orders import Fault

if TYPE_CHECKING:
    from ssm_tui.demo.fault_orders import Order
    from ssm_tui.demo.wire import WireRequest

_INTERNAL = "The server encountered an internal error. Please try again later."


@dataclass(slots=True)
class _Hindrance:
    """Calls of one action that go wrong; whoever ordered it is spared."""

    order: Order
    spared: str
    left: int

    def concerns(self, request: WireRequest) -> bool:
        return request.access_key != self.spared and self.order.action in ("*", request.action)


@dataclass(slots=True)
class Faults:
    """All lasting faults of one cloud."""

    _guard: threading.Lock = field(default_factory=threading.Lock)
    _hindrances: list[_Hindrance] = field(default_factory=list)
    _expired: set[str] = field(default_factory=set)
    _databases: dict[str, Fault] = field(default_factory=dict)
    _resumptions: dict[tuple[str, str], str] = field(default_factory=dict)
    """(session, node), one or both empty: the code of the refusal, empty for an answer without a token."""
    _cleared: threading.Event = field(default_factory=threading.Event)
    """Slow calls wait for it; a new one after each time."""

    def hinder(self, request: WireRequest) -> None:
        """Raises AwsFault or takes its time, where a fault lies on the call."""
        if request.access_key in self._expired:
            raise expired_token(request)
        if not self._hindrances:
            return
        order = self._take(request)
        if order is None:
            return
        match order.fault:
            case Fault.SLOW:
                self._cleared.wait(order.seconds)
            case Fault.THROTTLE:
                raise _throttled(request)
            case Fault.FAIL:
                raise AwsFault("InternalError" if request.service == "ec2" else "InternalServerError", _INTERNAL, 500)

    def resumption(self, session: str, node: str) -> str | None:
        """How a session may not be resumed: a code, or empty for an answer without a token. None where it may."""
        with self._guard:
            found = (self._resumptions.get(each) for each in ((session, ""), ("", node), ("", "")))
            return next((each for each in found if each is not None), None)

    def reach(self, host: str, port: int) -> None:
        """Raises FarRefused or FarTimeout where the database's fault is on."""
        if not self._databases:
            return
        fault = self._databases.get(host) or self._databases.get(host.partition(".")[0])
        if fault is Fault.DATABASE_DOWN:
            raise FarRefused(f"dial tcp {host}:{port}: connect: connection refused")
        if fault is Fault.DATABASE_SILENT:
            raise FarTimeout(f"dial tcp {host}:{port}: i/o timeout")

    def hinder_calls(self, order: Order, spared: str) -> None:
        """From now on calls of the order's action are slow, throttled or failing, but not those of the key `spared`."""
        with self._guard:
            self._hindrances.append(_Hindrance(order, spared, order.calls))

    def expire(self, key: str) -> None:
        with self._guard:
            self._expired.add(key)

    def renew(self, key: str) -> None:
        with self._guard:
            self._expired.discard(key)

    def break_database(self, name: str, fault: Fault) -> None:
        with self._guard:
            self._databases[name.lower()] = fault

    def mend_database(self, name: str) -> None:
        with self._guard:
            self._databases.pop(name.lower(), None)

    def refuse_resumption(self, session: str, node: str, code: str) -> None:
        with self._guard:
            self._resumptions[session, node] = code

    def allow_resumption(self, session: str, node: str) -> None:
        """For everything, where neither is named."""
        with self._guard:
            if session or node:
                self._resumptions.pop((session, node), None)
            else:
                self._resumptions.clear()

    def clear(self) -> None:
        with self._guard:
            self._hindrances.clear()
            self._expired.clear()
            self._databases.clear()
            self._resumptions.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    def _take(self, request: WireRequest) -> Order | None:
        """The first order that concerns the call; it is used up with its last."""
        with self._guard:
            for each in self._hindrances:
                if each.concerns(request):
                    each.left -= 1
                    if each.left == 0:
                        self._hindrances.remove(each)
                    return each.order
        return None


def _throttled(request: WireRequest) -> AwsFault:
    """In the code of the service that was called. Source: "Error responses" in the reference of each."""
    if request.service == "ec2":
        return AwsFault("RequestLimitExceeded", "Request limit exceeded.", 503)
    return AwsFault("ThrottlingException" if request.protocol == "json" else "Throttling", "Rate exceeded")
