"""The groups of saved tunnels with how many of each are up; choosing one brings it up, or down again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ssm_tui.ui.dialogs.base import Dialog
from ssm_tui.ui.presentation.text import cut, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


@dataclass(frozen=True, slots=True)
class Group:
    """A group's name, the names of its tunnels, and how many of them are up."""

    name: str
    members: tuple[str, ...]
    up: int

    @property
    def whole(self) -> bool:
        """All of it is up."""
        return self.up == len(self.members)


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """A group's name, and whether it shall go down even where it is not wholly up."""

    name: str
    down: bool = False


class GroupMenu(Dialog[GroupChoice]):
    """Answers with the group chosen."""

    DEFAULT_CSS = """
    GroupMenu > .box { width: 90%; max-width: 90; padding: 0 1; }
    GroupMenu OptionList { height: auto; max-height: 16; border: none; background: $surface; padding: 0; }
    GroupMenu OptionList:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"pick({number})", show=False) for number in range(1, 10)),
        Binding("s,x", "down", show=False),
        Binding("j", "cursor(1)", show=False),
        Binding("k", "cursor(-1)", show=False),
    ]

    def __init__(self, groups: Sequence[Group]) -> None:
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = Content("Groups")
        box.border_subtitle = Content("↵ up, or down · s down · 1-9 at once · Esc leaves")
        width = max(20, min(int(self.app.size.width * 0.9), 90) - 8)
        with box:
            yield OptionList(*(Option(_prompt(at, group, width)) for at, group in enumerate(self._groups, 1)))

    def action_pick(self, number: int) -> None:
        """Chooses by number, at once."""
        if number <= len(self._groups):
            self.dismiss(GroupChoice(self._groups[number - 1].name))

    def action_down(self) -> None:
        """What is up of the highlighted group, down."""
        at = self.query_one(OptionList).highlighted
        if at is not None and self._groups[at].up:
            self.dismiss(GroupChoice(self._groups[at].name, down=True))

    def action_cursor(self, by: int) -> None:
        """Moves among the lines."""
        choices = self.query_one(OptionList)
        choices.action_cursor_down() if by > 0 else choices.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(GroupChoice(self._groups[event.option_index].name))


def _prompt(number: int, group: Group, width: int) -> Content:
    sign, style = (
        ("●", "$text-success") if group.whole else ("◍", "$text-warning") if group.up else ("☆", "$text-muted")
    )
    head = f"{visible(group.name)}  {group.up} of {len(group.members)} up  "
    members = cut(visible(", ".join(group.members)), max(0, width - len(head) - 4))
    return Content.assemble((f"{number} ", "$text-muted"), (f"{sign} ", style), (head, "bold"), members)
