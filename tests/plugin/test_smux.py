"""The multiplexer's frames against recorded streams and generated ones."""

from __future__ import annotations

import base64
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.plugin import smux
from ssm_tui.plugin.smux import Command, Decoder, Frame, SmuxError
from tests.plugin.recordings import load_json

frames = st.builds(Frame, st.sampled_from(list(Command)), st.integers(0, 2**32 - 1), st.binary(max_size=2000))


@pytest.mark.parametrize("stream", load_json("smux.json")["streams"], ids=lambda s: f"{s['file']} {s['dir']}")
def test_recorded_streams_decode_and_encode_to_the_byte(stream: dict[str, Any]) -> None:
    expected = [Frame(Command(f["cmd"]), f["stream_id"], base64.b64decode(f["data_b64"])) for f in stream["frames"]]
    decoder = Decoder()
    payloads = [base64.b64decode(message["payload_b64"]) for message in stream["messages"]]
    assert [frame for payload in payloads for frame in decoder.feed(payload)] == expected
    assert decoder.buffered == stream["left_over_bytes"]
    whole = b"".join(payloads)
    assert b"".join(map(smux.encode, expected)) == whole[: len(whole) - decoder.buffered]


@given(st.lists(frames, max_size=8), st.lists(st.integers(1, 600), max_size=20))
def test_any_cutting_of_the_stream_gives_the_same_frames(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(map(smux.encode, sent))
    decoder, received = Decoder(), []
    for cut in cuts:
        received += decoder.feed(stream[:cut])
        stream = stream[cut:]
    received += decoder.feed(stream)
    assert received == sent
    assert decoder.buffered == 0


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_noise_raises_nothing_but_a_smux_error_and_holds_one_frame_at_most(pieces: list[bytes]) -> None:
    decoder = Decoder()
    try:
        for piece in pieces:
            decoder.feed(piece)
            assert decoder.buffered <= 65535 + smux.HEADER_SIZE
    except SmuxError:
        pass


@pytest.mark.parametrize("header", ["0200000003000000", "0104000003000000", "01ff000003000000"])
def test_another_version_or_command_is_refused(header: str) -> None:
    with pytest.raises(SmuxError):
        Decoder().feed(bytes.fromhex(header))


def test_a_nop_is_eight_bytes_and_client_streams_are_odd_from_three() -> None:
    assert smux.encode(Frame(Command.NOP, 0)).hex() == "0103000000000000"
    assert list(islice(smux.client_stream_ids(), 3)) == [3, 5, 7]


def test_a_frame_too_large_is_refused() -> None:
    with pytest.raises(SmuxError):
        smux.encode(Frame(Command.PSH, 3, b"x" * (smux.MAX_DATA + 1)))
