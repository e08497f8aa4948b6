"""The user's settings: TOML files and a few environment variables, checked as a whole or refused by key and value.

This is the one place that knows where the program's files are. It reads settings and writes nothing.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from ssm_tui.domain.tunnels import MOST_SESSIONS
from ssm_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.own import OwnDatabase
    from ssm_tui.domain.saved import SavedTunnel

__all__ = ["PROJECT_FILE", "Paths", "Settings", "find_project_file", "load", "paths"]

APP = "ssm-tui"
PROJECT_FILE = ".ssm-tui.toml"
# What may stand in the environment too, as SSM_TUI_LAUNCHER and so on; it comes before the files.
FROM_ENVIRONMENT = ("launcher", "plugin", "theme", "ca_bundle")
# Tables of things that the user names: a project's are added to the user's.
_NAMED = ("databases", "tunnels", "groups", "filters")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things belong on this system. Nothing is created here."""

    config: Path
    cache: Path
    log: Path
    state: Path
    """What is kept between runs and is no cache."""
    data: Path
    """What was brought here at the user's wish, for other programs to read too."""
    runtime: Path
    """What belongs to running processes: the detached supervisor's socket. Not over the network, gone at a reboot."""

    @property
    def rows(self) -> Path:
        """Where the last known rows of each context are kept."""
        return self.cache / "rows"

    @property
    def ca_bundle(self) -> Path:
        """RDS's certificates, where they have been brought here."""
        return self.data / "global-bundle.pem"

    @property
    def programs(self) -> Path:
        """Where starters of our own programs are written: one folder for each Python, which they name."""
        python = hashlib.sha256(sys.executable.encode()).hexdigest()[:12]
        return self.cache / "programs" / python


def paths() -> Paths:
    """The paths for the user of this process."""
    cache = platformdirs.user_cache_path(APP, appauthor=False)
    return Paths(
        config=platformdirs.user_config_path(APP, appauthor=False) / "config.toml",
        cache=cache,
        log=platformdirs.user_log_path(APP, appauthor=False) / "ssm-tui.log",
        state=platformdirs.user_state_path(APP, appauthor=False),
        data=platformdirs.user_data_path(APP, appauthor=False),
        runtime=_runtime(cache),
    )


