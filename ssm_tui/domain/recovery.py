"""What to do about a tunnel's fault, which way to take then, and when: pure rules, without clock or I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from ssm_tui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    FarEndError,
    NetworkError,
    PortError,
    PrerequisiteError,
    RegionError,
    SsmTuiError,
    ThrottledError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.tunnels import Way

FIRST_TRIES: Final = 3
"""How often a tunnel that never stood is tried where nothing says why its session ended."""

# The relay is not there now, by StartSession's errors (API reference); a stopped node may come back.
_AWAY: Final = "TargetNotConnected"
# It is no node that Systems Manager has here: terminated, or never one.
_GONE: Final = frozenset({"InvalidTarget", "InvalidInstanceId"})
_SERVICE_FAULTS: Final = frozenset(
    {"InternalServerError", "InternalFailure", "ServiceUnavailable", "ServiceUnavailableException"}
)
_HOPELESS: Final = (AccessDeniedError, PortError, PrerequisiteError, RegionError, UsageError)


class Remedy(Enum):
    """What to do about a fault."""

    FAIL = "nothing mends it"
    PAUSE = "wait for new credentials"
    OTHER_WAY = "go through another node"
    STAND = "keep the session: the far end may come back"
    TRY_AGAIN = "start another session"


def remedy(error: SsmTuiError, *, was_ready: bool, tries: int, ways_left: int, detour: bool = False) -> Remedy:
    """The remedy for what ended a session, or kept it from starting.

    `was_ready`: the far end was reached before, so the tunnel is right in itself. `tries` counts the starts that have
    failed since then by a fault that may be the tunnel's own, this one included; `ways_left` the nodes that were not
    tried since then. `detour`: the node is not the one that was asked for, which may come back where this one is
    denied.
    """
    if isinstance(error, CredentialsError):
        return Remedy.PAUSE
    if detour and isinstance(error, AccessDeniedError):
        return _elsewhere(ways_left) or (Remedy.TRY_AGAIN if was_ready else Remedy.FAIL)
    if isinstance(error, _HOPELESS):
        return Remedy.FAIL
    if isinstance(error, FarEndError):
        # What one node does not reach another may: of networks not all is known.
        return Remedy.STAND if was_ready else _elsewhere(ways_left) or Remedy.FAIL
    if isinstance(error, NetworkError | ThrottledError):
        return Remedy.TRY_AGAIN
    if isinstance(error, AwsError):
        return _for_an_answer(error.code, was_ready=was_ready, ways_left=ways_left)
    return Remedy.TRY_AGAIN if was_ready or tries < FIRST_TRIES else Remedy.FAIL


def _for_an_answer(code: str, *, was_ready: bool, ways_left: int) -> Remedy:
    if code == _AWAY or code in _GONE:
        return _elsewhere(ways_left) or (Remedy.TRY_AGAIN if was_ready and code == _AWAY else Remedy.FAIL)
    return Remedy.TRY_AGAIN if was_ready or code in _SERVICE_FAULTS else Remedy.FAIL


def _elsewhere(ways_left: int) -> Remedy | None:
    return Remedy.OTHER_WAY if ways_left else None


@dataclass(slots=True)
class Course:
    """A tunnel's way through its faults: the node that it goes through, and what it has tried."""

    ways: tuple[Way, ...]
    was_ready: bool = False
    tries: int = 0
    _proven: bool = False
    _at: int = 0
    _tried: int = 1

    @property
    def way(self) -> Way:
        """The node to go through now."""
        return self.ways[self._at]

    def remedy(self, error: SsmTuiError) -> Remedy:
        """The remedy for a fault on this way."""
        left = len(self.ways) - self._tried
        return remedy(error, was_ready=self.was_ready, tries=self.tries, ways_left=left, detour=self._at > 0)

    def failed(self, error: SsmTuiError) -> None:
        """A start failed. What the network, the service's throttle or credentials were to blame for says nothing of the
        tunnel, however often it comes."""
        if not isinstance(error, CredentialsError | NetworkError | ThrottledError):
            self.tries += 1

    def turn(self) -> Way:
        """Takes the next way, and returns it."""
        self._at = (self._at + 1) % len(self.ways)
        self._tried += 1
        return self.way

    def begin_anew(self) -> None:
        """Before another round: where all ways were tried, the one that was asked for is the first again."""
        if len(self.ways) > 1 and self._tried >= len(self.ways):
            self._at = 0
        self._tried = 1

    def stood(self) -> None:
        """The far end was reached on this way."""
        self.was_ready = True
        self.tries, self._tried = 0, 1

    def lost(self, error: SsmTuiError, *, steady: bool) -> None:
        """A session that stood was lost. An open port is no proof of a far end whose protocol nobody knows: where the
        relay's word that there is none comes a little later, it was never reached."""
        self._proven = self._proven or steady
        if isinstance(error, FarEndError) and not self._proven:
            self.was_ready = False


@dataclass(slots=True)
class Allowance:
    """How often something may be done without a wait: `most` times, and once more for every `refill` seconds. A session
    that is lost again and again just after it stood would else be replaced at once for days."""

    most: int = 10
    refill: float = 60.0
    _left: float = math.inf
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """Whether it may be done now. `now` is of any clock that does not go back."""
        self._left = min(self.most, self._left + (now - self._at) / self.refill)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(slots=True)
class Backoff:
    """Seconds to wait before each further try: doubling from `first` to `most`, each between a half and the whole, so
    that many tunnels that were lost together do not come back together. `random` gives 0 ≤ x < 1."""

    random: Callable[[], float]
    first: float = 1.0
    most: float = 300.0
    _whole: float = 0.0

    def next(self) -> float:
        """The wait before the next try; the one after it is longer."""
        self._whole = min(self.most, self._whole * 2 if self._whole else self.first)
        return max(self.first, self._whole * (0.5 + self.random() / 2))

    def reset(self) -> None:
        """The next wait is the shortest."""
        self._whole = 0.0
