"""Sequence numbers, acknowledgement, retransmission and order of a data channel: pure, no clock, for both ends.

Each direction of a session is one `Outbox` at its sender and one `Inbox` at its receiver; neither is reset when the
channel is replaced. Times are seconds of any monotonic clock, handed in by the caller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from ssm_tui.plugin.framing import HeaderFlag, Message, MessageType, data_frame

FIRST_RTO: Final = 0.2
MAX_RTO: Final = 1.0
DEFAULT_WINDOW: Final = 256
"""Unacknowledged messages in flight. The agent's acks come after the target took the data, so it bounds end to end."""
INBOX_MESSAGES: Final = 10_000
INBOX_BYTES: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class _Sent:
    frame: bytes
    sent_at: float
    due_at: float
    rto: float
    resent: bool = False


class RoundTripWindow:
    """How many messages may be in flight: enough to keep the way busy, and no more, since what is in flight is what a
    key press on another stream of the session waits for. Round trips tell: they may take twice as long as on a quiet
    way (or 0.5 ms more), beyond that the window shrinks, but never so far that jitter alone could make a bulk transfer
    slow. What a quiet way takes is measured anew every half minute, since routes change, and for that the way must be
    quiet for a moment.

    Measured on loopback against an agent that is busy with the upload: with 32 and 2 ms a byte's echo takes 7.5 ms
    beside it (idle 1.4), with these 2.3 ms, at 14 MB/s instead of 17.
    """

    LEAST: Final = 8
    _LEAST_RATE: Final = 5000  # messages a second, 5 MB/s, as far as the quiet way allows them
    _TOLERATED: Final = 0.0005
    _STEP: Final = 8
    _MEMORY: Final = 30.0

    def __init__(self, most: int) -> None:
        self._most = most
        self._least = min(self.LEAST, most)
        self._size = float(min(64, most))
        self._quiet = math.inf
        self._since = -math.inf
        self._growing = True  # doubles each round trip until the first that takes too long

    def sample(self, seconds: float, now: float) -> int:
        """Takes one round trip into account; the window from here on."""
        if now - self._since > self._MEMORY:
            self._since, self._quiet = now, math.inf
            self._size, self._growing = float(self._least), True
        if seconds < self._quiet:
            self._quiet = seconds
            self._least = min(self._most, max(self.LEAST, int(self._LEAST_RATE * seconds)))
        if seconds > self._quiet + max(self._TOLERATED, self._quiet):
            self._growing = False
            self._size = max(self._least, self._size - self._STEP / self._size)
        else:
            self._size = min(self._most, self._size + (1 if self._growing else self._STEP / self._size))
        return int(self._size)


