"""How fast IAM is asked: a burst at once, then steadily; what is not used is saved up to a burst."""

from __future__ import annotations

from ssm_tui.aws.pacing import Pace


class Time:
    """A clock that goes on only while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_a_burst_at_once_and_then_a_steady_pace() -> None:
    time = Time()
    pace = Pace(20, 5.0, time.clock, time.wait)
    for _ in range(20):
        pace.step()
    assert round(time.now, 6) == 100.0
    for _ in range(10):
        pace.step()
    assert round(time.now - 100.0, 6) == 2.0
    time.now += 2.0
    began = time.now
    for _ in range(11):
        pace.step()
    assert round(time.now - began, 6) == 0.2
    time.now += 3600
    began = time.now
    for _ in range(21):
        pace.step()
    assert round(time.now - began, 6) == 0.2
