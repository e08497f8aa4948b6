"""The machines that a stubbed AWS has: as many as wanted, each made from its number alone, always the same."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

ACCOUNT = "123456789012"
REGION = "ap-northeast-2"
NOW = 1_790_000_000
"""Seconds of the epoch at which agents were last heard."""
_KINDS = ("web", "api", "batch", "cache", "결제", "worker", "proxy", "build")
_TEAMS = ("pay", "web", "data", "ops", "search")
_ENVIRONMENTS = ("prod", "dev", "stage")
_SYSTEMS = (
    ("Linux", "Amazon Linux", "2023"),
    ("Linux", "Ubuntu", "22.04"),
    ("Linux", "Red Hat Enterprise Linux", "9.4"),
    ("Windows", "Microsoft Windows Server 2022 Datacenter", "10.0.20348"),
)
_TYPES = ("t3.medium", "m6i.large", "c7g.xlarge", "r6i.2xlarge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine, as EC2 and SSM tell of it."""

    number: int
    id: str
    name: str
    """The computer's own name, as its agent tells it."""
    tags: Mapping[str, str]
    ping: str | None
    """PingStatus; None where SSM does not know it."""
    state: str = "running"
    platform: str
    os: str
    version: str
    ip: str
    vpc: str
    subnet: str
    az: str
    groups: tuple[str, ...]
    role: str
    type: str
    launched: int

    @property
    def hybrid(self) -> bool:
        return self.id.startswith("mi-")


@dataclass
class Fleet:
    """`count` machines, of which shares are hybrid, or unknown to SSM. `changes` are fields of single machines that are
    otherwise than their number makes them; to be changed by `change`, while nothing is being read."""

    count: int
    hybrid: float = 0.01
    unmanaged: float = 0.1
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    order: int | None = None
    """Seeds an order of its own for each of the lists; None leaves them by number."""
    version: int = 0

    def change(self, number: int, **fields: Any) -> Machine:
        """A machine becomes another."""
        self.changes.setdefault(number, {}).update(fields)
        self.version += 1
        self.__dict__.pop("instances", None)
        self.__dict__.pop("managed", None)
        return self.machine(number)

    def machine(self, number: int) -> Machine:
        made = _machine(number, self._is_hybrid(number), self._is_managed(number))
        changes = self.changes.get(number)
        return replace(made, **changes) if changes else made

    @cached_property
    def instances(self) -> list[int]:
        """Those that EC2 lists, in its order."""
        return self._ordered(n for n in range(self.count) if not self._hybrid_at_last(n))

    @cached_property
    def managed(self) -> list[int]:
        """Those that SSM lists, in its order."""
        return self._ordered(n for n in range(self.count) if self._ping_at_last(n))

    @property
    def hybrids(self) -> list[int]:
        return [n for n in self.managed if self._hybrid_at_last(n)]

    def _ordered(self, numbers: Any) -> list[int]:
        listed = list(numbers)
        if self.order is not None:
            random.Random(f"{self.order} {len(listed)}").shuffle(listed)
        return listed

    def _is_hybrid(self, number: int) -> bool:
        return _happens(number, self.hybrid, 7)

    def _is_managed(self, number: int) -> bool:
        return self._is_hybrid(number) or not _happens(number, self.unmanaged, 3)

    def _hybrid_at_last(self, number: int) -> bool:
        return self.machine(number).hybrid if number in self.changes else self._is_hybrid(number)

    def _ping_at_last(self, number: int) -> bool:
        return self.machine(number).ping is not None if number in self.changes else self._is_managed(number)


def _happens(number: int, share: float, phase: int) -> bool:
    """Evenly spread: of any k/share machines in a row, k."""
    return int((number + phase) * share) != int((number + phase + 1) * share)


def _machine(number: int, hybrid: bool, managed: bool) -> Machine:
    mixed = (number * 2_654_435_761 + 12_345) & 0xFFFFFFFF
    kind, team = _KINDS[mixed % 8], _TEAMS[mixed // 8 % 5]
    name = f"{kind}-{number:05d}"
    platform, os, version = _SYSTEMS[mixed // 64 % 4]
    low = (number * 0x9E3779B97F4A7C15 + 0x5DEECE66D) & 0xFFFFFFFFFFFFFFFF
    ip = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    zone, environment = "abc"[number % 3], _ENVIRONMENTS[mixed // 512 % 3]
    return Machine(
        number=number,
        id=f"{'mi' if hybrid else 'i'}-0{low:016x}",
        name=f"host-{number:05d}.corp.example" if hybrid else f"ip-{ip.replace('.', '-')}.{REGION}.compute.internal",
        tags={
            "Name": name,
            "env": environment,
            "team": team,
            "service": f"{team}-{kind}",
            "cost-center": str(4000 + mixed % 97),
            "aws:autoscaling:groupName": f"{environment}-{team}-{kind}-asg",
        },
        ping=("ConnectionLost" if mixed // 4096 % 50 == 0 else "Online") if managed else None,
        platform=platform,
        os=os,
        version=version,
        ip=ip,
        vpc=f"vpc-0{mixed % 7:016x}",
        subnet=f"subnet-0{mixed % 7 * 3 + number % 3:016x}",
        az=f"{REGION}{zone}",
        groups=(f"sg-0{mixed % 31:016x}", f"sg-0{mixed % 7 + 256:016x}"),
        role=f"app-{team}",
        type=_TYPES[mixed // 16384 % 4],
        launched=NOW - 86_400 - mixed % 31_536_000,
    )
