"""The handshake of a session and what the two versions in it decide: pure, typed, for both ends.

HandshakeRequest (agent), HandshakeResponse (client), HandshakeComplete (agent), each a JSON payload. Field names and
order are those of AWS's programs, so that a recorded payload is reproduced to the byte.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

CLIENT_VERSION = "1.2.764.0"
"""What we announce: the version of AWS's plugin whose behaviour agents and the AWS CLI may expect of us."""
MUX_AFTER = "3.0.196.0"
NO_KEEPALIVE_AFTER = "3.1.1511.0"
TERMINATE_FLAG_AFTER = "2.3.722.0"
CLIENT_MUX_FROM = "1.1.70"
CLIENT_NO_KEEPALIVE_AFTER = "1.2.331.0"
LOCAL_PORT_FORWARDING = "LocalPortForwarding"


class HandshakeError(ValueError):
    """A handshake payload that cannot be read."""


class ActionType(StrEnum):
    SESSION_TYPE = "SessionType"
    KMS_ENCRYPTION = "KMSEncryption"


class ActionStatus(IntEnum):
    SUCCESS = 1
    FAILED = 2
    UNSUPPORTED = 3


class SessionType(StrEnum):
    STANDARD_STREAM = "Standard_Stream"
    INTERACTIVE_COMMANDS = "InteractiveCommands"
    NON_INTERACTIVE_COMMANDS = "NonInteractiveCommands"
    PORT = "Port"


@dataclass(frozen=True, slots=True)
class RequestedAction:
    action_type: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    agent_version: str
    actions: tuple[RequestedAction, ...]


@dataclass(frozen=True, slots=True)
class ProcessedAction:
    action_type: str
    status: int
    result: object = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class HandshakeResponse:
    client_version: str
    actions: tuple[ProcessedAction, ...]
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandshakeComplete:
    nanoseconds: int
    customer_message: str = ""


@dataclass(frozen=True, slots=True)
class PortProperties:
    """What the document of a port session says. An empty `local_port` means any free one, an empty `kind` stdio."""

    port: str = ""
    local_port: str = ""
    kind: str = ""
    host: str = ""
    connection_type: str = ""
    unix_socket: str = ""


def session_action(session_type: str, properties: Mapping[str, object] | None) -> RequestedAction:
    """The action by which the agent names the session's type."""
    return RequestedAction(ActionType.SESSION_TYPE, {"SessionType": session_type, "Properties": properties})


def encryption_action(key_id: str, challenge: bytes) -> RequestedAction:
    """The action by which the agent asks for encryption with a KMS key."""
    return RequestedAction(
        ActionType.KMS_ENCRYPTION, {"KMSKeyId": key_id, "Challenge": b64encode(challenge).decode("ascii")}
    )


def encryption_key_id(action: RequestedAction) -> str:
    """The KMS key that such an action names. Raises `HandshakeError`."""
    key_id = _text(action.parameters, "KMSKeyId")
    if not key_id:
        raise HandshakeError("an encryption without a key")
    return key_id


def encryption_result(sealed_key: bytes) -> Mapping[str, object]:
    """The result of such an action: the session's key as only KMS can read it."""
    return {"KMSCipherTextKey": b64encode(sealed_key).decode("ascii"), "KMSCipherTextHash": None}


def sealed_key(result: object) -> bytes:
    """Reads it. Raises `HandshakeError`."""
    if not isinstance(result, Mapping):
        raise HandshakeError("an encryption without a result")
    return _bytes(result, "KMSCipherTextKey")


def encode_challenge(challenge: bytes) -> bytes:
    return _dump({"Challenge": b64encode(challenge).decode("ascii")})


def decode_challenge(payload: bytes) -> bytes:
    """Raises `HandshakeError`."""
    return _bytes(_load(payload), "Challenge")


def port_properties(properties: object) -> PortProperties:
    """Reads the Properties of a Port session. Raises `HandshakeError`."""
    if not isinstance(properties, Mapping):
        raise HandshakeError("a port session without properties")

    def text(name: str) -> str:
        value = properties.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise HandshakeError(f"property {name} is not text")
        return str(value)

    return PortProperties(
        port=text("portNumber"),
        local_port=text("localPortNumber"),
        kind=text("type"),
        host=text("host"),
        connection_type=text("localConnectionType"),
        unix_socket=text("localUnixSocket"),
    )


def encode_request(request: HandshakeRequest) -> bytes:
    actions = [{"ActionType": a.action_type, "ActionParameters": a.parameters} for a in request.actions]
    return _dump({"AgentVersion": request.agent_version, "RequestedClientActions": actions})


