"""The message codec against recorded frames, damaged frames and generated ones."""

from __future__ import annotations

import base64
import contextlib
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.plugin import framing, opening
from ssm_tui.plugin.framing import Flag, FrameError, Message, MessageType, PayloadType
from ssm_tui.plugin.opening import ChannelClosed, OpenMessage
from tests.plugin.recordings import load, load_json, recording_names

CODEC = load_json("codec.json")
DROPPED = "dropped"
ACCEPTED_DIFFERENTLY = {
    # AWS's plugin keeps a message 2^62 ahead of its turn; here the inbox refuses it. As a frame it is in order.
    "seq-far",
    # AWS's inbox drops it; as a frame it is in order.
    "seq-negative",
    # In order as frames; dropped by whoever dispatches them.
    "type-unknown",
    "type-input",
    "ack-bad-json",
}
messages = st.builds(
    Message,
    message_type=st.sampled_from([str(kind) for kind in MessageType]),
    sequence=st.integers(-(2**63), 2**63 - 1),
    flags=st.integers(0, 2**64 - 1),
    message_id=st.uuids(),
    created_ms=st.integers(1, 2**64 - 1),
    payload_type=st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=4096),
    schema_version=st.integers(0, 2**32 - 1),
)


@pytest.mark.parametrize("name", recording_names(agent_legs=True))
def test_every_recorded_frame_is_reproduced_to_the_byte(name: str) -> None:
    for recorded in load(name):
        if recorded.kind == "binary":
            assert framing.encode(framing.decode(recorded.payload)) == recorded.payload
        elif recorded.kind == "text":
            text = recorded.payload.decode()
            assert opening.encode_open(opening.decode_open(text)) == text


@pytest.mark.parametrize("vector", CODEC["valid"], ids=lambda vector: str(vector["name"]))
def test_every_field_of_the_decoded_frames(vector: dict[str, Any]) -> None:
    frame = base64.b64decode(vector["frame_b64"])
    assert framing.decode(frame) == Message(
        message_type=vector["message_type"],
        sequence=vector["sequence_number"],
        flags=vector["flags"],
        message_id=uuid.UUID(vector["message_id"]),
        created_ms=vector["created_date"],
        payload_type=vector["payload_type"],
        payload=base64.b64decode(vector["payload_b64"]),
        schema_version=vector["schema_version"],
    )


@pytest.mark.parametrize("vector", CODEC["invalid"], ids=lambda vector: str(vector["name"]))
def test_damaged_frames_are_refused_where_the_plugin_drops_them_or_dies(vector: dict[str, Any]) -> None:
    frame = base64.b64decode(vector["frame_b64"])
    refused = vector["plugin"].startswith((DROPPED, "reader dead")) and vector["name"] not in ACCEPTED_DIFFERENTLY
    if refused:
        with pytest.raises(FrameError):
            framing.decode(frame)
    else:
        framing.decode(frame)


@given(messages)
def test_what_is_encoded_is_decoded(message: Message) -> None:
    assert framing.decode(framing.encode(message)) == message


@given(st.binary(max_size=400))
def test_noise_raises_nothing_but_a_frame_error(noise: bytes) -> None:
    with contextlib.suppress(FrameError):
        framing.decode(noise)


