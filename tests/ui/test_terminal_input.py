"""What comes from a terminal at odd times, and what is no text: the app lives on, and takes no paste for keys."""

from __future__ import annotations

import sys
import time

import pytest

from ssm_tui.ui.terminal_input import PAUSE
from tests.ui.pty_screen import program

APP = "tests.ui.terminal_app"
NO_TEXT = b"\xb2\xff\xfe\x80"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")


@pytest.mark.parametrize("data", [NO_TEXT, b"\x1b[200~" + NO_TEXT + b"q\rq\x1b[201~", NO_TEXT + b"q" * 3000])
def test_what_is_no_text_is_thrown_away(data: bytes) -> None:
    with program(APP, "true") as screen:
        screen.sees("▌  web-10")
        screen.send(data)
        # What is typed at once still counts as part of it: a key that may be pressed twice, until it is taken.
        pressed = time.monotonic()

        def taken() -> bool:
            nonlocal pressed
            if time.monotonic() - pressed > 2 * PAUSE:
                pressed = time.monotonic()
                screen.send("2")
            return "ENGINE" in screen.text()

        screen.until(taken, "no key is taken any more")
        screen.sees("Nodes 1/11")
        screen.send("q")
        assert screen.ends() == 0


@pytest.mark.parametrize("keys", ["\t", "2", "/", "\x1b", "?", "\r", " ", "S", "\x1b[Z"])
def test_keys_typed_before_the_screen_is_there_do_no_harm(keys: str) -> None:
    with program(APP, "true") as screen:
        for _ in range(40):
            screen.send(keys)
        screen.sees("fresh")
        if keys == "?":
            screen.send("\x1b")  # the help lies over the tabs
        screen.sees("Nodes 1")
        assert screen.process.poll() is None
