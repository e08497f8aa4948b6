"""Looking at the app as a person does: the text on its screen, and waiting for it to say something."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from textual import events
from textual.keys import _character_to_key, key_to_character
from textual.pilot import Pilot

from ssm_tui.ui.app import SsmTui
from ssm_tui.ui.screens.home import Home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.ui.fakes import World

LIMIT = 20.0  # seconds until what is waited for is given up
REST = 0.005  # seconds without work after which nothing more comes of a key


class Person:
    """Presses keys and reads the screen."""

    def __init__(self, app: SsmTui, pilot: Pilot[None]) -> None:
        self.app, self._pilot = app, pilot

    @property
    def home(self) -> Home:
        """The home screen, also under a dialog."""
        found = next(screen for screen in self.app.screen_stack if isinstance(screen, Home))
        assert isinstance(found, Home)
        return found

    def lines(self) -> list[str]:
        """The screen's lines as they are painted."""
        size = self.app.size
        update = self.app.screen._compositor.render_update(full=True)
        strips = getattr(update, "strips", None)
        assert strips is not None, "a full update holds every line"
        return ["".join(segment.text for strip in line for segment in strip) for line in strips[: size.height]]

    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines())

    def line_with(self, text: str) -> str:
        """The first line that holds a text."""
        return next((line for line in self.lines() if text in line), "")

    async def press(self, *keys: str) -> None:
        """Keys by their names, one after another."""
        for key in keys:
            name = _character_to_key(key) if len(key) == 1 else key
            self.app.post_message(events.Key(name, key if len(key) == 1 else key_to_character(key)))
            await self.settle()

    async def type(self, text: str) -> None:
        """A text, key by key, as fast as a paste."""
        for character in text:
            # Not through the pilot, which waits a tenth of a second after each.
            key = "enter" if character == "\r" else _character_to_key(character)
            self.app.post_message(events.Key(key, character))
        await self.settle()

    async def click(self, x: int, y: int, times: int = 1) -> None:
        """The mouse, at a place of the screen."""
        await self._pilot.click(offset=(x, y), times=times)
        await self.settle()

    async def settle(self) -> None:
        """Until every widget has done what was asked of it, and the process rests.

        The pilot does as much, but looks only every fiftieth of a second, three times a key.
        """
        until = time.monotonic() + 1.0  # a reader in another thread may go on for longer
        while time.monotonic() < until:
            await self._pilot._wait_for_screen()
            worked = time.process_time()
            await asyncio.sleep(REST)
            if time.process_time() - worked < REST / 10:
                break
        self.app.screen._on_timer_update()

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Waits while the app goes on; shows the screen when it was in vain."""
        async with asyncio.timeout(LIMIT):
            while True:
                await self.settle()
                if condition():
                    return

    async def sees(self, text: str) -> None:
        """Waits until the screen says so."""
        try:
            await self.until(lambda: text in self.text())
        except TimeoutError:
            raise AssertionError(f"{text!r} is not on the screen:\n{self.text()}") from None

    async def is_told(self, text: str) -> None:
        """Waits for a toast that says so; on the screen its text may be wrapped anywhere."""
        try:
            await self.until(lambda: any(text in n.message for n in self.app._notifications))
        except TimeoutError:
            raise AssertionError(f"{text!r} was not told:\n{self.text()}") from None
        await self.until(lambda: self.app.screen.query("Toast"))

    async def sees_no(self, text: str) -> None:
        """Waits until the screen does not say so any more."""
        await self.until(lambda: text not in self.text())


@asynccontextmanager
async def started(world: World, size: tuple[int, int] = (120, 35), filter_text: str = "") -> AsyncIterator[Person]:
    """The app on fakes, with everything read unless the world holds it back."""
    app = SsmTui(world.services(), filter_text)
    async with app.run_test(size=size, notifications=True) as pilot:
        person = Person(app, pilot)
        held_back = world.cloud.gate is not None or world.cloud.error is not None or world.clouds is not None
        if not held_back:
            await person.sees("● fresh")
        yield person
