"""The desktop client as a process: it goes on beside us, and a failure at once is known."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from ssm_tui.domain.sessions import Command
from ssm_tui.errors import PrerequisiteError
from ssm_tui.sessions import desktops
from ssm_tui.sessions.desktops import Desktops, browser


async def test_one_that_fails_at_once() -> None:
    assert await Desktops().start(Command((sys.executable, "-c", "raise SystemExit(3)"))) == 3


async def test_one_that_runs_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desktops, "MOMENT", 0.2)
    gate = tmp_path / "gate"
    child = f"import os,sys;os.mkfifo({str(gate)!r});sys.exit(len(open({str(gate)!r}).read()))"
    assert await Desktops().start(Command((sys.executable, "-c", child))) is None
    while not gate.exists():
        await asyncio.sleep(0.01)
    gate.write_text("")  # a reader is there: it lives, and ends now


async def test_one_that_is_not_there() -> None:
    with pytest.raises(PrerequisiteError, match="no-such-client"):
        await Desktops().start(Command(("no-such-client",)))


def test_a_machine_without_a_screen_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert Desktops().find("127.0.0.1:3389") is None


def test_an_address_is_opened_only_where_the_user_sits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opener = tmp_path / "xdg-open"
    opener.touch(mode=0o755)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert browser("http://x") is None
    monkeypatch.setenv("DISPLAY", ":0")
    assert browser("http://x") == Command((str(opener), "http://x"))
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    assert browser("http://x") is None
