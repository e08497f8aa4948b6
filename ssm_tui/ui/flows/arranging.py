"""How the list of nodes stands: order, columns, pins, groups. A choice is shown at once and kept for the next run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.listing import Arrangement, Sort
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.ui.flows.telling import tell
from ssm_tui.ui.presentation.cells import ARROWS
from ssm_tui.ui.presentation.nodes import FIXED
from ssm_tui.ui.presentation.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from textual.app import App

    from ssm_tui.domain.nodes import Node
    from ssm_tui.ui.choices import ChoicesInForce
    from ssm_tui.ui.dialogs.names import Named
    from ssm_tui.ui.lists import Lists

NO_GROUP = ""
_TITLES = {"ip": "address", "context": "profile and region", "type": "instance type", "sg": "security groups"}
_TIMES = {"last_ping": "heard", "launched": "launched"}


class ArrangingFlow:
    """Lets the list stand as was chosen. `tags` tells the keys of tags that there are, and how many nodes have each;
    `changed` is called after each change."""

    def __init__(
        self,
        app: App[Any],
        lists: Lists,
        choices: ChoicesInForce,
        tags: Callable[[], Mapping[str, int]],
        changed: Callable[[], None],
    ) -> None:
        self._app, self._lists, self._choices, self._tags, self._changed = app, lists, choices, tags, changed
        lists.arrange(choices.now.arrangement)
        lists.choose_columns(choices.now.columns)

    def _arrange(self, change: Callable[[Arrangement], Arrangement]) -> None:
        self._choices.change(lambda kept: replace(kept, arrangement=change(kept.arrangement)))
        self._lists.arrange(self._choices.now.arrangement)
        self._changed()

    # Order

    def sort_by(self, name: str) -> None:
        """In this order; the other way round where it is the order already."""
        now = self._choices.now.arrangement.sort
        wanted = Sort(name, descending=now.by == name and not now.descending)
        self._arrange(lambda kept: replace(kept, sort=wanted))

    async def choose_order(self) -> None:
        """Asks for it."""
        from ssm_tui.ui.dialogs.names import Named, NameMenu

        now = self._choices.now.arrangement.sort
        signs = {now.by: ARROWS[now.descending]}
        names = [
            *self._fields(signs),
            *(Named(name, label, "field", signs.get(name, "")) for name, label in _TIMES.items()),
            *self._tag_names(signs),
        ]
        names.sort(key=lambda each: each.name != now.by)
        wanted = await self._app.push_screen_wait(
            NameMenu("Sort by", "↵ sorts, again turns it round · Esc leaves", names)
        )
        if wanted is not None:
            self.sort_by(wanted)

    # Columns

    async def choose_columns(self) -> None:
        """Asks which, and in what order."""
        from ssm_tui.ui.dialogs.names import ColumnMenu

        names = [each for each in (*self._fields({}), *self._tag_names({})) if each.name != "name"]
        chosen = await self._app.push_screen_wait(ColumnMenu(names, self._lists.columns, self._lists.standard_columns))
        if chosen is not None:
            self._choices.change(lambda kept: replace(kept, columns=chosen.names))
            self._lists.choose_columns(chosen.names)
            self._changed()

    # Pins, groups, unmanaged nodes

    def pin(self, nodes: Collection[Node]) -> None:
        """Puts them on top; where all are there already, back to their places."""
        ids = frozenset(node.id for node in nodes)
        if ids <= self._choices.now.arrangement.pins:
            self._arrange(lambda kept: replace(kept, pins=kept.pins - ids))
        else:
            self._arrange(lambda kept: replace(kept, pins=kept.pins | ids))

    def fold(self, value: str, *, folded: bool) -> None:
        """The group of this value shows its nodes, or its heading alone."""
        own = frozenset({value})
        self._arrange(lambda kept: replace(kept, folded=kept.folded | own if folded else kept.folded - own))

    async def choose_group(self) -> None:
        """Asks for the tag."""
        from ssm_tui.ui.dialogs.names import Named, NameMenu

        now = self._choices.now.arrangement.group
        names = list(self._tag_names({now or NO_GROUP: "●"}))
        if not names:
            tell(self._app, "No node has a tag to group by.")
            return
        names.insert(0 if now else len(names), Named(NO_GROUP, "no groups", "", "" if now else "●"))
        wanted = await self._app.push_screen_wait(NameMenu("Group by", "↵ groups · Esc leaves", names))
        if wanted is not None and (wanted or None) != now:
            self._arrange(lambda kept: replace(kept, group=wanted or None, folded=frozenset()))

    def toggle_unmanaged(self) -> None:
        """Lists nodes that Systems Manager does not know, or hides them."""
        unmanaged = not self._choices.now.arrangement.unmanaged
        self._arrange(lambda kept: replace(kept, unmanaged=unmanaged))

    # Names to choose from

    def _fields(self, signs: Mapping[str, str]) -> Iterator[Named]:
        from ssm_tui.ui.dialogs.names import Named

        names: Iterable[str] = dict.fromkeys(("name", *FIXED, *NODE_FIELDS))
        return (Named(name, _TITLES.get(name, name), "field", signs.get(name, "")) for name in names)

    def _tag_names(self, signs: Mapping[str, str]) -> Iterator[Named]:
        from ssm_tui.ui.dialogs.names import Named

        for key, count in sorted(self._tags().items(), key=lambda item: (-item[1], item[0].casefold())):
            if key not in NODE_FIELDS and key not in FIXED:
                yield Named(key, visible(key), f"tag of {count:,}", signs.get(key, ""))
