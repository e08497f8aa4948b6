"""Which clipboard is the one in front of the user."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest
from textual.app import App

from ssm_tui.domain.credentials import Secret
from ssm_tui.ui.clipboard import TERMINAL, SystemClipboard, is_local


@pytest.mark.parametrize(
    ("environment", "platform", "local"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({}, "darwin", True),
        ({"SSH_TTY": "/dev/pts/3"}, "darwin", False),
        ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "linux", False),
    ],
)
def test_where_the_user_sits(environment: dict[str, str], platform: str, local: bool) -> None:
    assert is_local(environment, platform) is local


async def test_over_ssh_the_terminal_is_asked_to_copy() -> None:
    app: App[None] = App()
    async with app.run_test():
        written: list[str] = []
        assert app._driver is not None
        app._driver.write = written.append  # type: ignore[method-assign,assignment]  # all that the terminal is sent
        how = await SystemClipboard({"SSH_TTY": "/dev/pts/3"}, "linux").copy(app, "10.0.0.1")
    assert how == TERMINAL
    assert f"\x1b]52;c;{base64.b64encode(b'10.0.0.1').decode()}\a" in written


async def test_without_a_tool_for_it_the_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyperclip

    def fails(text: str) -> None:
        raise pyperclip.PyperclipException("no copy mechanism")

    monkeypatch.setattr(pyperclip, "copy", fails)
    app: App[None] = App()
    async with app.run_test():
        assert await SystemClipboard({"DISPLAY": ":0"}, "linux").copy(app, "x") == TERMINAL
        assert app.clipboard == "x"


# Passwords are lent


class Desktop:
    """The desktop's clipboard, as pyperclip's functions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str = "copy_xclip") -> None:
        import pyperclip

        self.text = ""
        self.broken = False

        def copy(text: str) -> None:
            self.text = text

        copy.__name__ = name
        monkeypatch.setattr(pyperclip, "determine_clipboard", lambda: (copy, self._paste))

    def _paste(self) -> str:
        if self.broken:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "a picture")
        return self.text


PASSWORD = Secret("p w")


async def test_a_password_is_taken_back_where_it_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = Desktop(monkeypatch)
    clipboard, app = SystemClipboard({"DISPLAY": ":0"}, "linux"), App[None]()
    assert await clipboard.lend(app, PASSWORD)
    assert desktop.text == "p w"
    assert await clipboard.take_back()
    assert desktop.text == ""
    desktop.text = "p w"  # copied by the user's own hand, later
    assert not await clipboard.take_back()
    assert desktop.text == "p w"


@pytest.mark.parametrize("broken", [False, True])
async def test_what_somebody_copied_since_stays(monkeypatch: pytest.MonkeyPatch, broken: bool) -> None:
    desktop = Desktop(monkeypatch)
    clipboard, app = SystemClipboard({"DISPLAY": ":0"}, "linux"), App[None]()
    assert await clipboard.lend(app, PASSWORD)
    desktop.text, desktop.broken = "mine", broken
    assert not await clipboard.take_back()
    assert desktop.text == "mine"


async def test_no_tool_is_given_a_password_as_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = Desktop(monkeypatch, "copy_klipper")
    app: App[None] = App()
    async with app.run_test():
        assert not await SystemClipboard({"DISPLAY": ":0"}, "linux").lend(app, PASSWORD)
    assert desktop.text == ""


XCLIP = """#!/bin/sh
echo "$@" >> "$HOME/arguments"
case "$*" in *-o*) cat "$HOME/clipboard";; *) cat > "$HOME/clipboard";; esac
"""


@pytest.mark.skipif(sys.platform != "linux", reason="X11's tool, as Linux has it")
async def test_with_a_tool_as_linux_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "xclip").write_text(XCLIP, encoding="utf-8")
    (tmp_path / "xclip").chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    clipboard, app, there = SystemClipboard({"DISPLAY": ":0"}, "linux"), App[None](), tmp_path / "clipboard"
    assert await clipboard.lend(app, PASSWORD)
    assert there.read_text() == "p w"
    assert await clipboard.take_back()
    assert there.read_text() == ""
    assert await clipboard.lend(app, PASSWORD)
    there.write_text("mine")
    assert not await clipboard.take_back()
    assert there.read_text() == "mine"
    assert "p w" not in (tmp_path / "arguments").read_text()


async def test_a_terminal_is_lent_a_password_and_textual_keeps_none() -> None:
    app: App[None] = App()
    async with app.run_test():
        written: list[str] = []
        assert app._driver is not None
        app._driver.write = written.append  # type: ignore[method-assign,assignment]
        clipboard = SystemClipboard({"SSH_TTY": "/dev/pts/3"}, "linux")
        assert not await clipboard.lend(app, PASSWORD)
        assert f"\x1b]52;c;{base64.b64encode(b'p w').decode()}\a" in written
        assert app.clipboard == ""
        written.clear()
        assert not await clipboard.take_back()
        assert not [each for each in written if "]52;" in each]
