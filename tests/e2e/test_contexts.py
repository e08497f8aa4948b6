"""Two profiles of which one is broken, in a real terminal: picked, read beside each other, there at the next start."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Laptop
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def files(laptop: Laptop) -> Laptop:
    """A laptop whose keys stand in its AWS files; those of `gone` are nobody's."""
    environment = dict(laptop.environment)
    folder = laptop.home / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        "[profile work]\nregion = ap-northeast-2\n[profile gone]\nregion = ap-northeast-2\n", encoding="utf-8"
    )
    (folder / "credentials").write_text(
        f"[work]\naws_access_key_id = {environment.pop('AWS_ACCESS_KEY_ID')}\n"
        f"aws_secret_access_key = {environment.pop('AWS_SECRET_ACCESS_KEY')}\n"
        "[gone]\naws_access_key_id = AKIAZZZZZZZZZZZZZZZZ\naws_secret_access_key = x\n",
        encoding="utf-8",
    )
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"):
        environment.pop(name, None)
    return Laptop(laptop.home, environment, laptop.mark)


def leave(terminal: Terminal) -> None:
    terminal.send("q")
    assert terminal.wait_end() == 0


def test_a_broken_profile_beside_a_good_one_and_the_choice_at_the_next_start(files: Laptop) -> None:
    with files.terminal("-p", "work", columns=150) as terminal:
        terminal.wait_for("work·ap-northeast-2 (ssm-tui-demo) ● fresh")
        terminal.send("p")
        terminal.wait_for(lambda screen: "↵ opens only work" in screen and "access key" in screen)
        terminal.send("gone")
        terminal.wait_for("↵ opens only gone")
        terminal.send(" ")
        terminal.wait_for("↵ opens the 2 marked")
        terminal.send("enter")
        screen = terminal.wait_for("gone·ap-northeast-2 ✗ failed")
        assert "work·ap-northeast-2" in screen
        terminal.wait_for("does not accept the credentials of profile 'gone'")
        terminal.send("c")
        terminal.wait_for("2 contexts: 1 fresh, 1 failed")
        terminal.send("escape")
        terminal.wait_for(lambda screen: "2 contexts" not in screen)
        leave(terminal)
    with files.terminal("-p", "work", columns=150) as terminal:
        screen = terminal.wait_for("gone·ap-northeast-2 ✗ failed")
        terminal.wait_for("work·ap-northeast-2 (ssm-tui-demo) ● fresh")
        terminal.send("p")
        terminal.wait_for("↵ opens only")
        terminal.send("\x1b[H")
        terminal.wait_for("↵ opens as started")
        terminal.send("enter")
        terminal.wait_for(lambda screen: "gone·" not in screen and "● fresh" in screen)
        leave(terminal)
    assert "AKIA" not in (files.home / ".local" / "state" / "ssm-tui" / "contexts.json").read_text(encoding="utf-8")


def test_all_regions_at_once(files: Laptop) -> None:
    with files.terminal("-p", "work", "-r", "us-east-1") as terminal:
        terminal.wait_for("work·us-east-1")
        terminal.send("P")
        terminal.wait_for("US East (N. Virginia)")
        terminal.send("seoul")
        terminal.wait_for("↵ opens only ap-northeast-2")
        terminal.send("enter")
        terminal.wait_for(lambda screen: "work·ap-northeast-2" in screen and "legacy-batch-1" in screen)
        terminal.send("P")
        terminal.wait_for("Asia Pacific (Seoul)")
        terminal.send("\x1b[H", "down")
        terminal.wait_for("↵ opens all of them")
        terminal.send("enter")
        terminal.wait_for(lambda screen: "contexts:" in screen and "reading" not in screen.splitlines()[0])
        leave(terminal)
