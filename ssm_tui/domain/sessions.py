"""Session specs: what is to be started, as data, and the command that starts it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssm_tui.domain.access import SessionKind
from ssm_tui.errors import PortError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssm_tui.domain.contexts import Context

LOOPBACK = "127.0.0.1"
SSH_DOCUMENT = "AWS-StartSSHSession"


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """One StartSession call: target, document, parameters (each a list of texts, as the API has them), reason.

    `document` is None for a shell, where the account's default shell document stands.
    """

    context: Context
    target: str
    document: str | None = None
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = ""


def shell(context: Context, target: str, *, reason: str = "") -> SessionSpec:
    """A shell on the node."""
    return SessionSpec(context, target, reason=reason)


def forward(context: Context, target: str, port: int, *, host: str = "", local_port: int = 0) -> SessionSpec:
    """A port forward: to the node itself, or through it to `host`. `local_port` 0 lets the plugin choose.

    Raises PortError for a port out of range.
    """
    parameters = {"portNumber": (str(checked_port(port)),), "localPortNumber": (str(local_port),)}
    if not host:
        return SessionSpec(context, target, SessionKind.FORWARD.document, parameters)
    return SessionSpec(context, target, SessionKind.REMOTE.document, {"host": (host,), **parameters})


def ssh(context: Context, target: str, port: int) -> SessionSpec:
    """The bytes of one connection to a port of the node over stdin and stdout, as ssh's ProxyCommand wants them.

    Raises PortError for a port out of range.
    """
    return SessionSpec(context, target, SSH_DOCUMENT, {"portNumber": (str(checked_port(port)),)})


def checked_port(port: int) -> int:
    """The port itself; PortError where it is not one."""
    if not 1 <= port <= 65535:
        raise PortError(f"{port} is not a port", "a port is a number from 1 to 65535")
    return port


def aws_argv(spec: SessionSpec, program: str = "aws") -> list[str]:
    """The AWS CLI's command for this session. Options that name nothing are left out, as a person would."""
    argv = [program, "ssm", "start-session", "--target", spec.target]
    if spec.document:
        argv += ["--document-name", spec.document]
    if spec.parameters:
        argv += ["--parameters", json.dumps({key: list(values) for key, values in spec.parameters.items()})]
    if spec.reason:
        argv += ["--reason", spec.reason]
    if spec.context.profile:
        argv += ["--profile", spec.context.profile]
    return [*argv, "--region", spec.context.region]


def shown(argv: Sequence[str]) -> str:
    """The command as one line for a POSIX shell, to show and to copy."""
    return shlex.join(argv)


@dataclass(frozen=True, slots=True)
class StartedSession:
    """StartSession's answer, and the endpoint URL it came from (the plugin ends the session there).

    The token opens the session to whoever holds it, so it is not part of the repr.
    """

    session_id: str
    stream_url: str
    endpoint: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Command:
    """A process to run: argv, and what its environment has beyond ours (which may hold a token, so it is not shown)."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    session_id: str | None = None
