"""The profiles of the user's AWS files, and how each signs in, told without keys, tokens or commands.

botocore reads the files; nothing is called. What comes out holds no value that is secret.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ssm_tui.aws.origin import account_of
from ssm_tui.domain.accounts import Profile, Profiles
from ssm_tui.domain.contexts import Note

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCES = {
    "Environment": "by keys in the environment",
    "Ec2InstanceMetadata": "by EC2's metadata",
    "EcsContainer": "by ECS's metadata",
}


def profile_names() -> list[str]:
    """Those of the files, in their order. Raises what botocore raises."""
    from botocore.session import Session

    return list(Session().available_profiles)


def read_profiles() -> Profiles:
    """Those of the files, and the environment's keys where there are some. Broken files are a note, no failure."""
    from botocore.exceptions import BotoCoreError, ConfigParseError
    from botocore.session import Session

    environment = (_environment(),) if os.environ.get("AWS_ACCESS_KEY_ID") else ()
    try:
        # A profile that the environment names and the files lack is no obstacle to listing those they have.
        told: Mapping[str, Any] = Session(session_vars={"profile": (None, None, None, None)}).full_config
    except ConfigParseError as error:
        file = str(error.kwargs.get("path", ""))
        return Profiles(environment, Note(f"{file or 'an AWS file'} is not in the form of AWS's files", "mend it"))
    except (BotoCoreError, ValueError, AttributeError) as error:  # the latter two: what its parser trips over
        kind = type(error).__name__
        return Profiles(environment, Note(f"the AWS files could not be read ({kind})", "mend ~/.aws/config"))
    profiles = told.get("profiles", {})
    return Profiles((*environment, *(profile(name, settings) for name, settings in profiles.items())))


def _environment() -> Profile:
    key = os.environ["AWS_ACCESS_KEY_ID"]
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    token = " with a session token" if os.environ.get("AWS_SESSION_TOKEN") else ""
    return Profile(None, f"the environment's access key{token}", account_of(key), region=region)


def profile(name: str, settings: Any) -> Profile:
    """A profile as its section tells, the first way to sign in that botocore would take."""
    if not isinstance(settings, dict):
        settings = {}

    def text(key: str) -> str:
        value = settings.get(key)
        return value if isinstance(value, str) else ""

    how, account, role = _way(text)
    return Profile(name, how, account or None, role or None, text("region") or None)


def _way(text: Any) -> tuple[str, str, str]:
    """In words; account and role where they are told."""
    if role_arn := text("role_arn"):
        account, role = _arn(role_arn)
        return f"assumes {role or 'a role'}{_by(text)}", account, role
    if text("sso_session") or text("sso_start_url") or text("sso_account_id"):
        session = f", session {text('sso_session')}" if text("sso_session") else ""
        return f"IAM Identity Center{session}", text("sso_account_id"), text("sso_role_name")
    if key := text("aws_access_key_id"):
        token = " with a session token" if text("aws_session_token") else ""
        return f"access key{token}", account_of(key) or "", ""
    if arn := text("login_session"):
        account, role = _arn(arn)
        return "aws login", account, role
    if text("credential_process"):
        return "a program of yours (credential_process)", "", ""
    return "EC2's or ECS's metadata, or the environment", "", ""


def _by(text: Any) -> str:
    """How the role is assumed."""
    if text("web_identity_token_file"):
        return " by a web identity"
    mfa = ", with MFA" if text("mfa_serial") else ""
    if source := text("source_profile"):
        return f" from {source}{mfa}"
    source = text("credential_source")
    return f" {_SOURCES.get(source, f'by {source}')}{mfa}" if source else mfa


def _arn(arn: str) -> tuple[str, str]:
    """Account and last name of an ARN; empty where it is none."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return "", ""
    return (parts[4] if parts[4].isdigit() else ""), parts[5].rsplit("/", 1)[-1]
