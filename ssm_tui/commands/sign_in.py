"""The command by which a profile's credentials are renewed, where there is one to be run."""

from __future__ import annotations

import shutil

from ssm_tui.domain.sessions import Command
from ssm_tui.errors import AwsError

# A role assumed with another profile's credentials, which may come from a third.
_LONGEST_CHAIN = 5


def sign_in(profile: str | None) -> Command | None:
    """The AWS CLI's sign-in for the profile, or for the one whose credentials it uses; None where it has none or where
    the AWS CLI is not there. Blocks."""
    aws = shutil.which("aws")
    words = _sign_in(profile) if aws else None
    return Command((aws, *words), {"AWS_PAGER": ""}) if aws and words else None


def _sign_in(profile: str | None) -> tuple[str, ...] | None:
    from ssm_tui.aws.gateway import profile_settings

    for _ in range(_LONGEST_CHAIN):
        try:
            settings = profile_settings(profile)
        except AwsError:
            return None
        named = ("--profile", profile) if profile else ()
        if settings.get("sso_session") or settings.get("sso_start_url"):
            return ("sso", "login", *named)
        if settings.get("login_session"):
            return ("login", *named)
        profile = settings.get("source_profile")
        if not profile:
            return None
    return None
