"""From a spec to the AWS CLI's command."""

from __future__ import annotations

import json
import shlex

import pytest

from ssm_tui.domain import sessions
from ssm_tui.domain.contexts import Caller, Context
from ssm_tui.domain.sessions import StartedSession, aws_argv, shown
from ssm_tui.errors import PortError
from tests.builders import SEOUL


def test_a_shell() -> None:
    assert shown(aws_argv(sessions.shell(SEOUL, "i-1"))) == (
        "aws ssm start-session --target i-1 --profile dev --region ap-northeast-2"
    )


def test_a_reason_is_one_word_of_the_command() -> None:
    argv = aws_argv(sessions.shell(Context(None, "us-east-1"), "i-1", reason="look; rm -rf /"))
    assert "--profile" not in argv
    assert shlex.split(shown(argv)) == argv
    assert argv[argv.index("--reason") + 1] == "look; rm -rf /"


@pytest.mark.parametrize(
    ("host", "document", "parameters"),
    [
        ("", "AWS-StartPortForwardingSession", {"portNumber": ["80"], "localPortNumber": ["0"]}),
        (
            "db.internal",
            "AWS-StartPortForwardingSessionToRemoteHost",
            {"host": ["db.internal"], "portNumber": ["80"], "localPortNumber": ["0"]},
        ),
    ],
)
def test_a_forward(host: str, document: str, parameters: dict[str, list[str]]) -> None:
    argv = aws_argv(sessions.forward(SEOUL, "i-1", 80, host=host))
    assert argv[argv.index("--document-name") + 1] == document
    assert json.loads(argv[argv.index("--parameters") + 1]) == parameters


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_out_of_range(port: int) -> None:
    with pytest.raises(PortError):
        sessions.forward(SEOUL, "i-1", port)


def test_a_token_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(StartedSession("s-1", "wss://x", "https://x", token="s3cret"))


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:iam::111122223333:user/dev/kim", "arn:aws:iam::111122223333:user/dev/kim"),
        ("arn:aws-cn:sts::111122223333:assumed-role/Admin/kim", "arn:aws-cn:iam::111122223333:role/Admin"),
    ],
)
def test_principals(arn: str, principal: str) -> None:
    assert Caller("111122223333", arn).principal == principal
