"""A token and a password on their way to the clipboard and to clients, by the interface and by commands; afterwards
they are looked for on all screens, in every process and in every file, and found nowhere but where they were to be."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssm_tui.demo.runner import DemoProcess
from tests.demo_cloud import administrator_of
from tests.e2e.conftest import BARE_PATH, Laptop, make_laptop, own_port
from tests.e2e.secret_search import Watch
from tests.e2e.terminal import Terminal
from tests.e2e.test_tui import listed, select

pytestmark = pytest.mark.e2e

CLIENT = "the-client"
# As psql it is given libpq's keywords, as a command nothing: libpq then looks into the environment.
PROGRAM = f"""#!{sys.executable}
import sys, psycopg
with psycopg.connect(sys.argv[1] if len(sys.argv) > 1 else "") as connection:
    row = connection.execute("select current_user").fetchone()
    print("logged in as", row[0], "by", connection.info.get_parameters()["sslmode"], flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def laptop(demo_cloud: DemoProcess, tmp_path: Path) -> Laptop:
    """With a database client of its own on PATH, temporary files at home, and a pause after every start of one."""
    programs = tmp_path / CLIENT
    programs.mkdir()
    (programs / "psql").write_text(PROGRAM, encoding="utf-8")
    (programs / "psql").chmod(0o755)
    folder = tmp_path / "temporary"
    folder.mkdir()
    environment = {**demo_cloud.environment, "TMPDIR": str(folder), "TMP": str(folder), "TEMP": str(folder)}
    return make_laptop(environment, tmp_path, f"{programs}:{BARE_PATH}")


@pytest.fixture
def watch(laptop: Laptop) -> Watch:
    return Watch(laptop.home, laptop.mark, f"{CLIENT}/psql")


@pytest.fixture
def password(demo_cloud: DemoProcess) -> str:
    """The one that RDS manages for `ledger`."""
    admin = administrator_of(demo_cloud)
    try:
        (ledger,) = admin.client("rds").describe_db_instances(DBInstanceIdentifier="ledger")["DBInstances"]
        arn = ledger["MasterUserSecret"]["SecretArn"]
        text = admin.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    finally:
        admin.close()
    return str(json.loads(text)["password"])


def signatures(watch: Watch) -> list[str]:
    """Of the tokens that clients were given: what is secret of them."""
    told = b"\0".join(process.environment for process in watch.clients())
    return [found.decode() for found in set(re.findall(rb"X-Amz-Signature=([0-9a-f]{64})", told))]


class Seen(Terminal):
    """A terminal whose every screen is kept."""

    watch: Watch

    def read(self, patience: float) -> bool:
        came = super().read(patience)
        if came and (not self.watch.screens or self.watch.screens[-1] != self.text):
            self.watch.screens.append(self.text)
        return came


def seen(laptop: Laptop, watch: Watch) -> Seen:
    words = [sys.executable, "-m", "ssm_tui", "--config", str(settings(laptop))]
    terminal = Seen(words, laptop.environment, columns=140, rows=40)
    terminal.watch = watch
    return terminal


def settings(laptop: Laptop) -> Path:
    file = laptop.home / "settings.toml"
    file.write_text("client_linger_seconds = 0\n", encoding="utf-8")
    return file


def copied(terminal: Terminal) -> list[str]:
    """What the terminal was asked to put into the clipboard (OSC 52)."""
    return [base64.b64decode(text).decode() for text in re.findall(rb"\x1b\]52;c;([^\x07]*)\x07", bytes(terminal.raw))]


def choose(terminal: Terminal, label: str) -> None:
    terminal.send("y")
    terminal.wait_for("─ Copy · ")
    found = re.search(rf"(\d) {label} ", terminal.text)
    assert found is not None, terminal.text
    terminal.send(found[1])


def until_sampled(watch: Watch, count: int) -> None:
    """The client was seen by the watch while it lives."""
    while len(watch.clients()) < count:
        watch.look()


def test_by_the_interface(laptop: Laptop, watch: Watch, password: str) -> None:
    with watch.watching(), seen(laptop, watch) as terminal:
        listed(terminal)
        terminal.send("2")
        terminal.wait_for("orders-proxy")
        select(terminal, "orders")
        choose(terminal, "token")
        terminal.wait_for("Log in as")
        terminal.send("enter")
        terminal.wait_for("The token of orders_iam for orders")
        terminal.send("c")
        terminal.wait_for("How shall psql log in to orders?")
        terminal.send("t")
        terminal.wait_for("Log in as")
        terminal.send("enter")
        terminal.wait_for("logged in as orders_iam by verify-full")
        until_sampled(watch, 1)
        terminal.send("enter")
        terminal.wait_for("orders stopped; its port is free.")

        terminal.send("up")
        terminal.wait_for("▌ ledger")
        choose(terminal, "password")
        terminal.wait_for("The password of ledger for ledger")
        terminal.send("c")
        terminal.wait_for("How shall psql log in to ledger?")
        terminal.send("s")
        terminal.wait_for("logged in as ledger by verify-full")
        until_sampled(watch, 2)
        terminal.send("enter")
        terminal.wait_for("ledger stopped; its port is free.")
        terminal.send("q")
        assert terminal.wait_end() == 0
        lent = copied(terminal)
    assert lent[1] == password
    assert "X-Amz-Signature=" in lent[0]
    tokens = [*signatures(watch), lent[0].rpartition("X-Amz-Signature=")[2]]
    assert len(tokens) >= 2  # those of one second are the same
    was_looked_at(watch, laptop)
    assert watch.findings([password, *tokens]) == []


def test_by_commands(laptop: Laptop, watch: Watch, password: str) -> None:
    client = str(laptop.home / CLIENT / "psql")
    for database, means, user in (("orders", "token", "orders_iam"), ("ledger", "secret", "ledger")):
        with watch.watching():
            words = ["tunnel", database, "--local-port", own_port(), "--password", means, "--exec", "--", client]
            with subprocess.Popen(
                [sys.executable, "-m", "ssm_tui", *words],
                env=dict(laptop.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as process:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert line == f"logged in as {user} by verify-full\n", process.communicate(timeout=60)
                until_sampled(watch, 1)
                out, err = process.communicate("\n", timeout=60)
                watch.screens += [line, out, err]
                assert process.returncode == 0
    (token,) = signatures(watch)
    was_looked_at(watch, laptop)
    assert watch.findings([password, token]) == []


def test_what_a_command_itself_leaves_is_found(laptop: Laptop, watch: Watch) -> None:
    """The search of the other tests, where there is something to be found."""
    client = laptop.home / CLIENT / "psql"
    leak = f'printf %s "$DATABASE_URL" > "$HOME/left"; exec {client}'
    with watch.watching():
        laptop.run(
            "tunnel", "orders", "--local-port", own_port(), "--password", "token", "--exec", "--", "sh", "-c", leak
        )
    (token,) = signatures(watch)
    assert watch.findings([token]) == ["secret 0 in left"]


def was_looked_at(watch: Watch, laptop: Laptop) -> None:
    """Nothing is found where nothing is looked at."""
    logs = [file for file in laptop.home.rglob("ssm-tui.log") if file.stat().st_size]
    assert logs
    assert watch.clients()
    assert any(b"session" in each.argv for each in watch.processes), "the sessions' own processes were seen"
    assert watch.screens


PLANTED = "f3a9c1d07b5e42688d90aa17c6e4b2539bd1f6027ce84a13b0d95c7e6f281a34"


def _file(watch: Watch) -> None:
    (watch.home / "deep").mkdir()
    (watch.home / "deep" / ".hidden").write_bytes(b"\0before" + PLANTED.encode() + b"after")


def _coded_file(watch: Watch) -> None:
    (watch.home / "coded").write_bytes(base64.b64encode(b'{"password": "' + PLANTED.encode() + b'"}'))


def _screen(watch: Watch) -> None:
    watch.screens.append(f"│ the password is {PLANTED[:20]} │\n│ {PLANTED[20:]}   │")


def _started(watch: Watch, words: list[str], **variables: str) -> None:
    name, _, value = watch.mark.partition("=")
    sleeper = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", *words]
    with subprocess.Popen(
        sleeper, env={**os.environ, name: value, **variables}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        watch.look()
        process.communicate(timeout=30)


def _argv(watch: Watch) -> None:
    _started(watch, [f"--password={PLANTED}"])


def _environment(watch: Watch) -> None:
    _started(watch, ["x"], DATABASE_URL=f"postgresql://app:{PLANTED}@h/d")


@pytest.mark.parametrize("plant", [_file, _coded_file, _screen, _argv, _environment])
def test_the_search_finds_what_is_there(tmp_path: Path, plant: Callable[[Watch], None]) -> None:
    watch = Watch(tmp_path, f"PLANTED_BY={tmp_path}", f"{CLIENT}/psql")
    watch.look()
    assert watch.findings([PLANTED]) == []
    plant(watch)
    assert len(watch.findings([PLANTED])) == 1


def test_a_clients_own_environment_is_where_it_may_be_and_its_argv_is_not(tmp_path: Path) -> None:
    watch = Watch(tmp_path, f"PLANTED_BY={tmp_path}", f"{CLIENT}/psql")
    _started(watch, [f"/x/{CLIENT}/psql"], PGPASSWORD=PLANTED)
    assert watch.findings([PLANTED]) == []
    _started(watch, [f"/x/{CLIENT}/psql", PLANTED])
    assert watch.findings([PLANTED]) == ["secret 0 in the argv of a process"]
