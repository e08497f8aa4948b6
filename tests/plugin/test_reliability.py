"""Outbox and inbox alone, and joined by a channel that loses, repeats, reorders and breaks."""

from __future__ import annotations

import random
import statistics
import uuid
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from ssm_tui.plugin import framing
from ssm_tui.plugin.framing import Message, MessageType
from ssm_tui.plugin.reliability import FIRST_RTO, MAX_RTO, Inbox, Outbox, RoundTripWindow


def data(sequence: int, payload: bytes = b"x") -> Message:
    return Message(MessageType.OUTPUT, sequence, 0, uuid.uuid4(), 1, 1, payload)


def sequences(frames: list[bytes]) -> list[int]:
    return [framing.decode(frame).sequence for frame in frames]


def test_sequences_count_from_zero_and_only_the_agents_first_carries_syn() -> None:
    for message_type, first in ((MessageType.INPUT, 0), (MessageType.OUTPUT, 1)):
        outbox = Outbox(message_type)
        sent = [framing.decode(outbox.push(1, b"a", now=0, created_ms=5)) for _ in range(3)]
        assert [m.sequence for m in sent] == [0, 1, 2]
        assert [m.flags for m in sent] == [first, 0, 0]
        assert {m.message_type for m in sent} == {message_type}
        assert {m.created_ms for m in sent} == {5}


def test_an_acknowledgement_at_once_finds_its_message() -> None:
    outbox = Outbox()
    outbox.push(1, b"a", now=0, created_ms=1)
    assert outbox.acknowledged(0, now=0)
    assert not outbox.acknowledged(0, now=0)
    assert not outbox.acknowledged(7, now=0)
    assert outbox.next_due() is None
    assert outbox.is_acknowledged(0)
    assert not outbox.is_acknowledged(1)


def test_the_window_bounds_what_is_in_flight() -> None:
    outbox = Outbox(window=2)
    outbox.push(1, b"a", now=0, created_ms=1)
    room = [outbox.has_room]
    outbox.push(1, b"b", now=0, created_ms=1)
    room.append(outbox.has_room)
    outbox.acknowledged(1, now=0)
    room.append(outbox.has_room)
    assert room == [True, False, True]


def test_a_lost_message_is_resent_with_doubled_timers_up_to_one_second() -> None:
    outbox = Outbox()
    outbox.push(1, b"a", now=0, created_ms=1)
    times, now = [], 0.0
    for _ in range(6):
        due = outbox.next_due()
        assert due is not None
        assert outbox.due(now=due - 0.001) == []
        assert sequences(outbox.due(now=due)) == [0]
        times.append(round(due - now, 3))
        now = due
    assert times == [FIRST_RTO, 0.4, 0.8, MAX_RTO, MAX_RTO, MAX_RTO]


def test_every_lost_message_is_resent_in_its_own_time_not_only_the_oldest() -> None:
    outbox = Outbox()
    for index in range(4):
        outbox.push(1, b"a", now=index / 1000, created_ms=1)
    outbox.acknowledged(1, now=0.05)
    assert sequences(outbox.due(now=0.3)) == [0, 2, 3]


def test_a_standing_far_side_is_probed_by_one_message_at_a_time() -> None:
    outbox = Outbox()
    for _ in range(50):
        outbox.push(1, b"a", now=0, created_ms=1)
    assert len(outbox.due(now=1)) == 50
    assert sequences(outbox.due(now=3)) == [0]
    outbox.acknowledged(0, now=3)
    assert len(outbox.due(now=5)) == 49


def test_round_trips_set_the_timer_and_resent_messages_do_not_count() -> None:
    outbox = Outbox()
    for _ in range(60):
        sequence = outbox.next_sequence
        outbox.push(1, b"a", now=0, created_ms=1)
        outbox.acknowledged(sequence, now=0.02)
    assert 0.03 <= outbox.rto < 0.06
    before = outbox.rto
    sequence = outbox.next_sequence
    outbox.push(1, b"a", now=0, created_ms=1)
    outbox.due(now=0.5)
    outbox.acknowledged(sequence, now=0.9)
    assert outbox.rto == before


def test_after_a_resume_everything_unacknowledged_is_sent_again_in_order() -> None:
    outbox = Outbox()
    for _ in range(5):
        outbox.push(1, b"a", now=0, created_ms=1)
    outbox.acknowledged(1, now=0.1)
    outbox.acknowledged(3, now=0.1)
    assert sequences(outbox.resend_all(now=9)) == [0, 2, 4]
    assert outbox.due(now=9) == []


def test_the_inbox_acknowledges_what_it_handled_before() -> None:
    inbox = Inbox()
    assert inbox.receive(data(0)).ready
    for _ in range(3):
        receipt = inbox.receive(data(0))
        assert receipt.acknowledge
        assert not receipt.ready
    assert not inbox.receive(data(-1)).acknowledge


def test_the_inbox_refuses_what_it_cannot_hold_and_keeps_what_it_acknowledged() -> None:
    inbox = Inbox(messages=3, total_bytes=10)
    assert inbox.receive(data(1, b"12345")).acknowledge
    assert not inbox.receive(data(4)).acknowledge  # too far ahead
    assert not inbox.receive(data(2**62)).acknowledge
    assert inbox.receive(data(1, b"x" * 11)).acknowledge  # a copy without room: the first one stays
    assert not inbox.receive(data(2, b"123456")).acknowledge
    assert inbox.waiting == 1
    ready = inbox.receive(data(0, b"0")).ready
    assert [m.payload for m in ready] == [b"0", b"12345"]
    assert inbox.waiting == 0


