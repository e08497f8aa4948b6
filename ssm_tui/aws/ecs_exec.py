"""ECS's ExecuteCommand: one command in a container, as a session of Systems Manager.

Source: API reference of ExecuteCommand (its answer holds the session), and the AWS CLI's `ecs execute-command`, which
hands that session to the plugin with `ecs:CLUSTER_TASK_RUNTIME` as the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws import decode
from ssm_tui.aws.translate import not_aws
from ssm_tui.domain.sessions import StartedSession, checked_container

if TYPE_CHECKING:
    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.sessions import SessionSpec


def execute_command(gateway: Gateway, spec: SessionSpec) -> StartedSession:
    """Starts the command in the container. Raises AwsError, TargetError.

    `endpoint` is SSM's and not ECS's, which the AWS CLI gives to the plugin: sessions are resumed and ended there.
    """
    cluster, task, _ = checked_container(spec.target)
    named = {"container": spec.container} if spec.container else {}
    answer = gateway.call(
        "ecs", "execute_command", cluster=cluster, task=task, command=spec.command, interactive=True, **named
    )
    session = decode.entry(answer.get("session"))
    session_id, url, token = (decode.text(session.get(key)) for key in ("sessionId", "streamUrl", "tokenValue"))
    if session_id is None or url is None or token is None:
        raise not_aws("ecs:ExecuteCommand")
    return StartedSession(session_id=session_id, stream_url=url, endpoint=gateway.endpoint("ssm"), token=token)
