"""Where a profile's rows come from, as far as that is known without a call: whose keys, which role, which endpoint.

Two runs with the same origin may show each other's rows until AWS has said who the caller is. Reads the user's AWS
files as botocore does, but does not load it: this is on the way to the first paint. What comes out is a digest; no key
is kept, not even its id.
"""

from __future__ import annotations

import base64
import binascii
import configparser
import hashlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# What decides who the caller of a profile is, and whom he calls.
DECIDING = frozenset({
    "credential_process", "credential_source", "endpoint_url", "login_session", "role_arn", "services",
    "source_profile", "sso_account_id", "sso_role_name", "sso_session", "sso_start_url", "web_identity_token_file",
})  # fmt: skip
_IN_ENVIRONMENT = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_ROLE_ARN", "AWS_USE_FIPS_ENDPOINT")
_CHOOSING = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_ACCOUNT = 0x7FFFFFFFFF80  # the bits of a key's id, after its prefix, that hold the account

Facts = list[tuple[str, str]]


def asked(profiles: Sequence[str], regions: Sequence[str], environment: Mapping[str, str]) -> str:
    """A digest of what decides which contexts there are, apart from the files."""
    chosen = [environment.get(name) for name in _CHOOSING]
    return _digest((list(profiles), list(regions), chosen, bool(environment.get("AWS_ACCESS_KEY_ID"))))


def origin(profile: str | None, environment: Mapping[str, str]) -> str:
    """A digest of where the profile's rows come from. `profile` is None where the SDK's default chain decides."""
    facts = [(name, value) for name, value in sorted(environment.items()) if name.startswith("AWS_ENDPOINT_URL")]
    facts += [(name, environment[name]) for name in _IN_ENVIRONMENT if environment.get(name)]
    key = environment.get("AWS_ACCESS_KEY_ID")
    if profile is None and key:  # keys in the environment come before the files, unless a profile is named
        facts.append(("key", owner(key)))
    name = profile or environment.get("AWS_DEFAULT_PROFILE") or environment.get("AWS_PROFILE") or "default"
    facts += _in_files(name, environment)
    return _digest(facts)


def owner(key_id: str) -> str:
    """What an access key's id tells of its account, so that a new key of the same account, such as each login brings,
    is none of a stranger. Of a key that tells nothing this is the whole id."""
    bits = _account_bits(key_id)
    return key_id if bits is None else str(bits)


def account_of(key_id: str) -> str | None:
    """The account that an access key belongs to, by its id alone; None for keys from before 2019, whose ids begin
    otherwise."""
    bits = _account_bits(key_id)
    account = None if bits is None or key_id[4:5] < "Q" else bits >> 7
    return f"{account:012}" if account is not None and account < 10**12 else None


def _account_bits(key_id: str) -> int | None:
    """Keys made since 2019 hold the account (STS GetAccessKeyInfo reads it from there too); of an older one these bits
    are as good as the whole id."""
    try:
        decoded = base64.b32decode(key_id[4:20])
    except (binascii.Error, ValueError):
        return None
    return int.from_bytes(decoded[:6]) & _ACCOUNT if len(decoded) == 10 else None


def _in_files(profile: str, environment: Mapping[str, str]) -> Facts:
    config = _sections(environment.get("AWS_CONFIG_FILE") or "~/.aws/config")
    keys = _sections(environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials")
    facts: Facts = []
    for name, section in (*_named(config, profile), *((n, s) for n, s in keys.items() if n == profile)):
        facts += [(f"{name} {key}", value) for key, value in sorted(section.items()) if key in DECIDING]
        if section.get("aws_access_key_id"):
            facts.append((f"{name} key", owner(section["aws_access_key_id"])))
        if services := section.get("services"):
            facts += [
                (f"services {key}", value) for key, value in sorted(config.get(f"services {services}", {}).items())
            ]
    return facts


def _named(config: Mapping[str, Mapping[str, str]], profile: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The profile's sections of the config file: `[profile NAME]`, or `[default]`."""
    for title, section in config.items():
        try:
            words = shlex.split(title)
        except ValueError:
            continue
        if words == ["profile", profile] or title == profile == "default":
            yield title, section


def _sections(file: str) -> Mapping[str, Mapping[str, str]]:
    """The file's sections; none where it cannot be read: then nothing is known of it, and botocore will say so."""
    parser = configparser.RawConfigParser(default_section="", strict=False)
    try:
        parser.read_string(Path(file).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError, configparser.Error):
        return {}
    return {title: dict(parser.items(title)) for title in parser.sections()}


def _digest(facts: object) -> str:
    return hashlib.sha256(repr(facts).encode(errors="replace")).hexdigest()[:32]
