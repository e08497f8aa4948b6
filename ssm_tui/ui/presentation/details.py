"""What the details pane tells about the highlighted row: facts, verdicts with their reasons, the exact command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.domain.databases import yes_no
from ssm_tui.domain.sessions import aws_argv, forward, shell_on, shown
from ssm_tui.ui.presentation.cells import Tone
from ssm_tui.ui.presentation.databases import REACH
from ssm_tui.ui.presentation.nodes import DENIED, LETTERS, PINGS, UNKNOWN
from ssm_tui.ui.presentation.obstacles import obstacle
from ssm_tui.ui.presentation.times import ago
from ssm_tui.ui.presentation.tunnels import STATES

if TYPE_CHECKING:
    from datetime import datetime

    from ssm_tui.domain.access import Answer
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.tunnels import TunnelStatus
    from ssm_tui.ui.presentation.databases import DatabaseRow


@dataclass(frozen=True, slots=True)
class Fact:
    """A named value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement: a sign with its tone, what is judged, and why."""

    sign: str
    tone: Tone
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Details:
    """Everything about one row. Texts are foreign and raw: who shows them makes them harmless."""

    title: str
    subtitle: str = ""
    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()
    command: str = ""


def facts(*pairs: tuple[str, str | None]) -> tuple[Fact, ...]:
    """Those of which something is known."""
    return tuple(Fact(name, value) for name, value in pairs if value)


def node_details(node: Node, now: datetime, alias: str = "", shell_document: str = "") -> Details:
    """A node: what it is, what the caller may do there, and the command for a shell. `alias` is what its account is
    called."""
    known = facts(
        ("address", node.ip),
        ("os", node.os or node.platform),
        ("type", node.instance_type),
        ("state", node.state),
        ("up", ago(node.launched, now) if node.launched else None),
        ("agent", node.agent_version),
        ("role", node.role),
        ("vpc", node.vpc),
        ("subnet", node.subnet),
        ("az", node.az),
        ("groups", " ".join(node.security_groups)),
        ("account", _account(node.account, alias)),
        ("cluster", node.cluster),
        ("context", node.context.label),
        *((key, value) for key, value in sorted(node.tags.items()) if key != "Name"),
    )
    symbol, word, tone = PINGS[node.ping]
    heard = f"heard {ago(node.last_ping, now)} ago" if node.last_ping else ""
    findings = [Finding(symbol, tone, "ping", ", ".join(filter(None, (word or "online", heard))))]
    findings += [Finding("→", Tone.ACCENT, "missing", sentence) for sentence in node.missing]
    if not node.missing and (hindered := obstacle(node, now)) is not None:
        findings.append(Finding("→", Tone.ACCENT, "next", f"{hindered.why}: {hindered.check}"))
    argv = aws_argv(shell_on(node, document=shell_document))
    return Details(node.name or node.id, node.id if node.name else "", known, (*findings, *_access(node)), shown(argv))


def _account(account: str | None, alias: str) -> str | None:
    return f"{account} ({alias})" if alias else account


_SIGNS = {
    Verdict.ALLOWED: ("", Tone.GOOD),
    Verdict.DENIED: (DENIED, Tone.BAD),
    Verdict.UNKNOWN: (UNKNOWN, Tone.DIM),
}


def _access(node: Node) -> tuple[Finding, ...]:
    findings = []
    for kind in SessionKind:
        answer = node.access.of(kind)
        sign, tone = _SIGNS[answer.verdict]
        findings.append(Finding(sign or LETTERS[kind], tone, kind.value, _verdict(answer)))
    return tuple(findings)


def _verdict(answer: Answer) -> str:
    return f"{answer.verdict.value}: {answer.reason}" if answer.reason else answer.verdict.value


def database_details(row: DatabaseRow, now: datetime, alias: str = "") -> Details:
    """A database: where it is, the relay that was chosen and why, and the command for a tunnel."""
    database, relay = row.database, row.relay
    known = facts(
        ("endpoint", f"{database.endpoint}:{database.port}"),
        ("engine", " ".join(filter(None, (database.engine, database.version)))),
        ("role", database.role),
        ("cluster", database.parent),
        ("status", database.status),
        ("database", database.database),
        ("user", database.user),
        ("iam auth", yes_no(database.iam_auth)),
        ("tls required", yes_no(database.tls)),
        ("ca", database.ca),
        ("secret", database.secret_arn),
        ("vpc", database.vpc),
        ("subnets", " ".join(database.subnets)),
        ("az", database.az),
        ("groups", " ".join(database.security_groups)),
        ("account", _account(database.account, alias)),
        ("context", database.context.label),
        *sorted(database.tags.items()),
    )
    sign, tone = REACH[relay.reachable]
    findings = [Finding(sign, tone, "relay", relay.why)]
    if relay.change:
        findings.append(Finding("→", Tone.ACCENT, "next", relay.change))
    if row.login is not None:
        sign, tone = _SIGNS[row.login.verdict]
        findings.append(Finding(sign or "✓", tone, "iam login", _verdict(row.login)))
    if row.tunnel is not None:
        findings.append(_tunnel_finding(row.tunnel, now))
    command = ""
    if relay.node is not None:
        spec = forward(
            relay.node.context, relay.node.id, database.port, host=database.endpoint, local_port=database.port
        )
        command = shown(aws_argv(spec))
    return Details(database.id, database.kind.value, known, tuple(findings), command)


def _tunnel_finding(status: TunnelStatus, now: datetime) -> Finding:
    sign, tone = STATES[status.state]
    text = " ".join(filter(None, (status.state.value, status.address, f"since {ago(status.since, now)}")))
    return Finding(sign, tone, "tunnel", text)
