"""The data channel's messages as bytes: pure, without I/O, for both ends of a session.

A binary websocket frame holds one `Message` (the text frame that comes first is in `opening`). All integers are
big-endian; the message id travels with its two halves exchanged. What AWS's programs accept is accepted (a wrong
PayloadLength, NUL padding, a longer header), what they choke on raises `FrameError`.
"""

from __future__ import annotations

import json
import os
import random
import re
import struct
import time
import uuid
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag, StrEnum
from hashlib import sha256

MAX_FRAME = 256 * 1024
"""Bytes of the largest frame taken. AWS's programs send 1144; the bound keeps a broken peer from filling memory."""

_HEADER = struct.Struct(">I32sIQqQ16s32sII")
_HEADER_LENGTH = _HEADER.size - 4  # the field does not count PayloadLength, which follows the header
_ACK = (
    '{"AcknowledgedMessageType":"%s","AcknowledgedMessageId":"%s",'
    '"AcknowledgedMessageSequenceNumber":%d,"IsSequentialMessage":true}'
)


class FrameError(ValueError):
    """A frame that is no message: to be dropped, never answered."""


class MessageType(StrEnum):
    INPUT = "input_stream_data"
    OUTPUT = "output_stream_data"
    ACKNOWLEDGE = "acknowledge"
    CHANNEL_CLOSED = "channel_closed"
    START_PUBLICATION = "start_publication"
    PAUSE_PUBLICATION = "pause_publication"
    AGENT_SESSION_STATE = "agent_session_state"


class PayloadType(IntEnum):
    NONE = 0
    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    ENCRYPTION_CHALLENGE_REQUEST = 8
    ENCRYPTION_CHALLENGE_RESPONSE = 9
    FLAG = 10
    STDERR = 11
    EXIT_CODE = 12


class HeaderFlag(IntFlag):
    """Bits of the header's Flags: data has none but SYN on the agent's first message, control messages have both."""

    SYN = 1
    FIN = 2


class Flag(IntEnum):
    """Payload of a FLAG message."""

    DISCONNECT_TO_PORT = 1
    TERMINATE_SESSION = 2
    CONNECT_TO_PORT_ERROR = 3


_PADDED = {each.value: each.value.encode("ascii").ljust(32) for each in MessageType}
_TYPES = {padded: name for name, padded in _PADDED.items()}
_CONTROL = int(HeaderFlag.SYN | HeaderFlag.FIN)
_RANDOM = random.Random(os.urandom(32))  # noqa: S311 -- see new_id
# As AWS's programs and ours write it: seven times quicker than JSON.
_USUAL_ACK = re.compile(
    rb'\{"AcknowledgedMessageType":"[a-z_]+","AcknowledgedMessageId":"[0-9a-f-]+",'
    rb'"AcknowledgedMessageSequenceNumber":(\d{1,18}),"IsSequentialMessage":(?:true|false)\}'
)

# Validation is skipped for these two, as AWS's plugin does.
_UNCHECKED = frozenset({MessageType.START_PUBLICATION, MessageType.PAUSE_PUBLICATION})


@dataclass(frozen=True, slots=True)
class Message:
    message_type: str
    sequence: int
    flags: int
    message_id: uuid.UUID
    created_ms: int
    payload_type: int
    payload: bytes
    schema_version: int = 1


def encode(message: Message) -> bytes:
    """The frame of a message. Raises `FrameError` where a field does not fit its place."""
    wire_id = message.message_id.bytes
    try:
        name = message.message_type.encode("ascii")
        if not 0 < len(name) <= 32 or len(message.payload) > MAX_FRAME - _HEADER.size:
            raise FrameError("message type or payload does not fit a frame")
        header = _HEADER.pack(
            _HEADER_LENGTH,
            name.ljust(32),
            message.schema_version,
            message.created_ms,
            message.sequence,
            message.flags,
            wire_id[8:] + wire_id[:8],
            sha256(message.payload).digest(),
            message.payload_type,
            len(message.payload),
        )
    except (struct.error, UnicodeEncodeError) as error:
        raise FrameError("a field does not fit its place in the frame") from error
    return header + message.payload


