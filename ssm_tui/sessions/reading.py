"""What a session process says on its output, read as events. Both plugins and the AWS CLI, by their exact words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ssm_tui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    FarEndError,
    PortError,
    SessionError,
    SsmTuiError,
)


@dataclass(frozen=True, slots=True)
class SessionNamed:
    """The session's id is known; nothing stands yet."""

    session_id: str


@dataclass(frozen=True, slots=True)
class PortOpened:
    """The plugin listens here. The far end has not been tried."""

    port: int


@dataclass(frozen=True, slots=True)
class FarEndRefused:
    """The agent could not connect one stream to its target."""


@dataclass(frozen=True, slots=True)
class SessionExited:
    """The session has ended at the service too."""


Event = SessionNamed | PortOpened | FarEndRefused | SessionExited

_NAMED = re.compile(r"Starting session with SessionId: (\S+)")
_OPENED = re.compile(r"Port (\d+) opened for sessionId")
_REFUSED = "Connection to destination port failed"
_CLOSED = re.compile(r"SessionId: (\S+) : (.+)")
_API_ERROR = re.compile(r"An error occurred \((\w+)\) when calling the (\w+) operation(?: \([^)]*\))?: (.+)")
# What is said on the way, or after the end, and explains no end. The AWS CLI's word on a plugin's status quotes the
# plugin's arguments.
_NEWS = re.compile(
    r"^(Starting session|Port \d+ opened|Waiting for connections|Connection accepted for session|Terminate signal|"
    r"Exiting session|Command '\[)|could not be ended at the service"
)
_FAR_SIGNS = ("no such host", "is forbidden", "connection refused", "i/o timeout", "no route to host")
_CREDENTIAL_SIGNS = (
    "ExpiredToken",
    "SSO session",
    "Unable to locate credentials",
    "Token has expired",
    "could not be found",
)


def read(line: str) -> Event | None:
    """The event that a line tells of, or None."""
    if match := _NAMED.search(line):
        return SessionNamed(match[1])
    if match := _OPENED.search(line):
        return PortOpened(int(match[1]))
    if _REFUSED in line:
        return FarEndRefused()
    if line.startswith("Exiting session with"):
        return SessionExited()
    return None


def refusal(said: str) -> SsmTuiError | None:
    """What the AWS CLI says on stderr, where it is AWS's refusal of a call."""
    match = _API_ERROR.search(said)
    return _refused(match[1], match[3]) if match else None


def why_ended(lines: tuple[str, ...], status: int) -> SsmTuiError:
    """The reason that a session process ended by itself, from its last lines and its exit status."""
    telling = [line for line in reversed(lines) if not _NEWS.search(line)]
    for line in telling:
        if match := _CLOSED.search(line):
            return _closed(match[2])
        if match := _API_ERROR.search(line):
            return _refused(match[1], match[3])
        if any(sign in line for sign in _CREDENTIAL_SIGNS):
            return CredentialsError(line, "sign in again, then retry")
        if "address already in use" in line:
            return PortError(line, "choose another local port")
    if telling:
        return SessionError(telling[0], "retry; the agent's log on the node may say more")
    return SessionError(
        f"the session ended (status {status})", "it may have been terminated, or reached its idle or maximum duration"
    )


def _closed(text: str) -> SsmTuiError:
    if any(sign in text for sign in _FAR_SIGNS):
        return FarEndError(text, "check the host name and port as the relay sees them")
    return SessionError(f"the session was closed: {text}", "retry; the agent's log on the node may say more")


def _refused(code: str, text: str) -> SsmTuiError:
    if code in ("AccessDeniedException", "AccessDenied"):
        return AccessDeniedError(text, "ask for ssm:StartSession on this node and document", code=code)
    if code == "TargetNotConnected":
        return AwsError(
            text, "the node's agent does not answer: is the node running, and is its ping Online?", code=code
        )
    return AwsError(text, "the code is AWS's own; its documentation of StartSession explains it", code=code)
