"""Containers of ECS as nodes: a shell by ExecuteCommand, ports and databases by StartSession, as a person types it."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ssm_tui.demo.runner import DemoProcess
from ssm_tui.sessions.prerequisites import plugin_on_path
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop, own_port, port_is_free
from tests.e2e.terminal import processes

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def listed(demo_cloud: DemoProcess, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The containers as `ls` has them."""
    laptop = make_laptop(demo_cloud.environment, tmp_path_factory.mktemp("ls"), BARE_PATH)
    found: list[dict[str, Any]] = json.loads(laptop.run("ls", "-f", "kind:ecs", "--json").stdout)
    return found


@pytest.fixture(scope="module")
def online(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that can be entered."""
    return [each for each in listed if each["ping"] == "Online"]


@pytest.fixture
def one(online: list[dict[str, Any]]) -> dict[str, Any]:
    return online[0]


@pytest.fixture
def equipped(demo_cloud: DemoProcess, tmp_path: Path) -> Laptop:
    """A laptop with AWS's CLI, which is to be used, and our plugin under its official name."""
    path = plugin_on_path(tmp_path / "bin").split(":")[0]
    beside = Path(sys.executable).parent
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "aws").symlink_to(beside / "aws")
    settings = tmp_path / ".config" / "ssm-tui"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text('launcher = "aws"\n', encoding="utf-8")
    return make_laptop(demo_cloud.environment, tmp_path, f"{tmp_path / 'aws'}:{path}:{BARE_PATH}")


def enter(laptop: Laptop, target: str, address: str) -> None:
    """A shell in the container, to its own end and status."""
    with laptop.terminal("shell", target) as terminal:
        terminal.wait_for("Starting session with SessionId: ecs-execute-command-")
        terminal.send("hostname; echo $((6*7))-far", "enter")
        terminal.wait_for("42-far")
        assert f"ip-{address.replace('.', '-')}" in terminal.text
        terminal.send("exit 0", "enter")
        assert terminal.wait_end() == 0
    assert not processes(laptop.mark)


def test_a_shell_with_nothing_but_ours(laptop: Laptop, one: dict[str, Any]) -> None:
    enter(laptop, one["id"], one["ip"])


def test_a_shell_by_aws_cli(equipped: Laptop, one: dict[str, Any]) -> None:
    enter(equipped, one["id"], one["ip"])


def test_a_name_that_two_tasks_have_lists_them(laptop: Laptop, online: list[dict[str, Any]]) -> None:
    answer = laptop.run("shell", "shop-api/app")
    assert answer.returncode == 1
    assert all(each["id"] in answer.stderr for each in online)


def test_a_shell_where_ecs_exec_is_off_says_what_aws_says(laptop: Laptop) -> None:
    answer = laptop.run("shell", "shop-admin/app")
    assert answer.returncode == 1
    assert "--enable-execute-command" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_port_of_a_container(laptop: Laptop, one: dict[str, Any]) -> None:
    with (
        laptop.ready("forward", one["id"], "8080", "--local-port", own_port()) as (_, port),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer,
    ):
        assert f"ip-{one['ip'].replace('.', '-')}" in answer.read().decode()
    assert not processes(laptop.mark)


def test_a_database_through_a_container(laptop: Laptop, one: dict[str, Any]) -> None:
    with laptop.ready("tunnel", "orders", "--relay", one["id"], "--local-port", own_port()) as (_, port):
        answer = laptop.psql(port, "select 6 * 7", database="orders", user="app")
        assert (answer.stdout.strip(), answer.stderr) == ("42", "")
    assert port_is_free(port)
    assert not processes(laptop.mark)


def test_ssh_leaves_containers_out(laptop: Laptop, one: dict[str, Any]) -> None:
    assert "ecs:" not in laptop.run("ssh-config").stdout
    refused = laptop.run("proxy", one["id"], "22")
    assert refused.returncode == 1
    assert "is a container, which ssh does not reach" in refused.stderr


def test_no_desktop_and_no_unmanaged_without_a_word(listed: list[dict[str, Any]]) -> None:
    (off,) = (each for each in listed if each["ping"] == "Unmanaged")
    assert off["name"] == "shop-admin/app"
    (sentence,) = off["missing"]
    assert sentence.startswith("its task was started without ECS Exec: aws ecs update-service --cluster shop")


def test_in_the_list_a_shell_and_what_is_missing(laptop: Laptop) -> None:
    with laptop.terminal(columns=140) as terminal:
        terminal.wait_for(lambda screen: "● fresh" in screen and "s f r" in screen)
        terminal.send("/")
        terminal.send("kind:ecs")
        terminal.wait_for("2/49")
        terminal.send("enter")
        terminal.wait_for("$ aws ecs execute-command --cluster shop --task ")
        terminal.send("enter")
        terminal.wait_for("Starting session with SessionId: ecs-execute-command-")
        terminal.send("echo far-$((40+2))", "enter")
        terminal.wait_for("far-42")
        terminal.send("exit", "enter")
        terminal.wait_for(lambda screen: "2/49" in screen and "far-42" not in screen)
        terminal.send("a")
        terminal.wait_for("shop-admin/app")
        terminal.send("up", "up")
        terminal.wait_for("its task was started without ECS Exec")
        terminal.send("enter")
        terminal.wait_for("press Enter again to try anyway")
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert not processes(laptop.mark)
