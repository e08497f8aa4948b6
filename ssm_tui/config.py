"""The user's settings: TOML files and a few environment variables, checked as a whole or refused by key and value.

This is the one place that knows where the program's files are. It reads settings and writes nothing.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import platformdirs

from ssm_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

APP = "ssm-tui"
PROJECT_FILE = ".ssm-tui.toml"
# What may stand in the environment too, as SSM_TUI_LAUNCHER and so on; it comes before the files.
FROM_ENVIRONMENT = ("launcher", "plugin", "theme")
# A project file comes with somebody's code: it must not choose which programs are run.
NOT_IN_PROJECTS = ("launcher", "plugin")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things belong on this system. Nothing is created here."""

    config: Path
    cache: Path
    log: Path

    @property
    def programs(self) -> Path:
        """Where starters of our own programs are written: one folder for each Python, which they name."""
        python = hashlib.sha256(sys.executable.encode()).hexdigest()[:12]
        return self.cache / "programs" / python


def paths() -> Paths:
    """The paths for the user of this process."""
    return Paths(
        config=platformdirs.user_config_path(APP, appauthor=False) / "config.toml",
        cache=platformdirs.user_cache_path(APP, appauthor=False),
        log=platformdirs.user_log_path(APP, appauthor=False) / "ssm-tui.log",
    )


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


@dataclass(frozen=True, slots=True)
class _Key:
    """How one key is read: its type, what else must hold of the value, and what is allowed in words."""

    type: Any
    allowed: str
    holds: Callable[[Any], bool] = lambda _value: True


def _names(values: tuple[str, ...]) -> bool:
    return all(value and value == value.strip() and value.isprintable() for value in values)


def _region(value: str) -> bool:
    # us-east-1, ap-northeast-2, us-gov-west-1: AWS adds some every year, so only the form is checked.
    parts = value.split("-")
    return len(parts) >= 3 and all(part.isalnum() and part.islower() for part in parts[:-1]) and parts[-1].isdigit()


_KEYS: Mapping[str, _Key] = {
    "profiles": _Key(tuple[str, ...], 'a list of profile names, such as ["dev", "prod"]', _names),
    "regions": _Key(
        tuple[str, ...], 'a list of regions, such as ["ap-northeast-2"]', lambda values: all(map(_region, values))
    ),
    "columns": _Key(tuple[str, ...], 'a list of tag or field names, such as ["env", "team"]', _names),
    "theme": _Key(str, "a theme's name, such as ssm-light", lambda value: _names((value,))),
    "launcher": _Key(str, "one of auto, aws, direct", ("auto", "aws", "direct").__contains__),
    "plugin": _Key(str, "one of auto, aws, ours", ("auto", "aws", "ours").__contains__),
}


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
        values |= _read(explicit)
    else:
        own = paths().config if user_file is None else user_file
        values |= _read(own, may_be_missing=True)
        project = find_project_file(_here() if folder is None else folder)
        if project is not None:
            values |= _read(project, refused=NOT_IN_PROJECTS)
    for name in FROM_ENVIRONMENT:
        variable = f"SSM_TUI_{name.upper()}"
        if environment.get(variable):
            values[name] = _checked(variable, name, environment[variable], where="the environment")
    return Settings(**values)


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


def _read(file: Path, *, may_be_missing: bool = False, refused: tuple[str, ...] = ()) -> dict[str, Any]:
    """The file's settings, checked."""
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
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
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the settings file {file} is not TOML: {error}", "mend the line that it names") from None
    for key in raw:
        if key in refused:
            raise ConfigError(
                f"{file}: {key} may not be set in a project's file",
                f"it chooses which programs are run; set it in {paths().config}",
            )
    return {key: _checked(key, key, value, where=str(file)) for key, value in raw.items()}


def _checked(shown: str, key: str, value: Any, *, where: str) -> Any:
    known = _KEYS.get(key)
    if known is None:
        near = difflib.get_close_matches(key, _KEYS, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"{where}: {key!r} is not a setting", f"{meant}settings are {', '.join(_KEYS)}")
    try:
        converted = msgspec.convert(value, known.type)
    except msgspec.ValidationError:
        converted = None
    if converted is None or not known.holds(converted):
        raise ConfigError(f"{where}: {shown} = {value!r} is not allowed", f"{shown} is {known.allowed}")
    return converted
