"""When the collector's full pass is made."""

from __future__ import annotations

import gc

import pytest

from ssm_tui.ui.tidying import IDLE, LATEST, Tidying, hold
from tests.ui.fleet import small_world
from tests.ui.screen import started


class Clock:
    now = 0.0
    collected = 0

    def tidying(self) -> Tidying:
        return Tidying(self.collect, lambda: self.now)

    def collect(self) -> None:
        self.collected += 1


def test_it_waits_until_nobody_is_there_and_nothing_is_read() -> None:
    clock = Clock()
    tidying = clock.tidying()
    tidying.touched()
    clock.now = IDLE - 1
    tidying.look(reading=False)
    clock.now = IDLE
    tidying.look(reading=True)
    assert clock.collected == 0
    tidying.look(reading=False)
    tidying.look(reading=False)
    assert clock.collected == 1
    tidying.look(reading=True)
    tidying.look(reading=False)
    assert clock.collected == 2


def test_it_does_not_wait_for_ever() -> None:
    clock = Clock()
    tidying = clock.tidying()
    clock.now = LATEST
    tidying.touched()
    tidying.look(reading=True)
    assert clock.collected == 1
    clock.now += IDLE
    tidying.look(reading=True)
    assert clock.collected == 1


def test_the_collector_is_left_as_it_was_found() -> None:
    before = gc.get_threshold()
    tidying = Tidying()
    tidying.begin()
    assert gc.get_threshold()[:2] == before[:2]
    assert gc.get_threshold()[2] > 100 * before[2]
    tidying.end()
    tidying.end()
    assert gc.get_threshold() == before


def test_what_is_loaded_at_the_start_is_not_looked_through() -> None:
    tidying = Tidying()
    try:
        hold()
        assert not gc.isenabled()
        tidying.begin()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        tidying.end()
        assert gc.get_freeze_count() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("keys", [("j", "k")])
async def test_no_full_collection_while_the_app_reads_and_keys_are_pressed(keys: tuple[str, ...]) -> None:
    full: list[int] = []

    def collected(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2:
            full.append(1)

    before = gc.get_threshold()
    async with started(small_world()) as person:
        gc.callbacks.append(collected)
        try:
            kept = [[at] for at in range(50_000)]  # objects enough for several
            await person.press(*keys)
            assert (len(kept), full) == (50_000, [])
        finally:
            gc.callbacks.remove(collected)
    assert gc.get_threshold() == before
