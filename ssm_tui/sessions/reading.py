"""What a session process says on its output, read as events. Both plugins and the AWS CLI, by their exact words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ssm_tui.domain.refusals import Refusal, read_refusal
from ssm_tui.domain.secrets import redacted
from ssm_tui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    FarEndError,
    NetworkError,
    PortError,
    SessionClosedError,
    SessionError,
    SsmTuiError,
    ThrottledError,
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
class ConnectionLost:
    """The plugin's own connection has gone; it resumes the session. Ours alone says so."""

    cause: str


@dataclass(frozen=True, slots=True)
class ConnectionResumed:
    """It has a connection again, to the same session."""


Event = SessionNamed | PortOpened | FarEndRefused | ConnectionLost | ConnectionResumed

_NAMED = re.compile(r"Starting session with SessionId: (\S+)")
_OPENED = re.compile(r"Port (\d+) opened for sessionId")
_REFUSED = "Connection to destination port failed"
_LOST = re.compile(r"Session: \S+ connection lost: (.+); resuming\.")
_RESUMED = re.compile(r"Session: \S+ resumed\.")
_GIVEN_UP = re.compile(r"Session: \S+ lost: (.+)")
_CLOSED = re.compile(r"SessionId: (\S+) : (.+)")
_EXITING = "Exiting session with"
_API_ERROR = re.compile(r"An error occurred \((\w+)\) when calling the (\w+) operation(?: \([^)]*\))?: (.+)")
# What is said on the way, or after the end, and explains no end. The AWS CLI's word on a plugin's status quotes the
# plugin's arguments.
_NEWS = re.compile(
    r"^(Starting session|Port \d+ opened|Waiting for connections|Connection accepted for session|Terminate signal|"
    r"Exiting session|Command '\[|Session: \S+ (connection lost: |resumed))|could not be ended at the service"
)
_FAR_SIGNS = ("no such host", "is forbidden", "connection refused", "i/o timeout", "no route to host")
_CREDENTIAL_SIGNS = (
    "ExpiredToken",
    "RequestExpired",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "SSO session",
    "Unable to locate credentials",
    "Token has expired",
    "could not be found",
)
_CREDENTIAL_CODES = ("ExpiredToken", "RequestExpired", "UnrecognizedClient", "InvalidClientTokenId", "InvalidSignature")
_THROTTLED_CODES = ("Throttl", "TooManyRequests", "RequestLimitExceeded")
# botocore's words, by the AWS CLI (botocore/exceptions.py).
_NETWORK_SIGNS = ("Could not connect to the endpoint", "timeout on endpoint URL", "Connection was closed before we")
# The service's words for an idle session (github.com/aws/amazon-ssm-agent/issues/261). Port sessions are often closed
# without a word (github.com/aws/aws-sdk-go/issues/4691). Its words for one that has lasted too long are not on record:
# they are known by the name of the setting (userguide/session-preferences-max-timeout).
_IDLE = "timed out due to inactivity"
_TOO_LONG = re.compile(r"max(imum)? (session )?duration|session duration", re.IGNORECASE)
# A fault of the agent's side (github.com/aws/amazon-ssm-agent/issues/522).
_REASONS = re.compile(r"has been terminated for the following reasons:[\s-]*(?:ERROR-*)?\s*(.+)")
# ResumeSession gave no token: there is nothing to come back to (session-manager-plugin, ResumeSessionHandler).
_NO_TOKEN = re.compile(r"Session: \S+ timed out\.")


def read(line: str) -> Event | None:
    """The event that a line tells of, or None."""
    if match := _NAMED.search(line):
        return SessionNamed(match[1])
    if match := _OPENED.search(line):
        return PortOpened(int(match[1]))
    if _REFUSED in line:
        return FarEndRefused()
    if match := _LOST.search(line):
        return ConnectionLost(redacted(match[1]))
    return ConnectionResumed() if _RESUMED.search(line) else None


def refusal(said: str) -> SsmTuiError | None:
    """What the AWS CLI says on stderr, where it is AWS's refusal of a call."""
    match = _API_ERROR.search(said)
    return _refused(match[1], match[3]) if match else None


def why_ended(lines: tuple[str, ...], status: int) -> SsmTuiError:
    """The reason that a session process ended by itself, from its last lines and its exit status."""
    telling = [redacted(line) for line in reversed(lines) if not _NEWS.search(line)]
    for line in telling:
        if error := _known(line):
            return error
    if telling:
        match = _GIVEN_UP.search(telling[0])
        return SessionError(
            f"the session was lost: {match[1]}" if match else telling[0],
            "retry; the agent's log on the node may say more",
        )
    told_to_stop = any(line.startswith("Terminate signal") for line in lines)
    if not told_to_stop and any(line.startswith(_EXITING) for line in lines):
        return SessionClosedError(
            "the session was ended at the service",
            "by TerminateSession, or for being idle or open too long: the service did not say why",
        )
    return SessionError(f"the session process ended (status {status})", "it was killed, perhaps, or it crashed")


def _known(line: str) -> SsmTuiError | None:
    if match := _CLOSED.search(line):
        return _closed(match[2])
    if match := _API_ERROR.search(line):
        return _refused(match[1], match[3])
    if _NO_TOKEN.search(line):
        return SessionClosedError("the session is over at the service", "it was idle, perhaps, or open for too long")
    if any(sign in line for sign in _CREDENTIAL_SIGNS):
        match = _GIVEN_UP.search(line)
        return CredentialsError(match[1] if match else line, "sign in again, then retry")
    if any(sign in line for sign in _NETWORK_SIGNS):
        return NetworkError(line, "check the network, a proxy or VPN")
    if "address already in use" in line:
        return PortError(line, "choose another local port")
    return None


def _closed(text: str) -> SsmTuiError:
    if any(sign in text for sign in _FAR_SIGNS):
        return FarEndError(text, "check the host name and port as the relay sees them")
    if _IDLE in text:
        return SessionClosedError(
            "the service ended the session: it was idle", "the account's idle timeout is in its preferences", idle=True
        )
    if _TOO_LONG.search(text):
        return SessionClosedError(
            "the service ended the session: it had lasted as long as one may",
            "the account's maximum duration is in its preferences",
            idle=False,
        )
    match = _REASONS.search(text)
    return SessionError(
        f"the session was closed: {match[1] if match else text}", "retry; the agent's log on the node may say more"
    )


def _refused(code: str, text: str) -> SsmTuiError:
    if code in ("AccessDeniedException", "AccessDenied"):
        hint = "ask for ssm:StartSession on this node and document"
        said = read_refusal(text) or Refusal("ssm:StartSession")
        return AccessDeniedError(text, hint, code=code, action=said[0], resource=said[1], reason=said[2])
    if code == "TargetNotConnected":
        return AwsError(
            text, "the node's agent does not answer: is the node running, and is its ping Online?", code=code
        )
    if code.startswith(_CREDENTIAL_CODES):
        return CredentialsError(text, "sign in again, then retry", code=code)
    if code.startswith(_THROTTLED_CODES):
        return ThrottledError(text, "that passes by itself, mostly within a minute", code=code)
    return AwsError(text, "the code is AWS's own; its documentation of StartSession explains it", code=code)
