"""The real servers behind the demo's private endpoints, all on loopback: PostgreSQL, Redis, what listens on a node."""

from __future__ import annotations

from ssm_tui.demo.servers.node_services import NodeServices
from ssm_tui.demo.servers.postgres import Database, Postgres, ServerError
from ssm_tui.demo.servers.redis import Redis

__all__ = ["Database", "NodeServices", "Postgres", "Redis", "ServerError"]
