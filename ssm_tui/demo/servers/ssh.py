"""The sshd of the nodes: real SSH servers on loopback whose shells, commands and files are those of the node.

Boundary: asyncssh speaks the protocol; who may log in is decided here, by the node's authorized_keys and by the keys
that EC2 Instance Connect was given within the last minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ssm_tui.demo.agent.node import Node, prepare
from ssm_tui.demo.agent.terminal import TAKE_TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import asyncssh

    from ssm_tui.demo.agent.order import SessionOrder

MINUTE = 60.0


@dataclass(slots=True)
class PushedKeys:
    """Public keys that open a node to a user for a minute. Thread-safe."""

    clock: Callable[[], float] = time.monotonic
    _keys: list[tuple[float, str, str, str]] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def push(self, node: str, user: str, key: str) -> None:
        """From now on, for a minute."""
        with self._guard:
            self._keys = [each for each in self._keys if each[0] > self.clock()]
            self._keys.append((self.clock() + MINUTE, node, user, key))

    def of(self, node: str, user: str) -> list[str]:
        """Those in force."""
        with self._guard:
            return [key for until, *whose, key in self._keys if until > self.clock() and whose == [node, user]]


class SshServers:
    """One server a node, made when it is first dialled. Used from one event loop."""

    def __init__(self, folder: Path, keys: PushedKeys) -> None:
        self._folder = folder
        self._keys = keys
        self._servers: dict[str, asyncssh.SSHAcceptor] = {}
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._lock = asyncio.Lock()

    async def address(self, order: SessionOrder) -> tuple[str, int] | None:
        """Where the node's sshd listens; None where it has none, or asyncssh is not installed."""
        if order.platform != "linux" or order.target.startswith("ecs:") or find_spec("asyncssh") is None:
            return None
        async with self._lock:
            if order.target not in self._servers:
                self._servers[order.target] = await self._listen(order)
        return "127.0.0.1", self._servers[order.target].get_port()

    async def stop(self) -> None:
        """Ends every connection, and with it what runs there."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        for connection in list(self._connections):
            connection.abort()
            await connection.wait_closed()

    async def _listen(self, order: SessionOrder) -> asyncssh.SSHAcceptor:
        await asyncio.to_thread(import_module, "asyncssh")  # 0.2 s
        import asyncssh

        logging.getLogger("asyncssh").setLevel(logging.ERROR)
        node = prepare(order, self._folder)

        class Login(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                self._connection = conn
                connections.add(conn)

            def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncssh's name
                connections.discard(self._connection)

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                allowed = [*keys.of(order.target, username), *_authorized(node)]
                return key.export_public_key().split()[:2] in [each.encode().split()[:2] for each in allowed]

        class Files(asyncssh.SFTPServer):
            def map_path(self, path: bytes) -> bytes:
                return os.path.join(os.fsencode(node.home), path)  # noqa: PTH118 -- bytes, as the protocol has them

        connections, keys = self._connections, self._keys
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Login,
            server_host_keys=[_host_key(node.home.parent / "ssh_host_key")],
            process_factory=partial(_serve, node),
            sftp_factory=Files,
            encoding=None,
            line_editor=False,
        )


def _host_key(file: Path) -> asyncssh.SSHKey:
    """The node's own, the same for as long as the demo runs."""
    import asyncssh

    if not file.exists():
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(file)
    return asyncssh.read_private_key(file)


def _authorized(node: Node) -> list[str]:
    file = node.home / ".ssh" / "authorized_keys"
    return file.read_text(errors="replace").splitlines() if file.exists() else []


async def _serve(node: Node, process: asyncssh.SSHServerProcess[bytes]) -> None:
    """A shell or a command, until it ends or its connection does."""
    words = ("/bin/sh", "-c", process.command) if process.command else (*node.shell,)
    child = await (_in_terminal if process.term_type else _in_pipes)(node, words, process)
    works = {asyncio.ensure_future(_until_over(child, process)), asyncio.ensure_future(process.wait_closed())}
    try:
        await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for work in works:
            work.cancel()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


async def _until_over(child: asyncio.subprocess.Process, process: asyncssh.SSHServerProcess[bytes]) -> None:
    status = await child.wait()
    await process.stdout.drain()
    if status >= 0:
        process.exit(status)
    else:
        process.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))


async def _in_pipes(
    node: Node, words: tuple[str, ...], process: asyncssh.SSHServerProcess[bytes]
) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    child = await _start(node, words, {}, pipe)
    await process.redirect(child.stdin, child.stdout, child.stderr)
    return child


async def _in_terminal(
    node: Node, words: tuple[str, ...], process: asyncssh.SSHServerProcess[bytes]
) -> asyncio.subprocess.Process:
    master, slave = os.openpty()
    try:
        taking = ("/bin/sh", "-c", TAKE_TERMINAL, os.ttyname(slave), *words)
        child = await _start(node, taking, {"TERM": process.term_type or "dumb"}, slave)
    finally:
        os.close(slave)
    writing = os.fdopen(os.dup(master), "wb", buffering=0)
    await process.redirect(writing, os.fdopen(master, "rb", buffering=0))
    return child


async def _start(
    node: Node, words: tuple[str, ...], environment: dict[str, str], stream: int
) -> asyncio.subprocess.Process:
    more: dict[str, Any] = {"env": {**node.environment, **environment}, "cwd": node.home, "start_new_session": True}
    return await asyncio.create_subprocess_exec(*words, stdin=stream, stdout=stream, stderr=stream, **more)
