"""Where the detached supervisor of a user is found: a socket in a folder that is the user's alone. POSIX.

Who has the lock is the supervisor, as long as it lives; a socket without it is left over from one that was killed.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from typing import TYPE_CHECKING, Final

from ssm_tui.errors import SessionError

if TYPE_CHECKING:
    from pathlib import Path

AVAILABLE: Final = os.name == "posix"
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with a zero at the end.
_LONGEST_PATH = 103
_LOOK_SECONDS = 0.05


class Rendezvous:
    """The place, by its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "detached.sock"
        self._lock = folder / "detached.lock"

    def prepare(self) -> None:
        """Makes the folder. Raises SessionError where it is not the user's alone, or cannot be used."""
        if not AVAILABLE:
            raise SessionError("detached tunnels are not available on Windows", "leave a terminal open with the tunnel")
        if len(os.fsencode(self.socket)) > _LONGEST_PATH:
            raise SessionError(
                f"{self.socket} is too long a path for a socket", "set XDG_RUNTIME_DIR to a folder with a shorter one"
            )
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) & 0o077:
                self.folder.chmod(0o700)
        except OSError as problem:
            raise SessionError(f"{self.folder} cannot be used: {problem.strerror}", "mend its permissions") from None
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise SessionError(f"{self.folder} is not a folder of yours", "remove it, or set XDG_RUNTIME_DIR")

    async def claim(self, patience: float) -> Claim | None:
        """The right to serve, for the one process that gets it; None where another serves already, or for so many
        seconds does not make way. Raises OSError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while (claim := self.claim_at_once()) is None:
            # Whoever has it serves, begins to or is about to end: soon it answers or is gone.
            if self.answers() or loop.time() > until:
                return None
            await asyncio.sleep(_LOOK_SECONDS)
        return claim

    def claim_at_once(self) -> Claim | None:
        """The same without waiting. Raises OSError."""
        import fcntl

        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return Claim(self, lock)
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise

    def answers(self) -> bool:
        """Whether somebody listens at the socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(os.fspath(self.socket))
            except BlockingIOError:
                return True  # many are waiting to be let in
            except OSError:
                return False
            return True


class Claim:
    """The lock and the listening socket of the one that serves."""

    def __init__(self, place: Rendezvous, lock: int) -> None:
        self.place = place
        self._lock: int | None = lock
        place.socket.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.listener.bind(os.fspath(place.socket))  # in a folder that nobody else may enter
            place.socket.chmod(0o600)
            self.listener.listen(64)
        except OSError:
            self.listener.close()
            raise
        self.listener.setblocking(False)
        self._identity = _identity(place.socket)

    @property
    def stands(self) -> bool:
        """Whether the way to the socket is still there."""
        return self._identity is not None and _identity(self.place.socket) == self._identity

    def take_down(self) -> None:
        """Nobody finds the way any more."""
        if self.stands:
            self.place.socket.unlink(missing_ok=True)

    def release(self) -> None:
        """Somebody else may serve."""
        self.take_down()
        self.listener.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_ours(connection: socket.socket) -> bool:
    """Whether the process at the other end is the user's, as far as the system tells (SO_PEERCRED, Linux)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True  # the folder's permissions say so
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, option, size))
    return bool(user == os.getuid())
