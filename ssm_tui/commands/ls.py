"""`ssm-tui ls`: nodes, one a line, or one JSON array."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from ssm_tui.commands.reading import read_all, read_nodes
from ssm_tui.commands.terminal import write_line, write_table
from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.domain.ordering import node_order

if TYPE_CHECKING:
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.services import Clouds

HEAD = ("NAME", "ID", "ACCESS", "PING", "OS", "ADDRESS", "AZ", "CONTEXT", "TAGS")
_LETTERS = {SessionKind.SHELL: "s", SessionKind.FORWARD: "f", SessionKind.REMOTE: "r", SessionKind.SSH: "h"}


def run(clouds: Clouds, wanted: Filter, *, as_json: bool) -> int:
    """Lists the nodes that match. Raises SsmTuiError; 1 where a context could not be read."""
    listing = read_all(clouds, partial(read_nodes, access=True, alias=as_json, wanted=wanted))
    nodes = sorted(listing.nodes, key=node_order)
    if as_json:
        objects = [as_object(node, listing.aliases.get(node.context)) for node in nodes]
        write_line(json.dumps(objects, ensure_ascii=False, indent=2))
    else:
        write_table(HEAD, map(as_row, nodes))
    return 0 if listing.complete else 1


def as_object(node: Node, alias: str | None) -> dict[str, Any]:
    """The node under the names that the contract fixes; unknown values are None."""
    return {
        "id": node.id,
        "name": node.name or None,
        "ping": node.ping.value,
        "state": node.state,
        "platform": node.platform.value if node.platform else None,
        "os": node.os,
        "agent_version": node.agent_version,
        "ip": node.ip,
        "vpc": node.vpc,
        "subnet": node.subnet,
        "az": node.az,
        "role": node.role,
        "tags": dict(sorted(node.tags.items())),
        "profile": node.context.profile,
        "region": node.context.region,
        "account": node.account,
        "account_alias": alias,
        "access": {kind.value: node.access.of(kind).verdict.value for kind in SessionKind},
        "access_reasons": {kind.value: node.access.of(kind).reason or None for kind in SessionKind},
        "kind": node.kind.value,
        "cluster": node.cluster,
        "missing": list(node.missing),
    }


def as_row(node: Node) -> tuple[str, ...]:
    """The node as texts under HEAD; `-` is what is not known, so that columns can be cut apart."""
    tags = " ".join(f"{key}={value}" for key, value in sorted(node.tags.items()) if key != "Name")
    return (
        node.name or "-",
        node.id,
        access_letters(node),
        node.ping.value,
        node.os or (node.platform.value if node.platform else "-"),
        node.ip or "-",
        node.az or "-",
        node.context.label,
        tags or "-",
    )


def access_letters(node: Node) -> str:
    """`sfrh` for shell, forward, remote and ssh: a letter where allowed, `-` where denied, `?` where unknown."""
    signs = {Verdict.DENIED: "-", Verdict.UNKNOWN: "?"}
    return "".join(signs.get(node.access.of(kind).verdict, letter) for kind, letter in _LETTERS.items())
