"""The log file: private, bounded, shared by several processes, and without a secret."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssm_tui.commands import logs
from ssm_tui.commands.logs import start_log

LOG = logging.getLogger("ssm_tui.tunnels")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A log in a folder that is not there yet; closed at the end."""
    file = tmp_path / "state" / "log" / "ssm-tui.log"
    start_log(file)
    yield file
    logger = logging.getLogger(logs.LOGGER)
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_user_may_read_it(file: Path) -> None:
    LOG.info("ready")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    start_log(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_line_says_when_who_and_what(file: Path) -> None:
    LOG.warning("%s: reconnecting: %s", "orders", "lost")
    line = file.read_text(encoding="utf-8")
    assert line.endswith(f" WARNING [{os.getpid()}] ssm_tui.tunnels: orders: reconnecting: lost\n")


def test_no_secret_and_no_line_of_somebody_elses_making(file: Path) -> None:
    LOG.info("AWS said: %s", "password='hunter22'\n2026-01-01 INFO forged \x1b[31m")
    try:
        raise ValueError("token=abcdef123456")
    except ValueError:
        LOG.exception("broke")
    text = file.read_text(encoding="utf-8")
    assert "hunter22" not in text
    assert "abcdef123456" not in text
    assert "ValueError" in text
    assert "\x1b" not in text
    assert not any(line.startswith("2026-01-01") for line in text.splitlines())


def test_it_keeps_three_files_and_each_is_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 2000)
    start_log(file)
    for count in range(200):
        LOG.info("line %d", count)
    files = sorted(each.name for each in file.parent.iterdir())
    assert files == ["ssm-tui.log", "ssm-tui.log.1", "ssm-tui.log.2", "ssm-tui.log.lock"]
    assert all(each.stat().st_size <= 2000 for each in file.parent.iterdir())
    assert "line 199" in file.read_text(encoding="utf-8")
    assert {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()} == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="Windows does without the lock")
def test_several_processes_write_it_and_no_line_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "ssm-tui.log"
    code = (
        "import logging, sys; from pathlib import Path; from ssm_tui.commands import logs; logs.MOST_BYTES = 30_000\n"
        "logs.start_log(Path(sys.argv[1]))\n"
        "for at in range(200): logging.getLogger('ssm_tui').info('%s %d', sys.argv[2], at)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [subprocess.Popen([sys.executable, "-c", code, str(file), name], env=environment) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    lines = [line for each in tmp_path.glob("ssm-tui.log*") for line in each.read_text(encoding="utf-8").splitlines()]
    said = [" ".join(line.split()[-2:]) for line in lines]
    assert sorted(said) == sorted(f"{name} {at}" for name in "abc" for at in range(200))


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    start_log(tmp_path / "file" / "ssm-tui.log")
    LOG.error("nobody hears this")
    assert capsys.readouterr() == ("", "")


def test_a_log_that_goes_away_is_begun_anew(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LOG.info("before")
    file.unlink()
    LOG.info("after")
    assert "after" in file.read_text(encoding="utf-8")
    assert capsys.readouterr().err == ""
