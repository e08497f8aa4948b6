"""`ssm-tui proxy`: one connection to a port of a node over stdin and stdout, for ssh's ProxyCommand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.commands.targets import find_node
from ssm_tui.commands.terminal import say_error
from ssm_tui.domain import sessions
from ssm_tui.domain.ssh import checked_public_key, checked_user
from ssm_tui.errors import AwsError, TargetError, UsageError
from ssm_tui.sessions import piped

if TYPE_CHECKING:
    from pathlib import Path

    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.services import Clouds, Shells

LONGEST_KEY = 16 * 1024  # bytes; AWS takes 4 KB at most


def run(clouds: Clouds, shells: Shells, target: str, port: int, *, push_key: Path | None, user: str) -> int:
    """Holds the session until it ends. Raises SsmTuiError."""
    if push_key is not None and not user:
        raise UsageError("--push-key without --user", "name the user to log in as; in an ssh configuration: --user %r")
    key = read_public_key(push_key) if push_key is not None else ""
    node = find_node(clouds, target)
    if node.container:
        raise TargetError(f"{node.label} is a container, which ssh does not reach", "open a shell in it: ssm-tui shell")
    spec = sessions.ssh(node.context, node.id, port)
    if key:
        _push(clouds, node, checked_user(user), key)
    return piped.run(shells.prepare(spec))


def read_public_key(file: Path) -> str:
    """The key in the file. Raises UsageError for whatever else is there."""
    try:
        with file.expanduser().open("rb") as stream:
            text = stream.read(LONGEST_KEY).decode("utf-8", "replace")
    except OSError as problem:
        raise UsageError(
            f"{file} cannot be read: {problem.strerror}", "name a public key, such as ~/.ssh/id_ed25519.pub"
        ) from None
    return checked_public_key(text, str(file))


def _push(clouds: Clouds, node: Node, user: str, key: str) -> None:
    """Where the caller may not, the session goes on: the node may know the key already."""
    try:
        if node.hybrid:
            raise AwsError(f"{node.id} takes no pushed key", "EC2 Instance Connect is for EC2 instances alone")
        clouds.open(node.context).push_key(node.id, user, key)
    except AwsError as error:
        say_error(error, "the key was not pushed")
