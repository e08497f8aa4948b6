"""Who may talk to AWS at the same time, and who is next."""

from __future__ import annotations

import threading

from ssm_tui.ui.slots import Slots

LIMIT = 10.0


class Worker:
    """A thread that takes a slot, says so, and keeps it until it is let go."""

    def __init__(self, slots: Slots, rank: int, order: list[int], number: int) -> None:
        self.inside, self._go = threading.Event(), threading.Event()
        self._slots, self._rank, self._order, self._number = slots, rank, order, number
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._slots.taken(self._rank):
            self._order.append(self._number)
            self.inside.set()
            assert self._go.wait(LIMIT)

    def leave(self) -> None:
        self._go.set()
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()


def waiting(slots: Slots, count: int) -> None:
    """Until so many stand in line."""
    done = threading.Event()
    for _ in range(1000):
        if len(slots._waiting) == count:
            return
        done.wait(0.01)
    raise AssertionError(slots._waiting)


def test_no_more_than_so_many_and_the_lowest_rank_first() -> None:
    slots, order = Slots(2, LIMIT), list[int]()
    first = [Worker(slots, 0, order, number) for number in (0, 1)]
    assert all(each.inside.wait(LIMIT) for each in first)
    others = []
    for number, rank in enumerate((2, 1, 1, 0), 2):
        others.append(Worker(slots, rank, order, number))
        waiting(slots, len(others))
    assert not any(each.inside.is_set() for each in others)
    for number in (5, 3, 4, 2):
        (first.pop() if first else others[order[-2] - 2]).leave()
        assert others[number - 2].inside.wait(LIMIT)
    for each in others:
        each.leave()
    assert order[2:] == [5, 3, 4, 2]


def test_who_is_silent_for_too_long_does_not_count() -> None:
    slots, order = Slots(1, 0.05), list[int]()
    hanging = Worker(slots, 0, order, 0)
    assert hanging.inside.wait(LIMIT)
    second = Worker(slots, 0, order, 1)
    assert second.inside.wait(LIMIT)
    second.leave()
    hanging.leave()


def test_who_is_heard_keeps_his_slot() -> None:
    slots = Slots(1, 1.0)
    came = threading.Event()

    def other() -> None:
        with slots.taken(0):
            came.set()

    with slots.taken(0):
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        for _ in range(150):  # longer than the patience
            slots.heard()
            assert not came.wait(0.01)
    assert came.wait(LIMIT)
    thread.join(LIMIT)


def test_a_group_that_waits_for_the_user_keeps_nobody_waiting() -> None:
    slots = Slots(1, LIMIT)
    go, inside = threading.Event(), threading.Event()

    def ask() -> None:
        with slots.taken(0, "profile"):
            inside.set()
            assert go.wait(LIMIT)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    assert inside.wait(LIMIT)
    other = Worker(slots, 0, [], 0)
    waiting(slots, 1)
    slots.step_aside("profile")
    assert other.inside.wait(LIMIT)
    other.leave()
    slots.step_back("profile")
    third = Worker(slots, 0, [], 1)
    waiting(slots, 1)
    assert not third.inside.is_set()
    go.set()
    assert third.inside.wait(LIMIT)
    third.leave()
    asking.join(LIMIT)
