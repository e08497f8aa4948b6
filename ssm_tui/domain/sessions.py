"""Session specs: what is to be started, as data, and the command that starts it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssm_tui.domain.access import SessionKind
from ssm_tui.domain.containers import ContainerTarget, read_target
from ssm_tui.domain.nodes import Platform
from ssm_tui.errors import PortError, TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.nodes import Node

LOOPBACK = "127.0.0.1"
# What a shell in a container is: the account's shell document is for machines, and containers may lack a better one.
CONTAINER_SHELL = "/bin/sh"
WINDOWS_CONTAINER_SHELL = "powershell.exe"


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """One StartSession call: target, document, parameters (each a list of texts, as the API has them), reason.

    `document` is None for a shell, where the account's default shell document stands. With a `command` the target is
    a container, and the call is ECS's ExecuteCommand of it: `container` is the container's own name in its task.
    """

    context: Context
    target: str
    document: str | None = None
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = ""
    container: str = ""
    command: str = ""

    @property
    def kind(self) -> SessionKind:
        """What IAM tells it apart by; a document of the user's own is a shell's."""
        return next((kind for kind in SessionKind if kind.document == self.document), SessionKind.SHELL)


def shell_on(node: Node, *, reason: str = "", document: str = "") -> SessionSpec:
    """A shell on a node of whichever kind, with a session document of the user's choice where one is named. ECS's
    ExecuteCommand has no place for a reason, nor for a document."""
    if not node.container:
        return SessionSpec(node.context, node.id, document or None, reason=reason)
    command = WINDOWS_CONTAINER_SHELL if node.platform is Platform.WINDOWS else CONTAINER_SHELL
    return SessionSpec(node.context, node.id, container=node.name.rpartition("/")[2], command=command)


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
    return SessionSpec(context, target, SessionKind.SSH.document, {"portNumber": (str(checked_port(port)),)})


def checked_port(port: int) -> int:
    """The port itself; PortError where it is not one."""
    if not 1 <= port <= 65535:
        raise PortError(f"{port} is not a port", "a port is a number from 1 to 65535")
    return port


def aws_argv(spec: SessionSpec, program: str = "aws") -> list[str]:
    """The AWS CLI's command for this session. Options that name nothing are left out, as a person would."""
    argv = [program, *(_execute_command(spec) if spec.command else _start_session(spec))]
    if spec.context.profile:
        argv += ["--profile", spec.context.profile]
    return [*argv, "--region", spec.context.region]


def _start_session(spec: SessionSpec) -> list[str]:
    argv = ["ssm", "start-session", "--target", spec.target]
    if spec.document:
        argv += ["--document-name", spec.document]
    if spec.parameters:
        argv += ["--parameters", json.dumps({key: list(values) for key, values in spec.parameters.items()})]
    if spec.reason:
        argv += ["--reason", spec.reason]
    return argv


def _execute_command(spec: SessionSpec) -> list[str]:
    cluster, task, _ = checked_container(spec.target)
    argv = ["ecs", "execute-command", "--cluster", cluster, "--task", task]
    if spec.container:
        argv += ["--container", spec.container]
    return [*argv, "--interactive", "--command", spec.command]


def checked_container(target: str) -> ContainerTarget:
    """The container that a target names. Raises TargetError for what is none."""
    found = read_target(target)
    if found is None:
        raise TargetError(f"{target!r} is no container", "a container's id is ecs:CLUSTER_TASK_RUNTIME")
    return found


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
    """A process to run: argv, what its environment has beyond ours (which may hold a token or a password, so it is not
    shown), and which names it has `without` ours."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    session_id: str | None = None
    without: tuple[str, ...] = ()

    def whole_environment(self, ours: Mapping[str, str]) -> dict[str, str]:
        """All that the process is to find there."""
        return {**{name: value for name, value in ours.items() if name not in self.without}, **self.environment}
