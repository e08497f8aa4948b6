"""What the detached supervisor and its clients say to each other: a line of JSON each. No message holds a secret.

Versions may differ at the two ends, so that one can take over from the other: `Hello`, and asking to "hand over", stay
as they are for ever; fields may be added with a default, and unknown ones are passed over.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

# Looked up at run time, by msgspec.
from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelRequest, TunnelStatus  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOL: Final = 1
MOST_BYTES: Final = 1 << 20
"""Of one line: a few hundred tunnels."""

# A request names its profile and region: what these say at the other end is neither here nor there.
_EXEMPT = frozenset({"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"})
_FILES = (
    "SSM_TUI_CONFIG",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


class Hello(msgspec.Struct, frozen=True, tag_field="kind", tag="hello"):
    """What the supervisor says first. `salt` is for `fingerprints`."""

    version: str
    protocol: int
    pid: int
    salt: str


class Ask(msgspec.Struct, frozen=True, tag_field="kind", tag="ask", omit_defaults=True):
    """What a client wants. `number` is its own, and comes back with the answer."""

    number: int
    do: Literal[
        "watch", "statuses", "check", "open", "stop", "stop all", "retry", "renew", "history", "carried", "hand over"
    ]
    tunnel: int = 0
    request: TunnelRequest | None = None
    profile: str | None = None
    environment: dict[str, str] | None = None


class Answer(msgspec.Struct, frozen=True, tag_field="kind", tag="answer", omit_defaults=True):
    """What came of it; with a `message` where nothing did."""

    number: int
    tunnel: int = 0
    statuses: tuple[TunnelStatus, ...] = ()
    requests: tuple[TunnelRequest, ...] = ()
    history: tuple[TunnelEvent, ...] = ()
    connections: tuple[Connection, ...] = ()
    message: str = ""
    hint: str = ""


class News(msgspec.Struct, frozen=True, tag_field="kind", tag="news"):
    """A tunnel has changed: for those who watch."""

    status: TunnelStatus


ASKS: Final = msgspec.json.Decoder(Ask)
SAID: Final = msgspec.json.Decoder(Hello | Answer | News)


def line(message: Hello | Ask | Answer | News) -> bytes:
    """The message as it is sent."""
    return msgspec.json.encode(message) + b"\n"


def settled(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that stands in another folder."""
    changed = {name: str(Path(environment[name]).absolute()) for name in _FILES if environment.get(name)}
    return {**environment, **changed}


def without_exempt(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is not compared, and must therefore have no effect."""
    return {name: value for name, value in environment.items() if name not in _EXEMPT}


def fingerprints(environment: Mapping[str, str], salt: str) -> dict[str, str]:
    """What there is of AWS in the environment, comparable and not to be read back."""
    return {
        name: hmac.new(salt.encode(), value.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:32]
        for name, value in without_exempt(environment).items()
        if name.startswith("AWS_")
    }
