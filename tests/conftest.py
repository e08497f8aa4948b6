"""Fixtures that tests of several parts share, and a home folder that is nobody's."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.demo_cloud import demo_cloud, faults

__all__ = ["demo_cloud", "faults"]


@pytest.fixture(scope="session", autouse=True)
def _nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty home and no settings of the user's own, for everything that tests start: what they write stays there."""
    before = dict(os.environ)
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in before if name.startswith(("AWS_", "SSM_TUI_", "XDG_"))]:
        del os.environ[name]
    os.environ.update(HOME=str(home), XDG_RUNTIME_DIR=str(home), HISTFILE=os.devnull)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session", autouse=True)
def _signals_as_in_a_terminal() -> Iterator[None]:
    """A shell starts what is in its background with Ctrl-C ignored, nohup with hang-ups ignored, and what tests start
    would inherit that."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGQUIT", "SIGHUP") if hasattr(signal, name)]
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
