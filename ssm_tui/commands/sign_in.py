"""How profiles' credentials are renewed: by the AWS CLI where it is there and can, or by our own device login."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ssm_tui.domain.sessions import Command
from ssm_tui.domain.signing import Way
from ssm_tui.errors import AwsError, CredentialsError
from ssm_tui.sessions.prerequisites import signs_in

if TYPE_CHECKING:
    from ssm_tui.aws.sso import Source
    from ssm_tui.domain.services import DeviceLogin


class SignIns:
    """By the AWS configuration files; domain.services.SignIns."""

    def way(self, profile: str | None) -> Way:
        """How the profile signs in."""
        source = _source(profile)
        if source is None:
            return Way()
        named = ("--profile", source.profile) if source.profile else ()
        if source.sso is not None:
            words = ("sso", "login", *named)
            return Way(f"sso {source.sso.name}", _aws(*words), here=True, serial=source.serial)
        if source.console:
            return Way(f"console {source.console}", _aws("login", *named), serial=source.serial)
        return Way(f"code {profile}" if source.serial else "", serial=source.serial)

    def begin(self, profile: str | None) -> DeviceLogin:
        """Begins a device login. Raises AwsError."""
        from ssm_tui.aws.sso import begin

        source = _source(profile)
        if source is None or source.sso is None:
            raise CredentialsError(f"profile {profile or 'default'!r} has no single sign-on", "see its AWS files")
        return begin(source.sso)

    def stamp(self, profile: str | None) -> object:
        """The state of the files that the profile's credentials may come from."""
        from ssm_tui.aws.sso import token_file

        own = Path.home() / ".aws"
        files = [
            Path(os.environ.get("AWS_CONFIG_FILE") or own / "config").expanduser(),
            Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or own / "credentials").expanduser(),
            own / "cli" / "cache",
        ]
        if (source := _source(profile)) is not None and source.sso is not None:
            files.append(token_file(source.sso))
        return tuple(_state(file) for file in files)


def _source(profile: str | None) -> Source | None:
    from ssm_tui.aws.sso import source

    try:
        return source(profile)
    except AwsError:
        return None


def _aws(*words: str) -> Command | None:
    aws = shutil.which("aws")
    return Command((aws, *words), {"AWS_PAGER": ""}) if aws and signs_in(aws) else None


def _state(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
