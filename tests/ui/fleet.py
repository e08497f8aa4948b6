"""A small fleet with one of everything that the screen must show."""

from __future__ import annotations

from datetime import timedelta

from ssm_tui.domain.access import Access, everywhere
from ssm_tui.domain.databases import DatabasePage, Kind, Role
from ssm_tui.domain.nodes import NodePage, Ping, Platform
from tests.ui.fakes import HOSTILE, MAYBE, NETWORK, NO, NOW, YES, FakeCloud, World, database, node

NODES = (
    node(0xA1, "결제-api-1", tags={"env": "prod", "team": "pay"}),
    node(0xA2, "결제-api-2", tags={"env": "prod", "team": "pay"}),
    node(0xB1, "web-1"),
    node(0xB2, "web-2", ip="10.1.4.62", az="eu-west-1b"),
    node(0xB3, "web-10", tags={"env": "dev", "team": "web"}),
    node(0xC1, "🚀 launcher", tags={"env": "dev", "team": "ops"}),
    node(0xC2, HOSTILE, tags={"env": "[red]", "team": "\x1b[31m"}),
    node(0xD1, "legacy-batch", ping=Ping.LOST, last_ping=NOW - timedelta(hours=3), os="Windows Server 2022",
         platform=Platform.WINDOWS),
    node(0xD2, "no-role", ping=Ping.UNMANAGED, last_ping=None, agent_version=None, role=None),
    node(0xD3, ""),
    node(0xE1, "secret-vault", tags={"env": "prod", "team": "security"}),
    node(0xE2, "half-known"),
)  # fmt: skip

ANSWERS = {
    NODES[10].id: everywhere(NO),
    NODES[9].id: Access(YES, NO, NO, NO),
    NODES[11].id: everywhere(MAYBE),
}

DATABASES = (
    database("orders"),
    database("ledger/writer", kind=Kind.AURORA, engine="aurora-postgresql", version="16.6", role=Role.WRITER),
    database("cache", kind=Kind.ELASTICACHE, engine="redis", version="7.1", port=6379, user=None, database=None),
    database("far-away", vpc="vpc-9"),
)


def small_world() -> World:
    """The fleet behind fakes, in two pages."""
    cloud = FakeCloud(
        pages=[NodePage(NODES[:6]), NodePage(NODES[6:])],
        answers=dict(ANSWERS),
        database_list=[DatabasePage(DATABASES, NETWORK)],
    )
    return World(cloud)