@given(messages, st.data())
def test_a_damaged_frame_raises_nothing_but_a_frame_error(message: Message, data: st.DataObject) -> None:
    frame = bytearray(framing.encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(FrameError):
        framing.decode(bytes(frame[: data.draw(st.integers(0, len(frame)))]))


def test_a_frame_beyond_the_bound_is_refused_both_ways() -> None:
    message = Message("output_stream_data", 0, 0, uuid.uuid4(), 1, 1, b"x" * framing.MAX_FRAME)
    with pytest.raises(FrameError):
        framing.encode(message)
    with pytest.raises(FrameError):
        framing.decode(b"\0" * (framing.MAX_FRAME + 1))


def test_a_field_that_does_not_fit_is_refused() -> None:
    with pytest.raises(FrameError):
        framing.encode(Message("x" * 33, 0, 0, uuid.uuid4(), 1, 1, b""))
    with pytest.raises(FrameError):
        framing.encode(Message("output_stream_data", 2**63, 0, uuid.uuid4(), 1, 1, b""))


def test_an_acknowledgement_names_type_id_and_sequence_as_recorded() -> None:
    recorded = next(v for v in CODEC["valid"] if v["name"] == "acknowledge by the plugin (padded with spaces)")
    payload = base64.b64decode(recorded["payload_b64"])
    fields = json.loads(payload)
    of = Message(
        fields["AcknowledgedMessageType"],
        fields["AcknowledgedMessageSequenceNumber"],
        0,
        uuid.UUID(fields["AcknowledgedMessageId"]),
        1,
        1,
        b"",
    )
    ack = framing.acknowledge(of)
    assert ack.payload == payload
    assert (ack.message_type, ack.sequence, ack.flags, ack.payload_type) == ("acknowledge", 0, 3, 0)
    assert framing.acknowledged_sequence(payload) == of.sequence


@pytest.mark.parametrize(
    "payload", [b"", b"not json", b"[]", b"{}", b'{"AcknowledgedMessageSequenceNumber":"1"}', b"\xff"]
)
def test_an_unreadable_acknowledgement_is_a_frame_error(payload: bytes) -> None:
    with pytest.raises(FrameError):
        framing.acknowledged_sequence(payload)


def test_deep_json_is_a_frame_error() -> None:
    with pytest.raises(FrameError):
        framing.acknowledged_sequence(b"[" * 100_000)


def test_flags_travel_as_four_bytes() -> None:
    assert framing.flag_payload(Flag.TERMINATE_SESSION) == b"\0\0\0\2"
    assert framing.parse_flag(b"\0\0\0\3") == Flag.CONNECT_TO_PORT_ERROR
    with pytest.raises(FrameError):
        framing.parse_flag(b"\0\3")


def test_an_open_message_keeps_its_token_to_itself() -> None:
    message = OpenMessage(token="s3cret", client_id="c", request_id="r", client_version="1.2.764.0")
    assert "s3cret" not in repr(message)
    assert opening.decode_open(opening.encode_open(message)) == message
    with pytest.raises(FrameError) as caught:
        opening.decode_open('{"TokenValue":"s3cret"}')
    assert "s3cret" not in str(caught.value)


def test_channel_closed_is_read_whatever_it_holds() -> None:
    closed = ChannelClosed("dev-1", "over", "i-1")
    assert opening.parse_channel_closed(opening.channel_closed(closed).payload) == closed
    assert opening.parse_channel_closed(b"not json") == ChannelClosed()
    assert opening.parse_channel_closed(b"{}") == ChannelClosed()
    assert opening.parse_channel_closed(b'{"Output":7,"SessionId":"s"}') == ChannelClosed("s")


def test_the_quick_frame_is_that_of_encode() -> None:
    frame = framing.data_frame(MessageType.INPUT, 7, 0, 1_700_000_000_000, PayloadType.OUTPUT, b"payload")
    message = framing.decode(frame)
    assert framing.encode(message) == frame
    assert (message.sequence, message.payload) == (7, b"payload")
    assert (message.message_id.version, message.message_id.variant) == (4, uuid.RFC_4122)


def test_the_quick_acknowledgement_says_what_the_other_says() -> None:
    message = framing.decode(framing.data_frame(MessageType.OUTPUT, 3, 0, 1, PayloadType.OUTPUT, b"x"))
    quick, plain = framing.decode(framing.acknowledgement(message)), framing.acknowledge(message)
    assert (quick.payload, quick.flags, quick.sequence) == (plain.payload, plain.flags, plain.sequence)
    assert framing.acknowledged_sequence(quick.payload) == 3


@pytest.mark.parametrize(
    "spaced", [b'{"AcknowledgedMessageSequenceNumber": 12}', b'{ "AcknowledgedMessageSequenceNumber":12 }']
)
def test_an_acknowledgement_may_be_written_otherwise(spaced: bytes) -> None:
    assert framing.acknowledged_sequence(spaced) == 12


def test_ids_differ() -> None:
    assert len({framing.new_id() for _ in range(1000)}) == 1000
