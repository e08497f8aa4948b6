"""A caller on a stubbed AWS: this process's environment leads to it and nowhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ssm_tui.cli import main
from tests.wire import Fleet, Wire
from tests.wire.fleet import REGION

Stand = Callable[..., Wire]


@contextmanager
def at(wire: Wire) -> Iterator[Wire]:
    """The stub, with the environment leading there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in wire.environment().items():
            patch.setenv(name, value)
        yield wire


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """Stands up a stub of a fleet, with an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:

        def stand(fleet: Fleet, **options: Any) -> Wire:
            return stack.enter_context(at(stack.enter_context(Wire(fleet, **options))))

        yield stand


def with_profiles(folder: Path, patch: pytest.MonkeyPatch, profiles: Mapping[str, str]) -> None:
    """Profiles by their access keys, in files of the test's own; the environment's keys are gone."""
    config, credentials = folder / "config", folder / "credentials"
    config.write_text("".join(f"[profile {name}]\nregion = {REGION}\n" for name in profiles), encoding="utf-8")
    credentials.write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = wire\n" for name, key in profiles.items()
        ),
        encoding="utf-8",
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.delenv(name)
    patch.setenv("AWS_CONFIG_FILE", str(config))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))


class Listed:
    """What `ls` said, and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *words: str) -> None:
        self.status = main(["ls", *words])
        self.out, self.err = capsys.readouterr()

    @property
    def nodes(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = json.loads(self.out)
        return nodes


def facts(node: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Some of what is told of a node."""
    return {name: node[name] for name in names}
