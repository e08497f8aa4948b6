"""Connection strings for a database behind a local port, each quoted as its format demands. Never a password.

What stands in for one is the client's own way of asking: psql, mysql, mongosh, sqlcmd and redis-cli prompt (or read
PGPASSWORD, MYSQL_PWD, SQLCMDPASSWORD, REDISCLI_AUTH), drivers take a password apart from the string.
"""

from __future__ import annotations

from ssm_tui.domain.connection.checks import Check, Format
from ssm_tui.domain.connection.endpoint import Endpoint, endpoint
from ssm_tui.domain.connection.environment import environment
from ssm_tui.domain.connection.formats import checked, formats, render
from ssm_tui.domain.connection.trust import NO_TRUST, Trust

__all__ = [
    "NO_TRUST",
    "Check",
    "Endpoint",
    "Format",
    "Trust",
    "checked",
    "endpoint",
    "environment",
    "formats",
    "render",
]