class Outbox:
    """What was sent and is not yet acknowledged. A message is listed before its frame is handed to the caller, so an
    acknowledgement can never come too early."""

    def __init__(
        self, message_type: str = MessageType.INPUT, *, window: int = DEFAULT_WINDOW, adaptive: bool = False
    ) -> None:
        self._message_type = message_type
        self._first_flags = HeaderFlag.SYN if message_type == MessageType.OUTPUT else HeaderFlag(0)
        self._window = window
        self._pace = RoundTripWindow(window) if adaptive else None
        self._unacknowledged: dict[int, _Sent] = {}  # in the order of sequence numbers
        self._next = 0
        self._rtt, self._rttvar = 0.1, 0.0
        self._rto = FIRST_RTO
        self._heard = True  # an acknowledgement came since the last round of resending

    @property
    def next_sequence(self) -> int:
        return self._next

    @property
    def in_flight(self) -> int:
        return len(self._unacknowledged)

    @property
    def has_room(self) -> bool:
        """Whether more data may be sent now. Control messages need not ask: they are few."""
        return len(self._unacknowledged) < self._window

    @property
    def rto(self) -> float:
        return self._rto

    def is_acknowledged(self, sequence: int) -> bool:
        return sequence < self._next and sequence not in self._unacknowledged

    def push(self, payload_type: int, payload: bytes, *, now: float, created_ms: int) -> bytes:
        """Takes the next sequence number for a payload and returns the frame to write."""
        sequence, self._next = self._next, self._next + 1
        flags = self._first_flags if sequence == 0 else 0
        frame = data_frame(self._message_type, sequence, int(flags), created_ms, payload_type, payload)
        self._unacknowledged[sequence] = _Sent(frame, now, now + self._rto, self._rto)
        return frame

    def acknowledged(self, sequence: int, *, now: float) -> bool:
        """Strikes a message off; False where it was not listed (never sent, or acknowledged before)."""
        sent = self._unacknowledged.pop(sequence, None)
        if sent is None:
            return False
        self._heard = True
        if not sent.resent:  # of a resent one nobody knows which copy was answered
            sample = now - sent.sent_at
            self._rttvar += (abs(self._rtt - sample) - self._rttvar) / 4
            self._rtt += (sample - self._rtt) / 8
            self._rto = min(MAX_RTO, self._rtt + max(0.01, 4 * self._rttvar))
            if self._pace is not None:
                self._window = self._pace.sample(sample, now)
        return True

    def next_due(self) -> float | None:
        """When `due` will have something to resend; None while nothing is unacknowledged."""
        return min((sent.due_at for sent in self._unacknowledged.values()), default=None)

    def due(self, *, now: float) -> list[bytes]:
        """Frames whose time is over, each with its timer doubled up to the cap.

        While nothing at all is acknowledged between two rounds, the far side is not lossy but standing still (its
        target does not read): then one message at a time probes it, else a whole window would pile up each second.
        """
        late = [sent for sent in self._unacknowledged.values() if sent.due_at <= now]
        if late and not self._heard:
            late = late[:1]
        for sent in late:
            sent.rto = min(MAX_RTO, sent.rto * 2)
            sent.due_at, sent.resent = now + sent.rto, True
        if late:
            self._heard = False
        return [sent.frame for sent in late]

    def resend_all(self, *, now: float) -> list[bytes]:
        """Everything unacknowledged in order, after the channel was replaced; timers start anew."""
        for sent in self._unacknowledged.values():
            sent.rto, sent.due_at, sent.resent = self._rto, now + self._rto, True
        self._heard = True
        return [sent.frame for sent in self._unacknowledged.values()]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a data message came to: whether to acknowledge it, and the messages that are now in order."""

    acknowledge: bool
    ready: tuple[Message, ...] = ()


_REFUSED = Receipt(acknowledge=False)
_TAKEN = Receipt(acknowledge=True)


class Inbox:
    """Puts data messages in order, each exactly once.

    A message ahead of its turn waits in a buffer bounded in number and bytes; one that finds no room is not
    acknowledged, so its sender repeats it. One that was handled before is acknowledged again, always: its sender would
    repeat it for ever otherwise.
    """

    def __init__(self, *, messages: int = INBOX_MESSAGES, total_bytes: int = INBOX_BYTES) -> None:
        self._room = messages
        self._byte_room = total_bytes
        self._waiting: dict[int, Message] = {}
        self._waiting_bytes = 0
        self._expected = 0

    @property
    def expected(self) -> int:
        return self._expected

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def receive(self, message: Message) -> Receipt:
        sequence = message.sequence
        if sequence == self._expected:
            self._expected += 1
            if not self._waiting:
                return Receipt(acknowledge=True, ready=(message,))
            return Receipt(acknowledge=True, ready=(message, *self._in_order()))
        if sequence < self._expected:
            return _TAKEN if sequence >= 0 else _REFUSED
        if sequence - self._expected > self._room:
            return _REFUSED
        before = self._waiting.get(sequence)
        held = self._waiting_bytes - (len(before.payload) if before else 0) + len(message.payload)
        if held > self._byte_room:  # a copy that was acknowledged is never given up for it
            return _TAKEN if before else _REFUSED
        self._waiting[sequence] = message  # a later copy replaces a waiting one, as in AWS's plugin
        self._waiting_bytes = held
        return _TAKEN

    def _in_order(self) -> list[Message]:
        ready = []
        while (message := self._waiting.pop(self._expected, None)) is not None:
            self._waiting_bytes -= len(message.payload)
            self._expected += 1
            ready.append(message)
        return ready
