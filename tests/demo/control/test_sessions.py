"""Starting, describing and ending sessions through the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.demo.control.conftest import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.demo_cloud import Caller


def test_a_session_from_start_to_history(developer: Caller, instance: Callable[..., str]) -> None:
    ssm, node = developer.client("ssm"), instance("web-4")
    session = ssm.start_session(Target=node, Reason="ticket 7")
    assert session["SessionId"].startswith("developer-")
    assert session["StreamUrl"].startswith("ws://127.0.0.1:")
    mine = [{"key": "SessionId", "value": session["SessionId"]}]
    (active,) = ssm.describe_sessions(State="Active", Filters=mine)["Sessions"]
    assert (active["Target"], active["Reason"], active["Owner"]) == (
        node,
        "ticket 7",
        "arn:aws:iam::123456789012:user/developer",
    )
    resumed = ssm.resume_session(SessionId=session["SessionId"])
    assert resumed["TokenValue"] != session["TokenValue"]
    assert ssm.terminate_session(SessionId=session["SessionId"])["SessionId"] == session["SessionId"]
    assert ssm.describe_sessions(State="Active", Filters=mine)["Sessions"] == []
    (past,) = ssm.describe_sessions(State="History", Filters=mine)["Sessions"]
    assert past["Status"] == "Terminated"
    assert past["EndDate"] >= past["StartDate"]
    assert refusal(ssm.resume_session, SessionId=session["SessionId"])[0] == "DoesNotExistException"


def test_sessions_of_others_are_not_ones_own(
    developer: Caller, administrator: Caller, instance: Callable[..., str]
) -> None:
    session = administrator.client("ssm").start_session(Target=instance("web-4"))["SessionId"]
    code, message = refusal(developer.client("ssm").terminate_session, SessionId=session)
    assert code == "AccessDeniedException"
    assert f":session/{session} because no identity-based policy allows the ssm:TerminateSession action" in message
    administrator.client("ssm").terminate_session(SessionId=session)


@pytest.mark.parametrize("name", ["web-lost", "web-stopped", "web-without-role", "batch-locked"])
def test_a_node_without_connection(developer: Caller, instance: Callable[..., str], name: str) -> None:
    """The developer may have them all: by their tags, which instances have whether they are managed or not."""
    node = instance(name)
    refused = refusal(developer.client("ssm").start_session, Target=node)
    assert refused == ("TargetNotConnected", f"{node} is not connected.")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"DocumentName": "No-Such"}, "InvalidDocument", "Document with name No-Such does not exist."),
        (
            {"DocumentName": "AWS-StartPortForwardingSession", "Parameters": {"portNumber": ["99999"]}},
            "InvalidParameters",
            "portNumber",
        ),
        (
            {"DocumentName": "AWS-StartPortForwardingSession", "Parameters": {"host": ["x"]}},
            "InvalidParameters",
            "host",
        ),
        ({"Reason": "x" * 257}, "ValidationException", "less than or equal to 256"),
        ({"DocumentName": "a b"}, "ValidationException", "regular expression pattern"),
    ],
)
def test_wrong_arguments(
    administrator: Caller, instance: Callable[..., str], arguments: dict[str, Any], code: str, words: str
) -> None:
    refused = refusal(administrator.client("ssm").start_session, Target=instance("web-4"), **arguments)
    assert refused[0] == code
    assert words in refused[1]


def test_unknown_sessions(administrator: Caller) -> None:
    ssm = administrator.client("ssm")
    assert refusal(ssm.resume_session, SessionId="administrator-0123456789")[0] == "DoesNotExistException"
    assert refusal(ssm.terminate_session, SessionId="administrator-0123456789")[0] == "DoesNotExistException"


def test_documents_of_awss_own_are_there_to_read(developer: Caller) -> None:
    ssm = developer.client("ssm")
    described = ssm.describe_document(Name="AWS-StartPortForwardingSession")["Document"]
    assert {each["Name"] for each in described["Parameters"]} == {"portNumber", "localPortNumber"}
    assert '"sessionType": "Port"' in ssm.get_document(Name="AWS-StartPortForwardingSession")["Content"]


def test_control_characters_do_not_reach_xml(administrator: Caller, instance: Callable[..., str]) -> None:
    tags = [{"Key": "note", "Value": "\x1b]0;x\x07"}]
    refused = refusal(administrator.client("ec2").create_tags, Resources=[instance("web-4")], Tags=tags)
    assert refused[0] == "InvalidParameterValue"
