"""What session processes say, in their exact words (recorded from AWS's plugin and CLI), as events and reasons."""

from __future__ import annotations

import pytest

from ssm_tui.errors import AccessDeniedError, AwsError, CredentialsError, FarEndError, SessionError, SsmTuiError
from ssm_tui.sessions.reading import FarEndRefused, PortOpened, SessionNamed, read, why_ended


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("Starting session with SessionId: dev-0123456789abcd010", SessionNamed("dev-0123456789abcd010")),
        ("Port 43211 opened for sessionId dev-0123456789abcd010.", PortOpened(43211)),
        ("Connection to destination port failed, check SSM Agent logs.", FarEndRefused()),
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
        (["SessionId: dev-1 : your session has been idle for 20 minutes"], SessionError, "idle"),
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
        (["Starting session with SessionId: dev-1", "Exiting session with sessionId: dev-1."], SessionError, "ended"),
        ([], SessionError, "status 3"),
        (["something unforeseen"], SessionError, "something unforeseen"),
        (
            ["Waiting for connections...", "Connection accepted for session [dev-1]"],
            SessionError,
            "the session ended (status 3)",
        ),
        (
            [
                "Session: dev-1 lost: gave up after 45 s",
                "Session dev-1 could not be ended at the service: The config profile (x) could not be found",
            ],
            SessionError,
            "lost: gave up",
        ),
        (["Command '['session-manager-plugin', '{}']' died with <Signals.SIGKILL: 9>."], SessionError, "status 3"),
    ],
)
def test_reasons(lines: list[str], kind: type[SsmTuiError], words: str) -> None:
    error = why_ended(tuple(lines), 3)
    assert type(error) is kind
    assert words in error.message
    assert error.hint
