"""Saved filters: those of the settings, and those saved from the screen, which are kept for the next run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.filters import check_saved, names_saved, saved_name
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.errors import FilterError
from ssm_tui.ui.flows.telling import tell
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import App

    from ssm_tui.ui.choices import ChoicesInForce
    from ssm_tui.ui.lists import Lists


class FilterFlow:
    """`settings` are the filters that stand there, `use` puts a text into the filter line."""

    def __init__(
        self,
        app: App[Any],
        lists: Lists,
        settings: Mapping[str, str],
        choices: ChoicesInForce,
        use: Callable[[str], None],
    ) -> None:
        self._app, self._lists, self._settings, self._choices, self._use = app, lists, settings, choices, use
        self._lists.save(self.saved)

    @property
    def saved(self) -> Mapping[str, str]:
        """All of them; the settings' names stand before one's own."""
        return {**self._choices.now.filters, **self._settings}

    async def choose(self, present: str) -> None:
        """Asks what is to be done with them, and does it. `present` is the filter in force."""
        from ssm_tui.ui.dialogs.filters import Deed, FilterMenu, SavedFilter

        used = saved_name(present, self.saved)
        filters = [
            SavedFilter(name, text, name not in self._settings, name == used)
            for name, text in sorted(self.saved.items(), key=lambda item: item[0].casefold())
        ]
        choice = await self._app.push_screen_wait(FilterMenu(filters, "" if used else present))
        if choice is None:
            return
        match choice.deed:
            case Deed.USE:
                self._use(self.saved[choice.name])
            case Deed.SAVE:
                await self._save(present.strip())
            case Deed.RENAME:
                await self._rename(choice.name)
            case Deed.FORGET:
                self._change(lambda own: {name: text for name, text in own.items() if name != choice.name})

    @property
    def _own(self) -> Mapping[str, str]:
        return self._choices.now.filters

    async def _save(self, text: str) -> None:
        try:
            check_saved(text, NODE_FIELDS)
        except FilterError as error:
            hint = "write the words of the saved filter in it" if names_saved(text) else error.hint
            tell(self._app, f"It cannot be saved: {visible(error.message)}. {visible(hint)}")
            return
        from ssm_tui.ui.dialogs.filters import NameQuestion

        name = await self._app.push_screen_wait(NameQuestion("Save the filter as", "", self._wrong))
        if name is not None:
            self._change(lambda own: {**own, name: text})

    async def _rename(self, name: str) -> None:
        from ssm_tui.ui.dialogs.filters import NameQuestion

        def wrong(new: str) -> str:
            return "" if new == name else self._wrong(new)

        new = await self._app.push_screen_wait(NameQuestion(f"Rename {visible(name)} to", name, wrong))
        if new is not None:
            self._change(lambda own: {new if each == name else each: text for each, text in own.items()})

    def _wrong(self, name: str) -> str:
        if name in self._settings:
            return "This name stands in the settings."
        if name in self._own:
            return "Another filter has this name."
        if name.startswith("-") or not name.isprintable():
            return "A name is printable and does not begin with a dash."
        return ""

    def _change(self, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        self._choices.change(lambda kept: replace(kept, filters=change(kept.filters)))
        self._lists.save(self.saved)
