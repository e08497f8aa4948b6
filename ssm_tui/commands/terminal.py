"""What the command line writes: data to stdout, messages to stderr, foreign text made harmless, columns by width."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssm_tui.domain.contexts import Note
    from ssm_tui.errors import SsmTuiError

PROGRAM = "ssm-tui"


def say(message: str, hint: str = "") -> None:
    """A message and its hint on stderr, a line each."""
    from ssm_tui.ui.presentation.text import visible

    print(f"{PROGRAM}: {visible(message)}", file=sys.stderr)
    if hint:
        print(f"  {visible(hint)}", file=sys.stderr)


def say_error(error: SsmTuiError, where: str = "") -> None:
    """An error's message and hint; `where` names the context when there are several."""
    say(f"{where}: {error.message}" if where else error.message, error.hint)


def say_note(note: Note, where: str = "") -> None:
    """A note's message and hint."""
    say(f"{where}: {note.message}" if where else note.message, note.hint)


class Progress:
    """How far something is, on one line of stderr that goes away at the end; nothing where that is no terminal."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._shown = sys.stderr.isatty()
        self._dirty = False

    def __enter__(self) -> Self:
        return self

    def show(self, words: str) -> None:
        """Writes the line over."""
        if self._shown:
            print(f"\r\x1b[K{self._title}: {words}", end="", file=sys.stderr, flush=True)
            self._dirty = True

    def clear(self) -> None:
        """Takes the line away, so that something else can be written there."""
        if self._dirty:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._dirty = False

    def __exit__(self, *_: object) -> None:
        self.clear()


def write_line(line: str) -> None:
    """One line of data, out at once: programs wait for it."""
    print(line, flush=True)


def write_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns aligned by the width at which a terminal shows them; the head only for people."""
    from rich.cells import cell_len

    from ssm_tui.ui.presentation.text import visible

    table = [[visible(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        table.insert(0, list(head))
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def prepare_streams() -> None:
    """Characters that the terminal's encoding lacks are written as escapes instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def finish_streams() -> bool:
    """Writes out what is buffered; whether everything was written.

    Where the reader or the terminal has gone, what is left is thrown away: it must not fail a second time when the
    interpreter ends, which would then give a status of its own.
    """
    whole = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            whole = False
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    return whole
