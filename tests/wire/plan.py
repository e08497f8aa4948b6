"""What goes wrong at a stubbed AWS, and when: faults by operation and ordinal; and which calls were made."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Trouble(StrEnum):
    """What becomes of a call instead of its answer."""

    DENIED = "denied"
    THROTTLED = "throttled"
    EXPIRED = "expired"
    ERROR = "error"
    CUT = "cut"
    """Half of the answer comes, then the connection ends."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made. `operation` is as IAM spells it: `ec2:DescribeInstances`."""

    operation: str
    parameters: Mapping[str, Any]
    access_key: str


@dataclass
class Fault:
    """Strikes the calls of an operation from the `first` on, so many `times` (None: all). `ec2:*` strikes all calls of
    a service, `*` all calls; with `access_key` those of one caller alone."""

    trouble: Trouble
    operation: str
    first: int = 1
    times: int | None = None
    access_key: str | None = None
    struck: int = 0

    def strikes(self, call: Call, ordinal: int) -> bool:
        return (
            self.operation in (call.operation, f"{call.operation.partition(':')[0]}:*", "*")
            and ordinal >= self.first
            and (self.times is None or self.struck < self.times)
            and self.access_key in (None, call.access_key)
        )


@dataclass
class Gate:
    """Holds a call's answer back until it is opened. `reached` is set when the call has come."""

    operation: str
    ordinal: int
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        self.opened.set()


@dataclass
class Policies:
    """What the caller's policies allow: sessions on nodes whose tag `key` is among these (None: on all), but for nodes
    that are named as allowed or as forbidden; every session document but those named."""

    teams: frozenset[str] | None = None
    key: str = "team"
    allowed: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    most: int = 10_000
    """So many resources are simulated in a call; more are refused."""

    def decide(self, resource: str, tags: Mapping[str, str]) -> str:
        """IAM's word for the decision on starting a session there."""
        name = resource.rpartition("/")[2]
        if name in self.forbidden:
            return "explicitDeny"
        team = tags.get(f"ssm:resourceTag/{self.key}")
        known = self.teams is None or ":document/" in resource or team in self.teams or name in self.allowed
        return "allowed" if known else "implicitDeny"


class Plan:
    """The faults in force and the calls so far. May be used from any thread."""

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self.page_bounds: dict[str, int] = {}
        """By operation: pages smaller than what is asked for, as AWS may give them."""
        self.policies = Policies()
        self.hollow = False
        """Whether an empty page, with a token, comes before each other one, as AWS may do."""
        self._faults: list[Fault] = []
        self._gates: list[Gate] = []
        self._delays: dict[tuple[str, int], float] = {}
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def add(
        self,
        trouble: Trouble,
        operation: str,
        *,
        first: int = 1,
        times: int | None = None,
        access_key: str | None = None,
    ) -> Fault:
        """A fault from now on; `first` counts from the beginning or the last `reset`."""
        fault = Fault(trouble, operation, first, times, access_key)
        with self._lock:
            self._faults.append(fault)
        return fault

    def hold(self, operation: str, ordinal: int = 1) -> Gate:
        """The answer to this call waits until the gate is opened."""
        gate = Gate(operation, ordinal)
        with self._lock:
            self._gates.append(gate)
        return gate

    def delay(self, operation: str, ordinal: int, seconds: float) -> None:
        """The answer to this call takes so much longer."""
        self._delays[operation, ordinal] = seconds

    def reset(self) -> None:
        """No faults, and no calls yet. What waits goes on."""
        with self._lock:
            for gate in self._gates:
                gate.open()
            self._faults, self._gates, self._delays, self._calls = [], [], {}, []

    def forget_calls(self) -> None:
        """Counts from nothing again; the faults stay."""
        with self._lock:
            self._calls = []

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def counted(self) -> Counter[str]:
        """How often each operation was called."""
        return Counter(call.operation for call in self.calls)

    def meet(self, call: Call) -> tuple[Trouble | None, list[Gate], float]:
        """What becomes of a call that has just come; for the server."""
        with self._lock:
            self._calls.append(call)
            ordinal = sum(each.operation == call.operation for each in self._calls)
            fault = next((each for each in self._faults if each.strikes(call, ordinal)), None)
            if fault is not None:
                fault.struck += 1
            gates = [each for each in self._gates if (each.operation, each.ordinal) == (call.operation, ordinal)]
        wait = self.latency + self._delays.get((call.operation, ordinal), 0.0)
        return (fault.trouble if fault else None), gates, wait
