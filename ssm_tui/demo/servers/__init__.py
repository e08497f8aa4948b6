"""The real servers behind the demo's private endpoints, all on loopback: PostgreSQL, Redis, a MySQL without tables,
what ends TLS before them; and what listens on a node."""

from __future__ import annotations

from ssm_tui.demo.servers.authority import Authority
from ssm_tui.demo.servers.front import CacheUser, Far, Fronts, Terms, Tls
from ssm_tui.demo.servers.mysql import MySql
from ssm_tui.demo.servers.node_services import NodeServices
from ssm_tui.demo.servers.postgres import Database, Postgres, ServerError
from ssm_tui.demo.servers.postgres_front import PostgresFront
from ssm_tui.demo.servers.redis import Redis
from ssm_tui.demo.servers.redis_front import RedisFront

__all__ = [
    "Authority",
    "CacheUser",
    "Database",
    "Far",
    "Fronts",
    "MySql",
    "NodeServices",
    "Postgres",
    "PostgresFront",
    "Redis",
    "RedisFront",
    "ServerError",
    "Terms",
    "Tls",
]
