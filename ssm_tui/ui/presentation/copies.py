"""What can be copied of a node, a database, a tunnel."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ssm_tui.domain.credentials import PasswordMeans, means_of
from ssm_tui.domain.sessions import LOOPBACK, aws_argv, forward, shell_on, shown
from ssm_tui.domain.ssh import Means, entries
from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ssm_tui.domain.connection import Endpoint, Trust
    from ssm_tui.domain.connection.entries import Entry
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.presentation.databases import DatabaseRow


# The port stays open from the first READY to the end, whatever becomes of the session behind it.
_NO_ADDRESS = (TunnelState.STARTING, TunnelState.STOPPING, TunnelState.STOPPED, TunnelState.FAILED)


USUAL = 3  # connection strings that people want most


class Deed(Enum):
    """What the menu offers beside copying."""

    COPY = "copy"
    OPEN_TUNNEL = "open tunnel"
    TOKEN = "token"  # noqa: S105 - no password but the word for one
    SECRET = "secret"  # noqa: S105
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Copyable:
    """A line of the menu: what it is called and the text; or, with another deed, what choosing it does. `note` is what
    else there is to know of it, `entry` what is written."""

    label: str
    text: str
    deed: Deed = Deed.COPY
    note: str = ""
    entry: Entry | None = None


def node_copies(node: Node, shell_document: str = "") -> tuple[Copyable, ...]:
    """Of a node."""
    pairs = (
        ("id", node.id),
        ("name", node.name),
        ("address", node.ip or ""),
        ("aws command", shown(aws_argv(shell_on(node, document=shell_document)))),
    )
    return tuple(Copyable(label, text) for label, text in pairs if text)


def nodes_copies(nodes: Sequence[Node], namesakes: Sequence[Node]) -> tuple[Copyable, ...]:
    """Of several nodes, a line each. `namesakes` are all nodes with their names, themselves too: ssh finds only those
    by name that share theirs with none."""
    hosts = {entry.patterns[-1]: entry.patterns[0] for entry in entries(namesakes, Means())[0]}
    texts = (
        ("ids", [node.id for node in nodes]),
        ("names", [node.name for node in nodes if node.name]),
        ("ssh hosts", [hosts[node.id] for node in nodes if node.id in hosts]),
        ("addresses", [node.ip for node in nodes if node.ip]),
    )
    return tuple(Copyable(label, "\n".join(lines)) for label, lines in texts if lines)


def connection_copies(status: TunnelStatus, trust: Trust) -> tuple[Copyable, ...]:
    """The connection strings of a tunnel whose address will be served; the address where it leads to no known
    database."""
    if status.state in _NO_ADDRESS or not status.local_port:
        return ()
    database = status.request.database
    if database is None:
        return (Copyable("address", status.address),)
    from ssm_tui.domain.connection import checked, endpoint, formats, render

    at = endpoint(database, LOOPBACK, status.local_port, trust, status.request.name)
    lines = []
    for name in formats(database):
        with suppress(UsageError):  # this format has no way to say what the user or the database is called
            lines.append(Copyable(name, render(database, name, at), note=checked(database, name, at)))
    return (*lines, *_entries(database, at))


def password_copies(database: Database) -> tuple[Copyable, ...]:
    """The passwords that there are, of which none is shown: choosing one copies it for a while."""
    lines = {
        PasswordMeans.TOKEN: Copyable(
            "token", "a password by IAM for the next minutes, into the clipboard", Deed.TOKEN
        ),
        PasswordMeans.SECRET: Copyable(
            "password", "the one in Secrets Manager, into the clipboard for a while", Deed.SECRET
        ),
    }
    return tuple(lines[means] for means in means_of(database))


def _with_passwords(lines: tuple[Copyable, ...], database: Database | None) -> tuple[Copyable, ...]:
    """The lines with the passwords behind the most usual of them, where one key still chooses them."""
    passwords = password_copies(database) if database else ()
    return (*lines[:USUAL], *passwords, *lines[USUAL:])


def _entries(database: Database, at: Endpoint) -> Iterator[Copyable]:
    from ssm_tui.domain.connection.entries import client_file, entry

    file = client_file(database)
    if file is not None:
        with suppress(UsageError):
            found = entry(database, file, at)
            note = "writes an entry where the client looks for it, in place of its predecessor"
            yield Copyable(file.value, found.use, Deed.WRITE, note, found)


def database_copies(row: DatabaseRow, trust: Trust) -> tuple[Copyable, ...]:
    """Of a database: connection strings when its tunnel stands, else the offer to open one."""
    database, relay = row.database, row.relay.node
    lines = connection_copies(row.tunnel, trust) if row.tunnel else ()
    if not lines:
        waits = "is still starting" if row.tunnel else "is needed for connection strings: open it now"
        lines = (Copyable("tunnel", waits, Deed.OPEN_TUNNEL),)
    command = ""
    if relay is not None:
        spec = forward(relay.context, relay.id, database.port, host=database.endpoint, local_port=database.port)
        command = shown(aws_argv(spec))
    more = (("id", database.id), ("endpoint", f"{database.endpoint}:{database.port}"), ("aws command", command))
    return (*_with_passwords(lines, database), *(Copyable(label, text) for label, text in more if text))


def tunnel_copies(status: TunnelStatus, trust: Trust) -> tuple[Copyable, ...]:
    """Of a tunnel: how to reach it while it stands, and the command it amounts to."""
    request = status.request
    local = status.local_port or request.local_port or request.port
    spec = forward(request.context, request.target, request.port, host=request.host, local_port=local)
    lines = _with_passwords(connection_copies(status, trust), request.database)
    return (*lines, Copyable("aws command", shown(aws_argv(spec))))
