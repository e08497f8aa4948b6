"""The handshake's payloads against the recorded ones, and the decisions that versions make."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.plugin import framing, handshake
from ssm_tui.plugin.framing import PayloadType
from ssm_tui.plugin.handshake import HandshakeError, PortProperties
from tests.plugin.recordings import load, recording_names

MUX = PortProperties(kind="LocalPortForwarding")


def test_recorded_handshakes_are_reproduced_to_the_byte() -> None:
    seen = 0
    for name in recording_names():
        for recorded in load(name):
            # The emulated agent of some recordings writes its JSON its own way.
            if recorded.kind != "binary" or recorded.origin == "emulated agent":
                continue
            message = framing.decode(recorded.payload)
            if message.payload_type == PayloadType.HANDSHAKE_REQUEST:
                again = handshake.encode_request(handshake.decode_request(message.payload))
            elif message.payload_type == PayloadType.HANDSHAKE_RESPONSE:
                again = handshake.encode_response(handshake.decode_response(message.payload))
            elif message.payload_type == PayloadType.HANDSHAKE_COMPLETE:
                again = handshake.encode_complete(handshake.decode_complete(message.payload))
            else:
                continue
            seen += 1
            assert again == message.payload
    assert seen > 50


def test_a_port_request_is_read_into_properties() -> None:
    payload = (
        b'{"AgentVersion":"3.3.987.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":'
        b'{"SessionType":"Port","Properties":{"host":"db","localPortNumber":"19001","portNumber":5432,'
        b'"type":"LocalPortForwarding"}}}]}'
    )
    request = handshake.decode_request(payload)
    (action,) = request.actions
    assert action.parameters["SessionType"] == "Port"
    properties = handshake.port_properties(action.parameters["Properties"])
    assert properties == PortProperties("5432", "19001", "LocalPortForwarding", "db")
    assert handshake.agent_muxes(request.agent_version, properties)


@pytest.mark.parametrize("properties", [None, [], "x", {"portNumber": {}}, {"type": True}])
def test_properties_that_cannot_be_read(properties: object) -> None:
    with pytest.raises(HandshakeError):
        handshake.port_properties(properties)


@pytest.mark.parametrize(
    ("version", "mux", "keepalive", "flag"),
    [
        ("3.3.987.0", True, False, True),
        ("3.1.1511.0", True, True, True),
        ("3.1.1511.1", True, False, True),
        ("3.0.196.0", False, True, True),
        ("3.0.196.1", True, True, True),
        ("3.0.197.0", True, True, True),
        ("2.3.722.0", False, True, False),
        ("2.3.722.1", False, True, True),
        ("3.2.1", False, True, False),  # another number of parts: not supported
        ("3.3.987.0.1", False, True, False),
        ("", False, True, False),
        ("latest", False, True, False),
        ("3.3.٩.0", False, True, False),
    ],
)
def test_what_an_agent_version_decides(version: str, mux: bool, keepalive: bool, flag: bool) -> None:
    assert handshake.agent_muxes(version, MUX) is mux
    assert handshake.agent_needs_keepalive(version) is keepalive
    assert handshake.agent_knows_terminate_flag(version) is flag
    assert not handshake.agent_muxes(version, PortProperties())


def test_what_a_client_version_decides() -> None:
    assert handshake.client_muxes("1.2.764.0", MUX)
    assert handshake.client_muxes("1.1.70.0", MUX)
    assert not handshake.client_muxes("1.1.69.0", MUX)
    assert not handshake.client_muxes("1.2.764.0", PortProperties())
    assert handshake.client_needs_keepalive("1.2.331.0")
    assert not handshake.client_needs_keepalive("1.2.764.0")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_noise_raises_nothing_but_a_handshake_error(noise: bytes) -> None:
    for decode in (handshake.decode_request, handshake.decode_response, handshake.decode_complete):
        with contextlib.suppress(HandshakeError):
            decode(noise)


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'{"RequestedClientActions":{}}',
        b'{"RequestedClientActions":[1]}',
        b'{"AgentVersion":7}',
        b'{"RequestedClientActions":[{"ActionType":[]}]}',
    ],
)
def test_requests_of_the_wrong_shape(payload: bytes) -> None:
    with pytest.raises(HandshakeError):
        handshake.decode_request(payload)