def test_a_later_copy_replaces_a_waiting_one() -> None:
    inbox = Inbox()
    inbox.receive(data(1, b"old"))
    inbox.receive(data(1, b"new"))
    assert [m.payload for m in inbox.receive(data(0, b"0")).ready] == [b"0", b"new"]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 120),
    loss=st.floats(0, 0.4),
    duplicates=st.floats(0, 0.3),
    breaks=st.lists(st.floats(0, 3), max_size=3),
)
def test_a_lossy_reordering_breaking_channel_delivers_each_message_once_in_order(
    seed: int, count: int, loss: float, duplicates: float, breaks: list[float]
) -> None:
    chance = random.Random(seed)
    outbox, inbox = Outbox(window=16), Inbox(messages=32)
    wire: list[tuple[float, bool, bytes]] = []  # arrival, towards the receiver, frame
    received: list[bytes] = []
    todo = [b"%d" % index for index in range(count)]
    pending_breaks = sorted(breaks)
    now = 0.0

    def put(frame: bytes, *, forward: bool) -> None:
        for _ in range(2 if chance.random() < duplicates else 1):
            if chance.random() >= loss:
                wire.append((now + chance.uniform(0.001, 0.08), forward, frame))

    while len(received) < count or outbox.in_flight:
        while todo and outbox.has_room:
            put(outbox.push(1, todo.pop(0), now=now, created_ms=1), forward=True)
        assert outbox.in_flight <= 16
        due = outbox.next_due()
        now = min([arrival for arrival, _, _ in wire] + ([due] if due is not None else []))
        assert now < 600, "the channel never settles"
        if pending_breaks and now >= pending_breaks[0]:
            pending_breaks.pop(0)
            wire.clear()
            for frame in outbox.resend_all(now=now):
                put(frame, forward=True)
            continue
        for item in sorted(item for item in wire if item[0] <= now):
            wire.remove(item)
            message = framing.decode(item[2])
            if not item[1]:
                outbox.acknowledged(framing.acknowledged_sequence(message.payload), now=now)
                continue
            receipt = inbox.receive(message)
            received += [ready.payload for ready in receipt.ready]
            if receipt.acknowledge:
                put(framing.encode(framing.acknowledge(message)), forward=False)
        for frame in outbox.due(now=now):
            put(frame, forward=True)
    assert received == [b"%d" % index for index in range(count)]


class Way:
    """A way of messages: so long each takes on it, so long at its narrowest place, one after the other."""

    def __init__(self, outbox: Outbox, *, delay: float, service: float) -> None:
        self.outbox, self.delay, self.service = outbox, delay, service
        self.now = 0.0
        self.free_at = 0.0
        self.under_way: deque[tuple[int, float]] = deque()
        self.trips: list[float] = []

    def run(self, seconds: float) -> float:
        """Sends as much as there is room for; messages that arrived in a second."""
        began, arrived = self.now, 0
        while self.now < began + seconds:
            while self.outbox.has_room:
                self.free_at = max(self.free_at, self.now) + self.service
                self.under_way.append((self.outbox.next_sequence, self.free_at + self.delay))
                self.trips.append(self.free_at + self.delay - self.now)
                self.outbox.push(1, b"x", now=self.now, created_ms=1)
            sequence, self.now = self.under_way.popleft()
            self.outbox.acknowledged(sequence, now=self.now)
            arrived += 1
        return arrived / seconds


def test_bulk_leaves_room_for_a_key_press_on_a_short_way() -> None:
    way = Way(Outbox(adaptive=True), delay=0.0005, service=0.00003)
    way.run(2)
    way.trips.clear()
    assert way.run(2) > 0.95 / way.service, "the way is kept busy"
    assert statistics.median(way.trips) < 0.0015
    plain = Way(Outbox(), delay=0.0005, service=0.00003)
    plain.run(2)
    assert statistics.median(plain.trips) > 0.007


def test_a_long_way_gets_the_whole_window() -> None:
    way = Way(Outbox(adaptive=True), delay=0.1, service=0.00003)
    way.run(5)
    assert way.run(5) > 0.9 * 256 / way.delay


def test_jitter_alone_does_not_make_a_long_way_slow() -> None:
    """Round trips of 20 to 80 ms by chance: AWS's plugin would send 1 MB/s at most."""
    window, chance, now, in_flight, arrived = RoundTripWindow(256), random.Random(5), 0.0, 64, 0
    while now < 60:
        trip = chance.uniform(0.02, 0.08)
        now += trip
        arrived += in_flight
        for _ in range(in_flight):
            in_flight = window.sample(trip, now)
    assert arrived / 60 > 2000


def test_a_way_that_became_longer_is_used_again_after_half_a_minute() -> None:
    way = Way(Outbox(adaptive=True), delay=0.01, service=0.00003)
    way.run(5)
    way.delay = 0.1
    way.run(60)
    assert way.run(5) > 0.9 * 256 / way.delay
