"""The details pane: facts in as many columns as fit, findings with their reasons, the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from ssm_tui.ui.presentation.text import Cut, cut, fit, visible, wrapped
from ssm_tui.ui.widgets.bars import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ssm_tui.ui.presentation.details import Details, Fact, Finding

NAME = 11  # cells for the names of facts and findings
FACTS = 3  # lines of facts that long reasons leave
MOST = 16  # lines that a reason or the command may take where there is room
LEAST = 36  # cells that a column of facts needs


class DetailsPane(Widget):
    """Beside the list it is a column, under it a strip; the width it gets decides how its facts stand."""

    DEFAULT_CSS = """
    DetailsPane { background: $surface; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__(id="details")
        self._details: Details | None = None

    def show(self, details: Details | None) -> None:
        """Another row, or news of the same."""
        if details != self._details:
            self._details = details
            self.refresh()

    def render(self) -> Content:
        if self._details is None or self.content_size.width < NAME + 4:
            return Content("")
        return Content("\n").join(list(lines(self._details, self.content_size.width, self.content_size.height)))


def lines(details: Details, width: int, height: int) -> Iterator[Content]:
    """The pane's lines. Facts that do not fit the height give way, the last ones first; findings and command stay."""
    title = cut(visible(details.title), width)
    room = width - cell_len(title) - 3
    subtitle = cut(visible(details.subtitle), room, Cut.MIDDLE) if room > 4 else ""
    yield Content.assemble((title, "bold $text-primary"), (f"  {subtitle}", "$text-muted"))
    columns = max(1, width // LEAST)
    facts = list(_facts(details.facts, width, columns))
    needed = min(FACTS, len(facts))
    for most in range(MOST, 0, -1):
        findings = [line for finding in details.findings for line in _finding(finding, width, most)]
        command = list(_command(details.command, width, most))
        spare = height - 1 - len(findings) - len(command)
        if spare >= needed:
            break
    gaps = 3 if columns == 1 and spare >= len(facts) + 3 else 0
    for block in (facts[: max(0, spare - gaps)], findings, command):
        if gaps and block:
            yield Content("")
        yield from block


def _facts(facts: Sequence[Fact], width: int, columns: int) -> Iterator[Content]:
    """Facts in columns, read downwards, like the list of a directory."""
    each = (width - 2 * (columns - 1)) // columns
    height = -(-len(facts) // columns)
    for line in range(height):
        parts = []
        for at in range(line, len(facts), height):
            name, value = visible(facts[at].name), visible(facts[at].value)
            parts.append(
                Content.assemble((fit(name, NAME), "$text-muted"), " ", fit(value, each - NAME - 1, Cut.MIDDLE))
            )
        yield Content("  ").join(parts)


def _finding(finding: Finding, width: int, most: int) -> Iterator[Content]:
    left = (fit(f"{finding.sign} {finding.name}", NAME), STYLES[finding.tone])
    for text in wrapped(visible(finding.text), width - NAME - 1, most):
        yield Content.assemble(left, " ", text)
        left = (" " * NAME, "")


def _command(command: str, width: int, most: int) -> Iterator[Content]:
    if command:
        for text in wrapped(f"$ {visible(command)}", width, most):
            yield Content.styled(text, "$text-muted")
