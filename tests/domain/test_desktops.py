"""Which remote desktop client is chosen, by system and by what is installed."""

from __future__ import annotations

import pytest

from ssm_tui.domain.desktops import choose

ADDRESS = "127.0.0.1:3390"


@pytest.mark.parametrize(
    ("platform", "installed", "argv", "asks_here"),
    [
        ("linux", {"remmina", "xfreerdp"}, ("remmina", "-c", f"rdp://{ADDRESS}"), False),
        ("linux", {"sdl-freerdp3", "xfreerdp3"}, ("sdl-freerdp3", f"/v:{ADDRESS}"), False),
        ("linux", {"xfreerdp"}, ("xfreerdp", f"/v:{ADDRESS}", "/dynamic-resolution"), True),
        ("darwin", {"open"}, ("open", "rdp://full%20address=s:127.0.0.1:3390"), False),
        ("win32", {"mstsc"}, ("mstsc", f"/v:{ADDRESS}"), False),
    ],
)
def test_the_systems_own(platform: str, installed: set[str], argv: tuple[str, ...], asks_here: bool) -> None:
    client = choose(ADDRESS, platform, lambda name: name if name in installed else None, graphical=True)
    assert client is not None
    assert (client.command.argv, client.asks_here) == (argv, asks_here)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_none(platform: str) -> None:
    assert choose(ADDRESS, platform, lambda _: None, graphical=True) is None


def test_a_linux_without_a_screen_has_none() -> None:
    assert choose(ADDRESS, "linux", lambda name: name, graphical=False) is None