def decode(frame: bytes) -> Message:
    """The message in a frame. Raises `FrameError` for anything that AWS's plugin would drop or die of."""
    if not _HEADER.size <= len(frame) <= MAX_FRAME:
        raise FrameError(f"a frame of {len(frame)} bytes")
    header_length, raw_type, schema, created, sequence, flags, raw_id, digest, payload_type, length = (
        _HEADER.unpack_from(frame)
    )
    start = header_length + 4
    if not _HEADER.size <= start <= len(frame):
        raise FrameError(f"a header length of {header_length}")
    message_type = _TYPES.get(raw_type) or _type(raw_type)
    payload = frame[start:]
    if message_type not in _UNCHECKED:
        if not message_type:
            raise FrameError("no message type")
        if created == 0:
            raise FrameError("no creation date")
        if length and sha256(payload).digest() != digest:
            raise FrameError("a payload that does not match its digest")
    message_id = _identifier(raw_id[8:] + raw_id[:8])
    return Message(message_type, sequence, flags, message_id, created, payload_type, payload, schema)


def _type(raw: bytes) -> str:
    try:
        return raw.decode("ascii").strip("\0 \t\r\n\v\f")
    except UnicodeDecodeError as error:
        raise FrameError("a message type that is not ASCII") from error


def _identifier(raw: bytes) -> uuid.UUID:
    """`uuid.UUID(bytes=raw)` without its checks of other arguments: 0.5 µs instead of 2, twice a message."""
    identifier = object.__new__(uuid.UUID)
    object.__setattr__(identifier, "int", int.from_bytes(raw, "big"))
    object.__setattr__(identifier, "is_safe", uuid.SafeUUID.unknown)
    return identifier


def new_id() -> bytes:
    """A random (version 4) message id. It names a message and guards nothing, so it need not be unpredictable."""
    value = _RANDOM.getrandbits(128)
    return (value & ~(0xF << 76 | 0x3 << 62) | 4 << 76 | 2 << 62).to_bytes(16, "big")


def data_frame(
    message_type: str, sequence: int, flags: int, created_ms: int, payload_type: int, payload: bytes
) -> bytes:
    """The frame of a new message of our own: `encode`, for the thousands a second of a bulk transfer."""
    length = len(payload)
    if length > MAX_FRAME - _HEADER.size:
        raise FrameError("a payload that does not fit a frame")
    wire_id = new_id()
    header = _HEADER.pack(
        *(_HEADER_LENGTH, _PADDED[message_type], 1, created_ms, sequence, flags, wire_id[8:] + wire_id[:8]),
        *(sha256(payload).digest(), payload_type, length),
    )
    return header + payload


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def control(message_type: str, payload: bytes, *, created_ms: int | None = None) -> Message:
    """A message outside the sequence: acknowledge, channel_closed, publication, agent state."""
    created = now_ms() if created_ms is None else created_ms
    return Message(message_type, 0, HeaderFlag.SYN | HeaderFlag.FIN, uuid.uuid4(), created, PayloadType.NONE, payload)


def acknowledge(of: Message) -> Message:
    """The acknowledgement of a data message."""
    payload = _ACK % (of.message_type, of.message_id, of.sequence)
    return control(MessageType.ACKNOWLEDGE, payload.encode("ascii"))


def acknowledgement(of: Message) -> bytes:
    """The frame of `acknowledge`."""
    payload = (_ACK % (of.message_type, of.message_id, of.sequence)).encode("ascii")
    return data_frame(MessageType.ACKNOWLEDGE, 0, _CONTROL, now_ms(), PayloadType.NONE, payload)


def with_payload(message: Message, payload: bytes) -> Message:
    """The same message with another payload, as after decryption."""
    return replace(message, payload=payload)


def acknowledged_sequence(payload: bytes) -> int:
    """The sequence number that an acknowledge message names; the rest of it nobody uses. Raises `FrameError`."""
    usual = _USUAL_ACK.fullmatch(payload)
    if usual is not None:
        return int(usual[1])
    sequence = json_object(payload).get("AcknowledgedMessageSequenceNumber")
    if not isinstance(sequence, int) or isinstance(sequence, bool):
        raise FrameError("an acknowledgement without a sequence number")
    return sequence


def flag_payload(flag: Flag) -> bytes:
    return struct.pack(">I", flag)


def parse_flag(payload: bytes) -> int:
    """The number in a FLAG message; it need not be a `Flag` we know. Raises `FrameError`."""
    if len(payload) != 4:
        raise FrameError("a flag that is not four bytes")
    return int.from_bytes(payload, "big")


def json_object(payload: bytes | str) -> dict[str, object]:
    """The object that a payload is. Raises `FrameError`, which never quotes it."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise FrameError("a payload that is not JSON") from error
    if not isinstance(value, dict):
        raise FrameError("a payload that is not a JSON object")
    return value