def decode_request(payload: bytes) -> HandshakeRequest:
    """Raises `HandshakeError`."""
    fields = _load(payload)
    actions = []
    for action in _objects(fields.get("RequestedClientActions")):
        parameters = action.get("ActionParameters")
        actions.append(RequestedAction(_text(action, "ActionType"), parameters if isinstance(parameters, dict) else {}))
    return HandshakeRequest(_text(fields, "AgentVersion"), tuple(actions))


def encode_response(response: HandshakeResponse) -> bytes:
    actions = [
        {"ActionType": a.action_type, "ActionStatus": int(a.status), "ActionResult": a.result, "Error": a.error}
        for a in response.actions
    ]
    return _dump(
        {
            "ClientVersion": response.client_version,
            "ProcessedClientActions": actions,
            "Errors": list(response.errors) or None,
        }
    )


def decode_response(payload: bytes) -> HandshakeResponse:
    """Raises `HandshakeError`."""
    fields = _load(payload)
    actions = tuple(
        ProcessedAction(
            _text(action, "ActionType"),
            _integer(action, "ActionStatus"),
            action.get("ActionResult"),
            _text(action, "Error"),
        )
        for action in _objects(fields.get("ProcessedClientActions"))
    )
    errors = fields.get("Errors") or []
    if not isinstance(errors, list) or not all(isinstance(error, str) for error in errors):
        raise HandshakeError("Errors is not a list of texts")
    return HandshakeResponse(_text(fields, "ClientVersion"), actions, tuple(errors))


def encode_complete(complete: HandshakeComplete) -> bytes:
    return _dump({"HandshakeTimeToComplete": complete.nanoseconds, "CustomerMessage": complete.customer_message})


def decode_complete(payload: bytes) -> HandshakeComplete:
    """Raises `HandshakeError`."""
    fields = _load(payload)
    return HandshakeComplete(_integer(fields, "HandshakeTimeToComplete"), _text(fields, "CustomerMessage"))


def newer_than(version: str, floor: str) -> bool:
    """Whether an agent is newer than `floor`, as AWS's plugin compares: the same number of parts, else no."""
    left, right = _parts(version), _parts(floor)
    return left is not None and right is not None and len(left) == len(right) and left > right


def agent_muxes(agent_version: str, properties: PortProperties) -> bool:
    """The plugin's decision between many connections over smux and one at a time."""
    return properties.kind == LOCAL_PORT_FORWARDING and newer_than(agent_version, MUX_AFTER)


def agent_needs_keepalive(agent_version: str) -> bool:
    """Whether smux keep-alive frames are expected by this agent."""
    return not newer_than(agent_version, NO_KEEPALIVE_AFTER)


def agent_knows_terminate_flag(agent_version: str) -> bool:
    return newer_than(agent_version, TERMINATE_FLAG_AFTER)


def client_muxes(client_version: str, properties: PortProperties) -> bool:
    """The agent's side of the same decision."""
    left, right = _parts(client_version), _parts(CLIENT_MUX_FROM)
    return properties.kind == LOCAL_PORT_FORWARDING and left is not None and right is not None and left >= right


def client_needs_keepalive(client_version: str) -> bool:
    """Whether the agent runs smux keep-alive towards this client."""
    return not newer_than(client_version, CLIENT_NO_KEEPALIVE_AFTER)


def _parts(version: str) -> tuple[int, ...] | None:
    parts = version.split(".")
    # isdecimal alone would let the digits of other scripts through; a long one would make int() raise
    if all(part.isascii() and part.isdecimal() and len(part) <= 18 for part in parts):
        return tuple(map(int, parts))
    return None


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _load(payload: bytes) -> dict[str, object]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise HandshakeError("a handshake message that is not JSON") from error
    if not isinstance(value, dict):
        raise HandshakeError("a handshake message that is not a JSON object")
    return value


def _objects(value: object) -> list[dict[str, object]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise HandshakeError("actions that are not a list of objects")
    return value


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise HandshakeError(f"{name} is not text")
    return value


def _bytes(fields: Mapping[str, object], name: str) -> bytes:
    try:
        return b64decode(_text(fields, name), validate=True)
    except ValueError as error:
        raise HandshakeError(f"{name} is not base64") from error


def _integer(fields: Mapping[str, object], name: str) -> int:
    value = fields.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise HandshakeError(f"{name} is not a whole number")
    return value
