"""How a channel is opened and closed: the open message and channel_closed, both JSON. Pure, for both ends.

The open message is the first frame of a connection, and its only text frame.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from ssm_tui.plugin.framing import FrameError, HeaderFlag, Message, MessageType, PayloadType, json_object, now_ms


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """The text frame that opens a connection. The client fills client_version, the agent client_instance_id."""

    token: str
    client_id: str
    request_id: str
    client_version: str | None = None
    client_instance_id: str | None = None
    schema_version: str = "1.0"

    def __repr__(self) -> str:
        return f"OpenMessage(client_id={self.client_id!r}, token=…)"


def encode_open(message: OpenMessage) -> str:
    fields: dict[str, str] = {
        "MessageSchemaVersion": message.schema_version,
        "RequestId": message.request_id,
        "TokenValue": message.token,
    }
    if message.client_instance_id is not None:
        fields["ClientInstanceId"] = message.client_instance_id
    fields["ClientId"] = message.client_id
    if message.client_version is not None:
        fields["ClientVersion"] = message.client_version
    return json.dumps(fields, separators=(",", ":"))


def decode_open(text: str | bytes) -> OpenMessage:
    """The open message in a text frame. Raises `FrameError`, which never quotes the token."""
    fields = json_object(text)

    def optional(name: str) -> str | None:
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            raise FrameError(f"{name} of the open message is not text")
        return value

    def required(name: str) -> str:
        value = optional(name)
        if value is None:
            raise FrameError(f"an open message without {name}")
        return value

    return OpenMessage(
        token=required("TokenValue"),
        client_id=required("ClientId"),
        request_id=required("RequestId"),
        client_version=optional("ClientVersion"),
        client_instance_id=optional("ClientInstanceId"),
        schema_version=optional("MessageSchemaVersion") or "1.0",
    )


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """What a channel_closed message says; `output` is the text for the user, often empty."""

    session_id: str = ""
    output: str = ""
    destination_id: str = ""


def channel_closed(closed: ChannelClosed) -> Message:
    """The message by which the service ends a session."""
    message_id, created = uuid.uuid4(), now_ms()
    payload = {
        "MessageId": str(message_id),
        "CreatedDate": str(created),
        "DestinationId": closed.destination_id,
        "SessionId": closed.session_id,
        "MessageType": MessageType.CHANNEL_CLOSED.value,
        "SchemaVersion": 1,
        "Output": closed.output,
    }
    flags = HeaderFlag.SYN | HeaderFlag.FIN
    return Message(
        MessageType.CHANNEL_CLOSED, 0, flags, message_id, created, PayloadType.NONE, json.dumps(payload).encode()
    )


def parse_channel_closed(payload: bytes) -> ChannelClosed:
    """Never fails: a channel_closed that cannot be read ends the session all the same, without a text."""
    try:
        fields = json_object(payload)
    except FrameError:
        return ChannelClosed()
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    return ChannelClosed(texts.get("SessionId", ""), texts.get("Output", ""), texts.get("DestinationId", ""))
