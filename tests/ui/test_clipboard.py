"""Which clipboard is the one in front of the user."""

from __future__ import annotations

import base64

import pytest
from textual.app import App

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
