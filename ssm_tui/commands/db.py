"""`ssm-tui db`: databases with the relay chosen for each and why, one a line, or one JSON array."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ssm_tui.commands.reading import read_all, read_databases
from ssm_tui.commands.terminal import write_line, write_table
from ssm_tui.domain.ordering import database_order
from ssm_tui.domain.relays import Relays

if TYPE_CHECKING:
    from ssm_tui.commands.reading import Found
    from ssm_tui.domain.access import Answer
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.relays import Preferences, Relay
    from ssm_tui.domain.services import Clouds

HEAD = ("ID", "ENGINE", "ROLE", "ENDPOINT", "CONTEXT", "REACHABLE", "RELAY", "WHY")
RANKED = 20
"""Candidates that are told of each database, the best first."""


def run(clouds: Clouds, wanted: Filter, preferences: Preferences, *, as_json: bool) -> int:
    """Lists the databases that match. Raises SsmTuiError; 1 where a context could not be read."""
    listing = read_all(clouds, read_databases)
    found = [(each, database) for each in listing.found for database in each.databases if wanted.matches(database)]
    found.sort(key=lambda each: database_order(each[1]))
    relays = {each.context: Relays(each.nodes, each.terrain, preferences) for each in listing.found}
    if as_json:
        objects = [_described(each, database, relays[each.context]) for each, database in found]
        write_line(json.dumps(objects, ensure_ascii=False, indent=2))
    else:
        chosen = ((database, relays[each.context].choose(database)) for each, database in found)
        write_table(HEAD, (as_row(database, relay) for database, relay in chosen))
    return 0 if listing.complete else 1


def _described(around: Found, database: Database, relays: Relays) -> dict[str, Any]:
    return {
        **as_object(database, relays.choose(database), around.logins.get(database.key)),
        "relays": [
            {
                "id": each.node.id,
                "name": each.node.name,
                "reachable": each.reachable.value,
                "why": each.finding.why,
                "change": each.finding.change or None,
                "permission": each.finding.permission or None,
            }
            for each in relays.ranked(database)[:RANKED]
        ],
    }


def as_object(database: Database, relay: Relay, login: Answer | None) -> dict[str, Any]:
    """The database under the names that the contract fixes; unknown values are None."""
    return {
        "id": database.id,
        "kind": database.kind.value,
        "engine": database.engine,
        "version": database.version,
        "endpoint": database.endpoint,
        "port": database.port,
        "role": database.role.value,
        "status": database.status,
        "vpc": database.vpc,
        "subnets": list(database.subnets),
        "az": database.az,
        "security_groups": list(database.security_groups),
        "parent": database.parent,
        "database": database.database,
        "user": database.user,
        "iam_auth": database.iam_auth,
        "tls": database.tls,
        "ca": database.ca,
        "secret": database.secret_arn,
        "resource_id": database.resource_id,
        "tags": dict(sorted(database.tags.items())),
        "profile": database.context.profile,
        "region": database.context.region,
        "account": database.account,
        "relay": relay.node.id if relay.node else None,
        "reachable": relay.reachable.value,
        "why": relay.why,
        "change": relay.change or None,
        "permission": relay.permission or None,
        "login": login.verdict.value if login else None,
        "login_why": (login.reason or None) if login else None,
    }


def as_row(database: Database, relay: Relay) -> tuple[str, ...]:
    """The database as texts under HEAD."""
    return (
        database.id,
        " ".join(filter(None, [database.engine, database.version])),
        database.role.value,
        f"{database.endpoint}:{database.port}",
        database.context.label,
        relay.reachable.value,
        relay.node.id if relay.node else "-",
        relay.why,
    )
