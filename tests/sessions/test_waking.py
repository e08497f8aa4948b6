"""A sleep is noticed by the wall's clock, and by nothing else."""

from __future__ import annotations

import asyncio

from ssm_tui.sessions.tunnels.waking import Waking


class Wall:
    """A clock on the wall that goes with the loop's, and jumps when told."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


async def looks(number: int) -> None:
    """So many looks later."""
    await asyncio.sleep(number * 0.02 + 0.01)


async def test_a_jump_is_a_sleep_and_told_once() -> None:
    woken: list[None] = []
    wall = Wall()
    waking = Waking(lambda: woken.append(None), tick=0.02, late=60, wall=wall)
    waking.watch()
    waking.watch()  # once is enough
    await looks(3)
    assert woken == []
    wall.ahead += 3600
    await looks(5)
    assert len(woken) == 1
    wall.ahead -= 7200  # set back by hand: no sleep
    await looks(5)
    waking.rest()
    wall.ahead += 7200
    await looks(3)
    assert len(woken) == 1
    waking.watch()
    wall.ahead += 3600
    await looks(3)
    assert len(woken) == 2
    waking.rest()


async def test_a_process_that_was_at_work_has_not_slept() -> None:
    woken: list[None] = []
    wall, worked = Wall(), 0.0
    waking = Waking(lambda: woken.append(None), tick=0.02, late=60, wall=wall, work=lambda: worked)
    waking.watch()
    wall.ahead += 3600
    worked += 3590
    await looks(3)
    assert woken == []
    wall.ahead += 3600
    worked += 100
    await looks(3)
    assert len(woken) == 1
    waking.rest()