def _runtime(cache: Path) -> Path:
    """The runtime folder; one in the cache where the system has none, rather than platformdirs' in the shared /tmp."""
    if sys.platform in ("darwin", "win32"):
        return platformdirs.user_runtime_path(APP, appauthor=False)
    user = os.getuid()
    for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{user}"):
        if Path(folder).is_absolute() and Path(folder).is_dir() and Path(folder).stat().st_uid == user:
            return Path(folder) / APP
    return cache / "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, with what it is when nothing is said. Each is a key of the file under the same name."""

    profiles: tuple[str, ...] = ()
    """Profiles to open when none is named on the command line."""
    regions: tuple[str, ...] = ()
    """Regions to open each of them in."""
    columns: tuple[str, ...] | None = None
    """Tags (and fields) shown as columns after the fixed ones; None leaves it to the interface."""
    theme: str | None = None
    """A theme's name; None leaves it to the interface."""
    launcher: str = "auto"
    """Who starts sessions: `aws` (the AWS CLI), `direct` (our own call), or `auto` for the first that is there."""
    plugin: str = "auto"
    """Who speaks the data channel: `aws` (AWS's plugin), `ours`, or `auto` for the first that is there."""
    shell_document: str = ""
    """The session document that shells use, by name or ARN; empty for the account's default."""
    sessions_per_tunnel: int = MOST_SESSIONS
    """How many sessions a tunnel may have at a time, from 1 to 8; a saved tunnel's own `width` comes before it."""
    relays: tuple[str, ...] = ()
    """Globs over names and ids of nodes: which relays are preferred among those that reach a database, best first."""
    wait_seconds: float = 30.0
    """How long a client that connects waits while a tunnel's session is being replaced."""
    refresh_seconds: float = 60.0
    """How long after a read the interface reads everything again, while somebody is there; 0 for only when asked to."""
    production: str | None = None
    """Which nodes and databases are production, as a filter: before a session there the user is asked."""
    clipboard_seconds: float = 45.0
    """How long a copied password stays in the clipboard, if it is not replaced there; 0 for ever."""
    clients: Mapping[str, str] = field(default_factory=dict)
    """The database client for each protocol, as a name on PATH or a path; else the best that is there."""
    client_linger_seconds: float = 60.0
    """How long a tunnel that was opened for a client stays after it."""
    ca_bundle: str = ""
    """A file of certificates that database clients are told to trust, instead of RDS's own and the system's."""
    databases: tuple[OwnDatabase, ...] = ()
    """Databases that no service of AWS's tells of: `[databases.NAME]` each."""
    tunnels: tuple[SavedTunnel, ...] = ()
    """The saved tunnels, in the order of the file: `[tunnels.NAME]` each."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of saved tunnels that are opened and stopped together, by the group's name."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """The saved filters of nodes, by the names that `@NAME` gives them."""


def load(
    explicit: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user_file: Path | None = None,
) -> Settings:
    """The settings: defaults, the user's file, the project's, the environment, each before the one that comes earlier.

    `explicit` is read instead of both files, and must exist. `folder` is where the search for a project file begins
    (the current one), `user_file` the user's file (`paths().config`). Raises ConfigError.
    """
    environment = os.environ if environment is None else environment
    explicit = explicit or (Path(environment["SSM_TUI_CONFIG"]) if environment.get("SSM_TUI_CONFIG") else None)
    values: dict[str, Any] = {}
    if explicit is not None:
        _add(values, _read(explicit), str(explicit))
    else:
        own = paths().config if user_file is None else user_file
        _add(values, _read(own, may_be_missing=True), str(own))
        project = find_project_file(_here() if folder is None else folder)
        if project is not None:
            _add(values, _read(project, in_project=True), str(project))
    for name in FROM_ENVIRONMENT:
        variable = f"SSM_TUI_{name.upper()}"
        if environment.get(variable):
            from ssm_tui.config.keys import setting

            values[name] = setting(name, environment[variable], where="the environment", shown=variable)
    for table in ("databases", "tunnels"):
        if table in values:
            values[table] = tuple(values[table].values())
    return Settings(**values)


def _add(values: dict[str, Any], read: Mapping[str, Any], where: str) -> None:
    """Lays a file's settings over those before it: what has names of the user's one by one, everything else as a
    whole."""
    for key, value in read.items():
        values[key] = {**values.get(key, {}), **value} if key in _NAMED else value
    tunnels = values.get("tunnels", {})
    for name, members in values.get("groups", {}).items():
        if name in tunnels:
            raise ConfigError(f"{where}: {name!r} is both a group and a tunnel", "give one of them another name")
        unknown = next((member for member in members if member not in tunnels), None)
        if unknown is not None:
            raise ConfigError(
                f"{where}: groups.{name} = {list(members)!r} is not allowed: no saved tunnel is called {unknown!r}",
                f"saved tunnels are {', '.join(tunnels) or 'none yet: make one as [tunnels.NAME]'}",
            )


def find_project_file(folder: Path | None) -> Path | None:
    """`.ssm-tui.toml` in the folder or the nearest of its parents."""
    if folder is None:
        return None
    return next((file for each in (folder, *folder.parents) if (file := each / PROJECT_FILE).is_file()), None)


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # the folder is gone: a shell may stand in one that was removed
        return None


def _read(file: Path, *, may_be_missing: bool = False, in_project: bool = False) -> dict[str, Any]:
    """The file's settings, checked."""
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if may_be_missing:
            return {}
        raise ConfigError(f"there is no settings file {file}", "name another with --config, or make it") from None
    except OSError as error:
        raise ConfigError(
            f"the settings file {file} cannot be read: {error.strerror}", "mend its permissions, or name another"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"the settings file {file} is not UTF-8 text", "save it as UTF-8") from None
    import tomllib  # most have no such file

    from ssm_tui.config.keys import setting
    from ssm_tui.config.projects import check_project

    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the settings file {file} is not TOML: {error}", "mend the line that it names") from None
    if in_project:
        check_project(raw, str(file), instead=paths().config)
    return {key: setting(key, value, where=str(file)) for key, value in raw.items()}
