"""What session processes say, in their exact words (recorded from AWS's plugin and CLI), as events and reasons."""

from __future__ import annotations

import pytest

from ssm_tui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    FarEndError,
    NetworkError,
    SessionClosedError,
    SessionError,
    SsmTuiError,
    ThrottledError,
)
from ssm_tui.sessions.reading import (
    ConnectionLost,
    ConnectionResumed,
    FarEndRefused,
    PortOpened,
    SessionNamed,
    read,
    why_ended,
)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("Starting session with SessionId: dev-0123456789abcd010", SessionNamed("dev-0123456789abcd010")),
        ("Port 43211 opened for sessionId dev-0123456789abcd010.", PortOpened(43211)),
        ("Connection to destination port failed, check SSM Agent logs.", FarEndRefused()),
        (
            "Session: dev-1 connection lost: the service closed it (1000); resuming.",
            ConnectionLost("the service closed it (1000)"),
        ),
        ("Session: dev-1 resumed.", ConnectionResumed()),
        ("Waiting for connections...", None),
        ("", None),
    ],
)
def test_events(line: str, event: object) -> None:
    assert read(line) == event


@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        (
            ["SessionId: dev-1 : lookup no-such-host.invalid on 127.0.0.1:53: no such host"],
            FarEndError,
            "no such host",
        ),
        (["SessionId: dev-1 : Forwarding to IP address 169.254.169.254 is forbidden."], FarEndError, "forbidden"),
        (
            ["SessionId: dev-1 : Your session timed out due to inactivity and has been terminated."],
            SessionClosedError,
            "it was idle",
        ),
        (["SessionId: dev-1 : Maximum session duration reached."], SessionClosedError, "as long as one may"),
        (["Session: dev-1 timed out."], SessionClosedError, "is over"),
        (
            ["SessionId: d : Your session has been terminated for the following reasons: ---ERROR--- Set-up failed"],
            SessionError,
            "the session was closed: Set-up failed",
        ),
        (
            ["Session: dev-1 lost: ExpiredTokenException: The security token included in the request is expired"],
            CredentialsError,
            "ExpiredTokenException",
        ),
        (
            ["An error occurred (ThrottlingException) when calling the StartSession operation: Rate exceeded"],
            ThrottledError,
            "Rate exceeded",
        ),
        (
            ["An error occurred (ExpiredTokenException) when calling the StartSession operation: expired"],
            CredentialsError,
            "expired",
        ),
        (['Could not connect to the endpoint URL: "https://ssm.eu-west-1.amazonaws.com/"'], NetworkError, "endpoint"),
        (
            ["An error occurred (AccessDeniedException) when calling the StartSession operation: not authorized"],
            AccessDeniedError,
            "not authorized",
        ),
        (
            ["An error occurred (TargetNotConnected) when calling the StartSession operation: i-1 is not connected."],
            AwsError,
            "not connected",
        ),
        (["Error when retrieving token from sso: Token has expired and refresh failed"], CredentialsError, "expired"),
        (
            ["Starting session with SessionId: dev-1", "Exiting session with sessionId: dev-1."],
            SessionClosedError,
            "ended at the service",
        ),
        (
            ["Terminate signal received, exiting.", "Exiting session with sessionId: dev-1."],
            SessionError,
            "the session process ended",
        ),
        ([], SessionError, "status 3"),
        (["something unforeseen"], SessionError, "something unforeseen"),
        (
            ["Waiting for connections...", "Connection accepted for session [dev-1]"],
            SessionError,
            "the session process ended (status 3)",
        ),
        (
            [
                "Session: dev-1 lost: gave up after 45 s",
                "Session dev-1 could not be ended at the service: The config profile (x) could not be found",
            ],
            SessionError,
            "lost: gave up after 45 s",
        ),
        (["Command '['session-manager-plugin', '{}']' died with <Signals.SIGKILL: 9>."], SessionError, "status 3"),
    ],
)
def test_reasons(lines: list[str], kind: type[SsmTuiError], words: str) -> None:
    error = why_ended(tuple(lines), 3)
    assert type(error) is kind
    assert words in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("line", "idle"),
    [
        ("SessionId: dev-1 : Your session timed out due to inactivity and has been terminated.", True),
        ("SessionId: dev-1 : The session has reached its maximum duration.", False),
        ("Exiting session with sessionId: dev-1.", None),
    ],
)
def test_a_close_for_idleness_is_told_from_others(line: str, idle: bool | None) -> None:
    error = why_ended((line,), 0)
    assert isinstance(error, SessionClosedError)
    assert error.idle is idle
