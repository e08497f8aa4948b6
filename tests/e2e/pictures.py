"""A Textual screen as a picture: SVG, and PNG from the system's fonts. Knows nothing of what is on it."""

from __future__ import annotations

import re
from html import escape, unescape
from itertools import groupby
from pathlib import Path
from typing import Any

import resvg_py
from rich.cells import cell_len
from textual.app import App

CELL = 12.2  # the width of a cell in the export (its letters are 20 high)
LETTERS = "DejaVu Sans Mono"
WIDE = "Noto Sans CJK KR"
FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)
TEXT = re.compile(
    r'<text class="(?P<class>[^"]+)" x="(?P<x>[^"]+)" (?P<rest>[^>]*)textLength="(?P<length>[^"]+)"'
    r"(?P<more>[^>]*)>(?P<text>[^<]*)</text>"
)


def text_of(app: App[Any]) -> str:
    """The letters on the screen."""
    picture = re.sub(r"<style>.*?</style>", "", app.export_screenshot(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", picture).replace("&#160;", " "))


def save(app: App[Any], folder: Path, name: str) -> None:
    """Writes NAME.svg and NAME.png."""
    picture = TEXT.sub(_apart, app.export_screenshot(title="ssm-tui", simplify=True))
    (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    # The SVG names a web font, which a renderer without a network has not: the system's stand in.
    local = FONT_FACE.sub("", picture).replace("Fira Code", LETTERS)
    (folder / f"{name}.png").write_bytes(resvg_py.svg_to_bytes(svg_string=local))


def _apart(found: re.Match[str]) -> str:
    """A run of text with wide letters as several: a renderer takes one font for a whole run, and the export counts
    letters, not cells, for its length."""
    text = unescape(found["text"])
    if cell_len(text) in (0, len(text)):
        return found[0]
    x, pieces = float(found["x"]), []
    # Each wide letter stands alone, so that none drifts from its two cells.
    for place, letters in groupby(enumerate(text), lambda at: at[0] if cell_len(at[1]) > 1 else -1):
        wide, run = place >= 0, "".join(letter for _, letter in letters)
        style = f'style="font-family: {WIDE}" ' if wide else ""
        where = f'x="{x:g}" {style}{found["rest"]}textLength="{cell_len(run) * CELL:g}"{found["more"]}'
        shown = escape(run).replace("\u00a0", "&#160;")
        pieces.append(f'<text class="{found["class"]}" {where}>{shown}</text>')
        x += cell_len(run) * CELL
    return "".join(pieces)
