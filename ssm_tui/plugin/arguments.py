"""The arguments of session-manager-plugin, as the AWS CLI passes them: pure reading, nothing started.

1  StartSession response as JSON, or the name of an environment variable that holds it
2  region       3  operation, always StartSession       4  profile, may be empty
5  parameters of the StartSession call as JSON          6  SSM endpoint

`aws ecs execute-command` passes ECS's answer in 1, whose names begin with small letters, and ECS's endpoint in 6.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ssm_tui.plugin.handshake import CLIENT_VERSION

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

RESPONSE_VARIABLE: Final = "AWS_SSM_START_SESSION_RESPONSE"
_ECS_ENDPOINT: Final = re.compile(r"https://ecs(-fips)?\.")
_INSTALLED: Final = "\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """Nothing to start: text for stdout and an exit status."""

    text: str
    status: int


@dataclass(frozen=True, slots=True)
class Invocation:
    """A session to run."""

    session_id: str
    stream_url: str
    token: str = field(repr=False)
    region: str
    profile: str = ""
    document: str = ""
    endpoint: str = ""
    target: str = ""


class _UnusableError(Exception):
    pass


def parse(arguments: Sequence[str], environment: MutableMapping[str, str]) -> Answer | Invocation:
    """Reads the arguments; a response in the environment is taken out of it, so that no child inherits the token."""
    if not arguments:
        return Answer(_INSTALLED, 0)
    if len(arguments) < 3:
        if arguments[0] == "--version":
            return Answer(f"{CLIENT_VERSION}\n", 0)
        return Answer(
            f"\nUnknown operation {arguments[0]}. \nUse session-manager-plugin --version to check the version.\n\n", 1
        )
    if arguments[2] != "StartSession":
        return Answer("Invalid Operation", 1)
    padded = [*arguments, "", "", ""]
    try:
        response = _object(_response(arguments[0], environment), "the StartSession response (argument 1)")
        parameters: dict[str, object] = {}
        target = ""
        if len(arguments) > 4:
            parameters = _object(padded[4], "the session's parameters (argument 5)")
            target = _text(parameters, "Target", "the session's parameters (argument 5)")
        document = parameters.get("DocumentName")
        return Invocation(
            session_id=_text(response, "SessionId", "the StartSession response"),
            stream_url=_text(response, "StreamUrl", "the StartSession response"),
            token=_text(response, "TokenValue", "the StartSession response"),
            region=padded[1],
            profile=padded[3],
            document=document if isinstance(document, str) else "",
            # Sessions are resumed and ended at SSM; empty is the SDK's own for the region.
            endpoint="" if _ECS_ENDPOINT.match(padded[5]) else padded[5],
            target=target,
        )
    except _UnusableError as problem:
        return Answer(f"Cannot perform start session: {problem}\n", 1)


def _response(argument: str, environment: MutableMapping[str, str]) -> str:
    if not argument.startswith(RESPONSE_VARIABLE):
        return argument
    response = environment.pop(argument, "")
    if not response:
        raise _UnusableError(f"the environment variable {argument} is empty or not set")
    return response


def _object(text: str, what: str) -> dict[str, object]:
    """The reason quotes a place in the text, never the text: it may hold the token."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise _UnusableError(f"{what} is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _UnusableError(f"{what} is nested too deeply") from None
    if not isinstance(value, dict):
        raise _UnusableError(f"{what} is not a JSON object")
    return value


def _text(fields: dict[str, object], name: str, what: str) -> str:
    # AWS's plugin takes the names in any case; these are the two that there are.
    value = fields.get(name, fields.get(name[0].lower() + name[1:]))
    if not isinstance(value, str) or not value:
        raise _UnusableError(f"{what} has no {name}")
    return value
