"""What a project's settings file may not set, and why: it comes with somebody's code. Reads no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssm_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# It must not choose which programs are run, nor lift the user's guards.
_CHOOSES_PROGRAMS = "it chooses which programs are run"
_GUARDS = "it guards what is yours"
NOT_IN_PROJECTS = {
    "launcher": _CHOOSES_PROGRAMS,
    "plugin": _CHOOSES_PROGRAMS,
    "clients": _CHOOSES_PROGRAMS,
    "production": _GUARDS,
    "clipboard_seconds": _GUARDS,
    "ca_bundle": _GUARDS,
    "shell_document": "it chooses what is run on the nodes",
}
# Nor may it open a port of this machine to the network, or choose which of the user's passwords goes to its host.
NOT_IN_PROJECTS_TABLES = {
    "tunnels": ("bind", "it opens a port to the network; save the tunnel in {instead}, or use --bind"),
    "databases": ("secret", "it chooses a password that the host is given; name the database in {instead}"),
}


def check_project(raw: Mapping[str, Any], where: str, *, instead: Path) -> None:
    """Raises ConfigError for what a project's file may not set; it belongs into the file `instead`."""
    for key, why in NOT_IN_PROJECTS.items():
        if key in raw:
            raise ConfigError(
                f"{where}: {key} may not be set in a project's file",
                f"{why}; set it in {instead}",
            )
    for section, (key, why) in NOT_IN_PROJECTS_TABLES.items():
        tables = raw.get(section)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if isinstance(table, dict) and key in table:
                raise ConfigError(
                    f"{where}: {section}.{name}.{key} may not be set in a project's file", why.format(instead=instead)
                )
