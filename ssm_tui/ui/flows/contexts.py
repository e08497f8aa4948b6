"""Choosing what is open: pickers for profiles and regions, and the list of contexts with how each stands."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ssm_tui.background import in_background
from ssm_tui.domain.accounts import AS_STARTED, Choice
from ssm_tui.ui.flows.telling import tell
from ssm_tui.ui.presentation.contexts import ContextRow, context_row

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence

    from textual.app import App

    from ssm_tui.domain.accounts import Profile, Region
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.listing import Counts
    from ssm_tui.ui.catalog import Catalog
    from ssm_tui.ui.dialogs.contexts import ContextsDialog
    from ssm_tui.ui.dialogs.picking import Picker
    from ssm_tui.ui.flows.knowledge import Knowledge
    from ssm_tui.ui.presentation.picking import Pick
    from ssm_tui.ui.services import Services


class ContextFlow:
    """`counts` tells how many nodes of each context are listed, `changed` is called when something is to be shown,
    `sign_in` when the user wants to sign in to a context."""

    def __init__(
        self,
        app: App[Any],
        services: Services,
        catalog: Catalog,
        knowledge: Knowledge,
        counts: Callable[[], Mapping[Context, Counts]],
        changed: Callable[[], None],
        sign_in: Callable[[Context], None],
    ) -> None:
        self._app, self._accounts, self._picked, self._clock = app, services.accounts, services.picked, services.clock
        self._catalog, self._knowledge, self._counts, self._changed = catalog, knowledge, counts, changed
        self._sign_in = sign_in
        self._choice = AS_STARTED
        self._list: ContextsDialog | None = None
        self._following: tuple[Picker, Callable[[], Sequence[Pick]], str] | None = None

    def begin(self) -> None:
        """What was picked in the last run that was started alike is in force in this one."""
        self._choose(self._picked.last())

    def _choose(self, choice: Choice) -> None:
        self._choice = choice
        self._accounts.choose(choice)

    async def pick_profiles(self) -> None:
        """Other profiles, each in the regions that are in force."""
        from ssm_tui.ui.dialogs.picking import Picker
        from ssm_tui.ui.presentation.picking import profile_columns

        picker = Picker("Profiles", profile_columns(), self._in_force.profiles or ())

        async def read() -> None:
            told = await in_background(self._accounts.profiles, "read profiles")
            problem = f"{told.problem.message}: {told.problem.hint}" if told.problem else ""
            self._follow(picker, lambda: self._profile_picks(told.found), problem)

        if (keys := await self._ask(picker, read)) is not None:
            names = tuple(key for key in keys if key is None or isinstance(key, str))
            await self._change(replace(self._choice, profiles=names or None))

    async def pick_regions(self) -> None:
        """Other regions, for each profile that is in force."""
        from ssm_tui.ui.dialogs.picking import Picker
        from ssm_tui.ui.presentation.picking import region_columns

        near = {context.region for context in self._catalog.readings}
        in_force = self._in_force
        picker = Picker("Regions", region_columns(), in_force.regions or near)

        async def read() -> None:
            enabled: dict[str | None, frozenset[str]] = {}
            regions = await in_background(lambda: self._accounts.regions(tuple(near)), "list regions")
            self._follow(picker, lambda: self._region_picks(regions, enabled))
            for profile in in_force.profiles or ():
                names = await in_background(partial(self._accounts.enabled, profile), "enabled regions")
                if names is not None:
                    enabled[profile] = names
                    self.look()

        if (keys := await self._ask(picker, read)) is not None:
            names = tuple(key for key in keys if isinstance(key, str))
            await self._change(replace(self._choice, regions=names or None))

    @property
    def _in_force(self) -> Choice:
        """Profiles and regions by their names; no regions are each profile's own."""
        chosen, started = self._choice, self._accounts.started
        return Choice(
            started.profiles if chosen.profiles is None else chosen.profiles,
            started.regions if chosen.regions is None else chosen.regions,
        )

    async def _ask(self, picker: Picker, read: Callable[[], Coroutine[Any, Any, None]]) -> tuple[Hashable, ...] | None:
        """The keys that were picked, none for as it was started; None where the user would rather not. `read` finds out
        what there is meanwhile."""
        reading = asyncio.create_task(read())
        try:
            picked = await self._app.push_screen_wait(picker)
        finally:
            reading.cancel()
            self._following = None
        return None if picked is None else picked.keys or ()

    def _profile_picks(self, profiles: Sequence[Profile]) -> list[Pick]:
        from ssm_tui.ui.presentation.picking import profile_picks

        catalog = self._catalog
        return profile_picks(profiles, self._accounts.started, catalog.readings, catalog.aliases, self._clock())

    def _region_picks(self, regions: Sequence[Region], enabled: Mapping[str | None, frozenset[str]]) -> list[Pick]:
        from ssm_tui.ui.presentation.picking import region_picks

        return region_picks(regions, self._accounts.started, self._catalog.readings, enabled, self._clock())

    async def _change(self, choice: Choice) -> None:
        if choice == self._choice:
            return
        self._choose(choice)
        self._knowledge.choose(choice)
        self._changed()
        await in_background(lambda: self._picked.keep(choice), "keep the choice")
        if choice == AS_STARTED:
            tell(self._app, "As it was started; nothing is kept for the next time.")
        else:
            tell(self._app, "Kept for the next time it is started like this.", "“as started” in the list takes it back")

    async def show_list(self) -> None:
        """Every context with its state; from there on to the pickers."""
        from ssm_tui.ui.dialogs.contexts import ContextsDialog, Next

        self._list = ContextsDialog(self._rows(), self._read_again, self._sign_in)
        try:
            wanted = await self._app.push_screen_wait(self._list)
        finally:
            self._list = None
        if wanted is Next.PROFILES:
            await self.pick_profiles()
        elif wanted is Next.REGIONS:
            await self.pick_regions()

    def _read_again(self, context: Context) -> None:
        self._knowledge.read_again(context)
        self._changed()

    def look(self) -> None:
        """What is open follows what is read."""
        if self._list is not None and self._list.is_current:
            self._list.show(self._rows())
        if self._following is not None:
            picker, picks, note = self._following
            picker.show(picks(), note)

    def _follow(self, picker: Picker, picks: Callable[[], Sequence[Pick]], note: str = "") -> None:
        self._following = picker, picks, note
        self.look()

    def _rows(self) -> list[ContextRow]:
        now, counts, aliases = self._clock(), self._counts(), self._catalog.aliases
        readings = self._catalog.readings.items()
        return [context_row(context, reading, counts.get(context), aliases, now) for context, reading in readings]
