"""The app on a stubbed AWS, as a person sees it: real contexts and reads, no sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from ssm_tui.aws.live import AwsClouds
from ssm_tui.ui.app import SsmTui
from tests.ui.fakes import World
from tests.ui.screen import Person


@asynccontextmanager
async def on_screen(
    profiles: Sequence[str] = (), size: tuple[int, int] = (140, 40), filter_text: str = ""
) -> AsyncIterator[Person]:
    """The app, reading by what the environment says."""
    services = replace(World().services(), clouds=AwsClouds(profiles))
    app = SsmTui(services, filter_text)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Person(app, pilot)
