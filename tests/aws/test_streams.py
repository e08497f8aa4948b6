"""Readers run at once; what they give and what they raise reaches the one who asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ssm_tui.aws.streams import merged


def test_readers_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def reader() -> Iterator[str]:
        meeting.wait()
        yield threading.current_thread().name

    assert len(list(merged([reader, reader]))) == 2


def test_an_exception_comes_through() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("no")

    items = merged([broken])
    assert next(items) == 1
    with pytest.raises(ValueError, match="no"):
        next(items)


def test_a_reader_left_behind_ends() -> None:
    ended = threading.Event()
    go_on = threading.Event()

    def endless() -> Iterator[int]:
        try:
            yield 0
            go_on.wait(10)
            while True:
                yield 1
        finally:
            ended.set()

    items = merged([endless])
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]  # merged is a generator; its type says no more than it promises
    go_on.set()
    assert ended.wait(10)


def test_nothing_to_read() -> None:
    assert list(merged([])) == []
