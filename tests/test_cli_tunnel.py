"""`tunnel` and `forward` as programs: the readiness line, the connection string, and how each signal ends them."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from ssm_tui.demo.runner import DemoProcess
from tests.demo_cloud import Caller


@contextmanager
def running(cloud: DemoProcess, home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """ssm-tui with these words, without an AWS CLI on PATH; ended at the end."""
    environment = {
        **os.environ,
        **cloud.environment,
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "ssm_tui", *words],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def test_ready_then_the_connection_string_that_was_asked_for(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    with running(demo_cloud, tmp_path, "tunnel", "orders", "--show", "libpq") as process:
        ready, shown = line(process), line(process)
        assert ready.startswith("ready 127.0.0.1:")
        assert f"hostaddr=127.0.0.1 port={ready.rsplit(':', 1)[1]} " in shown
        password = demo_cloud.environment["DEMO_DB_PASSWORD"]
        with psycopg.connect(shown, password=password) as connection:
            assert connection.info.get_parameters()["sslmode"] == "verify-full"
            assert connection.execute("select current_database()").fetchone() == ("orders",)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


@pytest.mark.parametrize(("name", "database"), [("catalog/analytics", "catalog"), ("orders-proxy/read-only", "orders")])
def test_an_endpoint_that_was_added_leads_to_its_database(
    demo_cloud: DemoProcess, tmp_path: Path, name: str, database: str
) -> None:
    with running(demo_cloud, tmp_path, "tunnel", name) as process:
        ready = line(process)
        assert ready.startswith("ready 127.0.0.1:")
        port, password = ready.rsplit(":", 1)[1], demo_cloud.environment["DEMO_DB_PASSWORD"]
        address = f"host=127.0.0.1 port={port} user=app dbname={database} sslmode=require"
        with psycopg.connect(address, password=password) as connection:
            assert connection.execute("select current_database()").fetchone() == (database,)


def test_a_serverless_cache_answers_within_tls(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    with running(demo_cloud, tmp_path, "tunnel", "carts", "--relay", "web-1", "--show", "url") as process:
        ready, url = line(process), line(process)
        assert ready.startswith("ready 127.0.0.1:")
        assert url.startswith("rediss://")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        port = int(ready.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), 20) as plain, context.wrap_socket(plain) as inside:
            inside.sendall(b"*1\r\n$4\r\nPING\r\n")
            assert inside.recv(16) == b"+PONG\r\n"


def test_a_database_of_the_settings_is_reached_through_the_node_that_they_name(
    demo_cloud: DemoProcess, tmp_path: Path
) -> None:
    environment = demo_cloud.environment
    caller = Caller(environment, environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    rds = caller.client("rds", "ap-northeast-2")
    host = rds.describe_db_instances(DBInstanceIdentifier="orders")["DBInstances"][0]["Endpoint"]["Address"]
    own = f'[databases.mine]\nhost = "{host}"\nengine = "postgres"\nrelay = "web-1"\nuser = "app"\ndatabase = "orders"'
    (tmp_path / ".ssm-tui.toml").write_text(own, encoding="utf-8")
    with running(demo_cloud, tmp_path, "tunnel", "mine") as process:
        ready = line(process)
        assert ready.startswith("ready 127.0.0.1:")
        address = (
            f"host={host} hostaddr=127.0.0.1 port={ready.rsplit(':', 1)[1]} user=app dbname=orders sslmode=require"
        )
        with psycopg.connect(address, password=environment["DEMO_DB_PASSWORD"]) as connection:
            assert connection.execute("select current_database()").fetchone() == ("orders",)


def test_an_entry_in_the_service_file_by_which_libpq_finds_the_tunnel(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    services = tmp_path / ".pg_service.conf"
    services.write_text("[mine]\nhost=elsewhere\n")
    with running(demo_cloud, tmp_path, "tunnel", "orders", "--write", "pg-service") as process:
        assert line(process).startswith("ready 127.0.0.1:")
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said == f"ssm-tui: orders is in {services}: psql service=orders\n"
        query = "import psycopg; print(psycopg.connect('service=orders').execute('select 42').fetchone())"
        password = demo_cloud.environment["DEMO_DB_PASSWORD"]
        asked = subprocess.run(
            [sys.executable, "-c", query],
            check=False,
            env={**os.environ, "HOME": str(tmp_path), "PGPASSWORD": password},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert asked.stdout == "(42,)\n", asked.stderr
    assert services.read_text().startswith("[mine]\nhost=elsewhere\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_ordered_end_is_a_good_one(demo_cloud: DemoProcess, tmp_path: Path, number: signal.Signals) -> None:
    with running(demo_cloud, tmp_path, "forward", "web-1", "7") as process:
        assert line(process).startswith("ready 127.0.0.1:")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_a_relay_that_is_denied(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    with running(demo_cloud, tmp_path, "tunnel", "orders", "--relay", "검색-index-1") as process:
        out, err = process.communicate(timeout=60)
    message, hint = err.splitlines()
    assert (process.returncode, out) == (1, "")
    assert "ssm:StartSession" in message
    assert "검색-index-1" in message
    assert "ask for" in hint


def test_an_unknown_format_lists_those_there_are(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    with running(demo_cloud, tmp_path, "tunnel", "billing", "--show", "psql") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "mysql" in err.splitlines()[1]


def test_a_whole_id_needs_no_listing(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    with running(demo_cloud, tmp_path, "shell", "i-00000000000000000") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "i-00000000000000000" in err.splitlines()[0]
