"""The MySQL that has no tables: real clients log in with TLS, passwords and tokens, or are refused in MySQL's words."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
from pymysql.constants import CLIENT
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from ssm_tui.demo.servers import Authority, Far, Fronts, MySql, Terms, Tls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOST = "billing.c9akciq32rmz.us-east-1.rds.amazonaws.com"
BILLING = Far(
    HOST, 3306, "mysql", "123456789012", "us-east-1", "10.2.4.17", Terms(Tls.OFFERED, "db-ABC", version="8.0.39")
)
PASSWORD = "s'ecret"


def _admits(far: Far, user: str, token: str) -> bool:
    return token == f"token of {user} for {far.host}:{far.port}"


@dataclass
class World:
    fronts: Fronts
    authority: Authority
    bundle: Path

    async def address(self, far: Far) -> tuple[str, int]:
        found = await asyncio.to_thread(self.fronts.address, far)
        assert found is not None
        return found

    async def query(self, far: Far, statement: str, *, tls: str = "", **chosen: Any) -> tuple[Any, ...]:
        """The first row, by PyMySQL; `tls` is the file of the authorities to trust."""
        host, port = await self.address(far)
        settings = {"user": "app", "password": PASSWORD, "database": "billing"} | chosen
        if tls:
            context = ssl.create_default_context(cafile=tls)
            context.check_hostname = False  # it would look for the loopback's name
            settings |= {"ssl": context}
        else:
            settings |= {"ssl_disabled": True}

        def ask() -> tuple[Any, ...]:
            with pymysql.connect(host=host, port=port, **settings) as connection, connection.cursor() as cursor:
                cursor.execute(statement)
                row: tuple[Any, ...] = cursor.fetchone()
                return row

        return await asyncio.to_thread(ask)


@pytest.fixture
async def world(folder: Path) -> AsyncIterator[World]:
    authority = Authority(folder)
    fronts = Fronts({"mysql": MySql({"app": PASSWORD}, {"billing_iam"}, authority, _admits)})
    fronts.start()
    (folder / "bundle.pem").write_bytes(authority.bundle)
    yield World(fronts, authority, folder / "bundle.pem")
    await fronts.stop()


async def test_a_password_logs_in_with_and_without_tls(world: World) -> None:
    who = "SELECT CURRENT_USER(), DATABASE(), @@version AS v, 'it''s', 1, NULL"
    expected = ("app@%", "billing", "8.0.39", "it's", "1", None)
    assert await world.query(BILLING, who) == expected
    assert await world.query(BILLING, who, tls=str(world.bundle)) == expected
    assert (await world.query(BILLING, "SHOW STATUS LIKE 'Ssl_cipher'"))[1] == ""
    assert (await world.query(BILLING, "SHOW STATUS LIKE 'Ssl_cipher'", tls=str(world.bundle)))[1]


async def test_who_is_not_let_in(world: World, folder: Path) -> None:
    denied = r"1045.*Access denied for user '{}'@'10\.2\.4\.17' \(using password: {}\)"
    for user, password, said in (("app", "wrong", "YES"), ("app", "", "NO"), ("nobody", PASSWORD, "YES")):
        with pytest.raises(pymysql.OperationalError, match=denied.format(user, said)):
            await world.query(BILLING, "SELECT 1", user=user, password=password)
    strict = replace(BILLING, terms=Terms(Tls.REQUIRED))
    with pytest.raises(pymysql.OperationalError, match=r"3159.*require_secure_transport=ON"):
        await world.query(strict, "SELECT 1")
    assert await world.query(strict, "SELECT 1", tls=str(world.bundle)) == ("1",)
    (folder / "wrong.pem").write_bytes(Authority(folder).bundle)
    with pytest.raises(pymysql.OperationalError, match="certificate verify failed"):
        await world.query(BILLING, "SELECT 1", tls=str(folder / "wrong.pem"))


async def test_a_token_logs_in_within_tls(world: World) -> None:
    named = {"user": "billing_iam", "password": f"token of billing_iam for {HOST}:3306"}
    assert await world.query(BILLING, "SELECT USER()", tls=str(world.bundle), **named) == ("billing_iam@10.2.4.17",)
    wrong = named | {"password": "no token"}
    for tls, login in ((str(world.bundle), wrong), ("", named)):
        with pytest.raises(pymysql.OperationalError, match="1045"):
            await world.query(BILLING, "SELECT 1", tls=tls, **login)


async def test_the_certificate_names_the_endpoint(world: World) -> None:
    """What VERIFY_IDENTITY looks at, by a client that is told whom it wants to reach."""
    host, port = await world.address(BILLING)

    def names(expected: str) -> None:
        context = ssl.create_default_context(cafile=str(world.bundle))
        with socket.create_connection((host, port), timeout=20) as connection:
            connection.recv(4096)
            flags = CLIENT.SSL | CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION
            asks = flags.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\xff" + bytes(23)
            connection.sendall(len(asks).to_bytes(3, "little") + b"\x01" + asks)
            with context.wrap_socket(connection, server_hostname=expected) as encrypted:
                assert encrypted.version() in ("TLSv1.2", "TLSv1.3")

    await asyncio.to_thread(names, HOST)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await asyncio.to_thread(names, "other.example")


async def test_sqlalchemy_connects_as_it_always_does(world: World) -> None:
    host, port = await world.address(BILLING)
    url = URL.create(
        "mysql+pymysql",
        "app",
        PASSWORD,
        host,
        port,
        "billing",
        {"ssl_ca": str(world.bundle), "ssl_check_hostname": "false"},
    )

    def ask() -> Any:
        engine = create_engine(url)
        with engine.connect() as connection:
            return connection.execute(text("SELECT 1")).scalar_one()

    assert await asyncio.to_thread(ask) == "1"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT * FROM invoices", 1235),
        ("SELECT 1, (SELECT 2)", 1235),
        ("DROP TABLE invoices", 1235),
        ("SELECT @@nothing_like_it", 1193),
        ("SELECT SLEEP()", 1305),
    ],
)
async def test_what_it_does_not_know_is_an_error_and_not_the_end(world: World, statement: str, code: int) -> None:
    host, port = await world.address(BILLING)

    def ask() -> tuple[Any, ...]:
        login = {"user": "app", "password": PASSWORD, "ssl_disabled": True}
        with pymysql.connect(host=host, port=port, **login) as connection, connection.cursor() as cursor:
            with pytest.raises(pymysql.MySQLError, match=str(code)):
                cursor.execute(statement)
            connection.ping()
            connection.select_db("other")
            cursor.execute("SELECT DATABASE()")
            row: tuple[Any, ...] = cursor.fetchone()
            return row

    assert await asyncio.to_thread(ask) == ("other",)


@pytest.mark.parametrize("said", [b"\x01\0\0\x01x", b"\x05\0\0\x01\x00\x02\0\0\0", b"GET / HTTP/1.1\r\n\r\n", b""])
async def test_what_is_no_client_is_sent_away(world: World, said: bytes) -> None:
    reader, writer = await asyncio.open_connection(*await world.address(BILLING))
    assert b"8.0.39\0" in await reader.readuntil(b"caching_sha2_password\0")
    writer.write(said)
    if writer.can_write_eof():
        writer.write_eof()
    with contextlib.suppress(ConnectionResetError):  # bytes that nobody wanted to read
        rest = await asyncio.wait_for(reader.read(), 20)
        assert rest == b"" or b"Bad handshake" in rest
    writer.close()
