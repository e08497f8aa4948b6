"""StartSession: from a session's spec to the answer that a plugin needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws.translate import not_aws
from ssm_tui.domain.sessions import StartedSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.sessions import SessionSpec


def start_session(gateway: Gateway, spec: SessionSpec) -> StartedSession:
    """StartSession, or for a command in a container ECS's ExecuteCommand, which starts a session too.

    Raises AwsError: AccessDeniedError where the caller may not.
    """
    if spec.command:
        from ssm_tui.aws.ecs_exec import execute_command

        return execute_command(gateway, spec)
    wanted: dict[str, object] = {"Target": spec.target}
    if spec.document:
        wanted["DocumentName"] = spec.document
    if spec.parameters:
        wanted["Parameters"] = {key: list(values) for key, values in spec.parameters.items()}
    if spec.reason:
        wanted["Reason"] = spec.reason
    answer = gateway.call("ssm", "start_session", **wanted)
    return StartedSession(
        session_id=told(answer, "SessionId"),
        stream_url=told(answer, "StreamUrl"),
        endpoint=gateway.endpoint("ssm"),
        token=told(answer, "TokenValue"),
    )


def told(answer: Mapping[str, object], key: str) -> str:
    """What AWS always tells. A portal or proxy that answers in its place may pass for an empty answer."""
    value = answer.get(key)
    if not isinstance(value, str):
        raise not_aws("the call")
    return value
