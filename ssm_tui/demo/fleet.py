"""Reads fleet.toml into typed values: what the demo cloud holds when it starts. Nothing refers to it afterwards."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping  # noqa: TC003 -- msgspec reads the annotations
from dataclasses import dataclass, field
from importlib.resources import files

import msgspec


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    default_region: str


@dataclass(frozen=True, slots=True)
class Subnet:
    name: str
    zone: str
    cidr: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Interface endpoints for Systems Manager: their security group and where they stand."""

    group: str
    subnets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Network:
    region: str
    cidr: str
    subnets: tuple[Subnet, ...]
    endpoints: Endpoints | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may connect to a port: a security group of the same network, or a CIDR. (`from` is no name in Python.)"""

    port: int
    source: str


@dataclass(frozen=True, slots=True)
class Nodes:
    name: str
    network: str
    subnets: tuple[str, ...]
    group: str
    tags: Mapping[str, str]
    count: int = 1
    first: int = 1
    system: str = "amazon"
    type: str = "t3.medium"
    agent: str = "3.3.987.0"
    role: str = "app-node"
    lost_for_hours: int = 0
    stopped: bool = False

    def names(self) -> list[str]:
        return [self.name.replace("{n}", str(number)) for number in range(self.first, self.first + self.count)]


@dataclass(frozen=True, slots=True)
class HybridNode:
    name: str
    id: str
    region: str
    address: str
    tags: Mapping[str, str]
    system: str = "amazon"
    agent: str = "3.3.987.0"


@dataclass(frozen=True, slots=True)
class Service:
    """A service of ECS on Fargate, its tasks spread over the subnets. `exec`: whether they take ECS Exec."""

    name: str
    cluster: str
    network: str
    subnets: tuple[str, ...]
    group: str
    tags: Mapping[str, str]
    containers: tuple[str, ...] = ("app",)
    count: int = 1
    role: str = "shop-task"
    exec: bool = True


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    kind: str
    name: str
    engine: str
    network: str
    subnets: tuple[str, ...]
    group: str
    tags: Mapping[str, str]
    version: str = ""
    database: str = ""
    user: str = ""
    iam_auth: bool = False
    token_user: str = ""
    """Another user, who logs in by IAM."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Where they differ from the engine's: in a parameter group of the database's own."""
    tls: bool = False
    """Of caches: whether they take TLS, and nothing else. One with a user has an access list of users."""
    managed: bool = False
    """Whether RDS keeps the user's password, in a secret of its own."""
    secret: str = ""
    """Name of a secret of one's own that holds the user's password."""
    members: int = 1
    target: str = ""


@dataclass(frozen=True, slots=True)
class Developer:
    name: str
    tags: Mapping[str, str]
    policy_name: str
    policy: str


@dataclass(frozen=True, slots=True)
class Administrator:
    name: str


@dataclass(frozen=True, slots=True)
class Fleet:
    account: Account
    networks: Mapping[str, Network]
    groups: Mapping[str, Mapping[str, tuple[Admission, ...]]]
    nodes: tuple[Nodes, ...]
    services: tuple[Service, ...]
    databases: tuple[DatabaseSpec, ...]
    developer: Developer
    administrator: Administrator
    hybrid: tuple[HybridNode, ...] = field(default=())


def read_fleet() -> Fleet:
    """The fleet that comes with the package."""
    raw = tomllib.loads(files("ssm_tui.demo").joinpath("fleet.toml").read_text(encoding="utf-8"))
    for groups in raw["groups"].values():
        for rules in groups.values():
            for rule in rules:
                rule["source"] = rule.pop("from")
    return msgspec.convert(raw, Fleet)
