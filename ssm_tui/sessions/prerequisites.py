"""Which programs hold a session: the AWS CLI or our own call, AWS's plugin or ours. Looks at PATH; starts only
`session-manager-plugin --version`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ssm_tui.errors import PrerequisiteError

PLUGIN_NAME = "session-manager-plugin"
# The first version that takes the token from the environment, where `ps` does not show it (its release notes).
TOKEN_FROM_ENVIRONMENT = (1, 2, 536, 0)


class LauncherChoice(StrEnum):
    """Who calls StartSession."""

    AUTO = "auto"
    AWS = "aws"
    DIRECT = "direct"


class PluginChoice(StrEnum):
    """Who speaks the session's data channel."""

    AUTO = "auto"
    AWS = "aws"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Programs:
    """What is used: the AWS CLI's path (None: we call StartSession ourselves), AWS's plugin's path (None: ours)."""

    aws: str | None
    plugin: str | None


def find(launcher: LauncherChoice, plugin: PluginChoice) -> Programs:
    """The programs by choice and PATH. Raises PrerequisiteError where the settings insist on one that is missing."""
    aws = None if launcher is LauncherChoice.DIRECT else shutil.which("aws")
    if launcher is LauncherChoice.AWS and not aws:
        raise PrerequisiteError(
            "the AWS CLI (aws) is not on PATH", 'install it, or set launcher = "auto" to do without it'
        )
    found = None if plugin is PluginChoice.OURS else shutil.which(PLUGIN_NAME)
    if plugin is PluginChoice.AWS and not found:
        raise PrerequisiteError(f"{PLUGIN_NAME} is not on PATH", 'install it, or set plugin = "auto" to use our own')
    return Programs(aws, found)


def takes_token_from_environment(plugin: str) -> bool:
    """Whether AWS's plugin at this path is new enough to be told the token where no other user can read it."""
    try:
        answer = subprocess.run([plugin, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
        return tuple(int(part) for part in answer.strip().split(".")) >= TOKEN_FROM_ENVIRONMENT
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False


def signs_in(aws: str) -> bool:
    """Whether the AWS CLI at this path has `sso login` and `login`: they came with its version 2."""
    try:
        answer = subprocess.run([aws, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    version = answer.partition("aws-cli/")[2].partition(".")[0]
    return version.isdigit() and int(version) > 1


def our_plugin() -> tuple[str, ...]:
    """The argv that our plugin begins with."""
    return sys.executable, "-m", "ssm_tui.plugin"


def plugin_on_path(folder: Path) -> str:
    """A PATH on which `session-manager-plugin` is ours, for a child that looks for it by name: the AWS CLI.

    `folder` is private to the user and to this Python; the starter in it is written once. Raises PrerequisiteError.
    """
    if os.name == "nt":
        starter, text = folder / f"{PLUGIN_NAME}.cmd", f'@"{sys.executable}" -m ssm_tui.plugin %*\r\n'
    else:
        quoted = sys.executable.replace("'", "'\\''")
        starter, text = folder / PLUGIN_NAME, f"#!/bin/sh\nexec '{quoted}' -m ssm_tui.plugin \"$@\"\n"
    try:
        _write_starter(starter, text.encode())
    except OSError as problem:
        raise PrerequisiteError(
            f"{starter} cannot be written: {problem.strerror}", 'set launcher = "direct" to do without it'
        ) from None
    return os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])


def _write_starter(starter: Path, text: bytes) -> None:
    starter.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if starter.exists() and starter.read_bytes() == text:
        return
    # Written aside and renamed: another ssm-tui, or another thread, may be starting the old one just now.
    descriptor, draft = tempfile.mkstemp(dir=starter.parent, prefix=f"{starter.name}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    Path(draft).chmod(0o700)
    Path(draft).replace(starter)
