"""A kept file: whole whatever happens, shared, and never in the way."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssm_tui.store import files, whole
from ssm_tui.store.files import KeptFile

WRITER = """
import sys, pathlib
from ssm_tui.store.files import KeptFile
name, times = sys.argv[2], int(sys.argv[3])
kept = KeptFile(pathlib.Path(sys.argv[1]), dict[str, int], {})
print("ready", flush=True)
sys.stdin.readline()
for i in range(times):
    kept.change(lambda old: {**old, f"{name}{i % 200}": i})
"""


def kept_in(folder: Path, *, version: int = 1) -> KeptFile[dict[str, int]]:
    return KeptFile(folder / "things.json", dict[str, int], {}, version=version)


def writer(folder: Path, name: str, times: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder / "things.json"), name, str(times)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(writers: list[subprocess.Popen[str]]) -> None:
    for each in writers:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()


def close(writers: list[subprocess.Popen[str]]) -> None:
    for each in writers:
        assert each.stdin is not None
        assert each.stdout is not None
        each.stdin.close()
        each.stdout.close()


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_what_is_kept_is_read_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "ssm-tui"
    assert kept_in(folder).read() == {}
    assert not folder.exists(), "reading makes nothing"
    kept_in(folder).change(lambda old: {**old, "a": 1})
    kept_in(folder).change(lambda old: {**old, "b": 2})
    assert kept_in(folder).read() == {"a": 1, "b": 2}
    assert names(folder) == {"things.json", ".things.json.lock"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def test_a_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    kept_in(tmp_path).change(lambda old: {**old, "a": 1})
    before = (tmp_path / "things.json").stat()
    kept_in(tmp_path).change(lambda old: {**old, "a": 1})
    assert (tmp_path / "things.json").stat().st_ino == before.st_ino


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr).map(str.encode)
)
@settings(max_examples=60, deadline=None)
def test_a_file_of_something_else_is_set_aside(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "things.json").write_bytes(data)
        assert kept_in(folder).read() == {}
        assert (folder / "things.json.broken").read_bytes() == data
        kept_in(folder).change(lambda old: {**old, "a": 1})
        assert kept_in(folder).read() == {"a": 1}


ENVELOPE = {"file": "ssm-tui things", "version": 1, "kept": {"a": 1}}


@pytest.mark.parametrize(
    "content",
    [
        ENVELOPE | {"version": 2},
        ENVELOPE | {"file": "other things"},
        ENVELOPE | {"kept": {"a": "one"}},
        ENVELOPE | {"kept": [1]},
        {"file": "ssm-tui things", "version": 1},
        [],
    ],
)
def test_another_version_or_shape_is_set_aside(tmp_path: Path, content: object) -> None:
    (tmp_path / "things.json").write_text(json.dumps(content))
    assert kept_in(tmp_path).read() == {}
    assert json.loads((tmp_path / "things.json.broken").read_text()) == content


def test_the_envelope_above_is_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "things.json").write_text(json.dumps(ENVELOPE))
    assert kept_in(tmp_path).read() == {"a": 1}


def test_deep_nesting_and_great_size_are_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "things.json").write_text('{"file":"ssm-tui things","version":1,"kept":' + "[" * 100_000)
    assert kept_in(tmp_path).read() == {}
    monkeypatch.setattr(files, "_MOST_BYTES", 1000)
    (tmp_path / "things.json").write_text(json.dumps(ENVELOPE) + " " * 1000)
    assert kept_in(tmp_path).read() == {}
    assert "things.json" not in names(tmp_path)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_set_aside_without_waiting(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "things.json")
    assert kept_in(tmp_path).read() == {}
    kept_in(tmp_path).change(lambda old: {**old, "a": 1})
    assert kept_in(tmp_path).read() == {"a": 1}


def test_a_folder_that_cannot_be_had_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    kept = kept_in(tmp_path / "file" / "folder")
    kept.change(lambda old: {**old, "a": 1})
    assert kept.read() == {}
    assert "things.json cannot be written" in caplog.text


def test_text_that_is_no_unicode_is_not_kept_and_harms_nothing(tmp_path: Path) -> None:
    kept_in(tmp_path).change(lambda old: {**old, "a": 1})
    kept_in(tmp_path).change(lambda old: {**old, "\ud800": 2})
    assert kept_in(tmp_path).read() == {"a": 1}
    assert names(tmp_path) == {"things.json", ".things.json.lock"}


def test_processes_lose_none_of_each_others_changes(tmp_path: Path) -> None:
    writers = [writer(tmp_path, name, 40) for name in "abcd"]
    begin(writers)
    assert [each.wait(60) for each in writers] == [0] * 4
    close(writers)
    assert kept_in(tmp_path).read() == {f"{name}{i}": i for name in "abcd" for i in range(40)}


def test_a_process_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    chance = random.Random(3)
    seen = 0
    for _ in range(12):
        writers = [writer(tmp_path, name, 1_000_000) for name in "ab"]
        begin(writers)
        time.sleep(chance.uniform(0.001, 0.05))  # the moment of the kill: any will do
        for each in writers:
            each.send_signal(signal.SIGKILL)
            each.wait()
        close(writers)
        seen = max(seen, len(kept_in(tmp_path).read()))
        assert "things.json.broken" not in names(tmp_path)
    assert seen, "they wrote something before they were killed"
    kept_in(tmp_path).change(lambda _old: {})
    assert names(tmp_path) == {"things.json", ".things.json.lock"}, "what the killed left is cleared away"


def test_a_lock_that_is_never_given_up_is_waited_for_a_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "LOCK_SECONDS", 0.05)
    with (tmp_path / ".things.json.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        kept_in(tmp_path).change(lambda old: {**old, "a": 1})
    assert kept_in(tmp_path).read() == {"a": 1}
