"""The real AWS CLI with our plugin on PATH under its official name, against the demo cloud."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from ssm_tui.demo.runner import DemoProcess
from ssm_tui.sessions.prerequisites import plugin_on_path
from tests.demo_cloud import administrator_of
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop, own_port, port_is_free
from tests.e2e.terminal import Terminal, processes

pytestmark = pytest.mark.e2e
AWS = str(Path(sys.executable).with_name("aws"))


@pytest.fixture
def cli(demo_cloud: DemoProcess, tmp_path: Path) -> Laptop:
    """A laptop on which `session-manager-plugin` is ours."""
    path = plugin_on_path(tmp_path / "bin").split(":")[0]
    return make_laptop(demo_cloud.environment, tmp_path, f"{path}:{BARE_PATH}")


def test_a_shell(cli: Laptop, demo_cloud: DemoProcess) -> None:
    ec2 = administrator_of(demo_cloud).client("ec2")
    (found,) = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web-1"]}])["Reservations"]
    assert shutil.which("session-manager-plugin", path=cli.environment["PATH"])
    argv = [AWS, "ssm", "start-session", "--target", found["Instances"][0]["InstanceId"]]
    with Terminal(argv, cli.environment) as terminal:
        terminal.wait_for("Starting session with SessionId:")
        terminal.wait_for("~]$")
        terminal.send("echo $((6*7))-far", "enter")
        terminal.wait_for("42-far")
        terminal.send("sh -c 'echo run''ning; exec sleep 1000'", "enter")
        terminal.wait_for("running\n")
        terminal.send("ctrl+c")
        terminal.send("exit", "enter")
        assert terminal.wait_end() == 0
        assert "Exiting session with sessionId:" in terminal.text
        assert "outdated" not in terminal.text
    assert not processes(cli.mark)


def test_a_database_through_a_relay(cli: Laptop) -> None:
    db = json.loads(cli.run("db", "-f", "id:orders", "--json").stdout)[0]
    parameters = {"host": [db["endpoint"]], "portNumber": [str(db["port"])], "localPortNumber": ["0"]}
    argv = [AWS, "ssm", "start-session", "--target", db["relay"], "--parameters", json.dumps(parameters)]
    argv += ["--document-name", "AWS-StartPortForwardingSessionToRemoteHost"]
    with Terminal(argv, cli.environment, columns=200) as terminal:
        screen = terminal.wait_for("Waiting for connections...")
        opened = re.search(r"Port (\d+) opened", screen)
        assert opened is not None
        port = int(opened[1])
        answer = cli.psql(port, "select 6 * 7", database=db["database"], user=db["user"])
        assert (answer.stdout.strip(), answer.stderr) == ("42", "")
        terminal.send("ctrl+c")
        assert terminal.wait_end() == 0
        assert "Terminate signal received, exiting." in terminal.text
        assert "non-zero" not in terminal.text
    assert port_is_free(port)
    assert not processes(cli.mark)


@pytest.mark.parametrize("launcher", ["aws", "direct"])
def test_ours_by_either_launcher(cli: Laptop, launcher: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'launcher = "{launcher}"\nplugin = "ours"\n', encoding="utf-8")
    cli = make_laptop(cli.environment, tmp_path, f"{Path(AWS).parent}:{BARE_PATH}")
    with cli.ready("--config", str(config), "tunnel", "orders", "--show", "url", "--local-port", own_port()) as (
        process,
        port,
    ):
        assert process.stdout is not None
        query = "?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert="
        assert f":{port}/orders{query}" in process.stdout.readline()
        launched = any("start-session" in line for line in processes(cli.mark))
        assert launched is (launcher == "aws")
        answer = cli.psql(port, "select 1", database="orders", user="app")
        assert answer.stdout.strip() == "1", answer.stderr
    assert port_is_free(port)
    assert not processes(cli.mark)
