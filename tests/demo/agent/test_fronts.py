"""What stands before the real servers: real clients log in with TLS, tokens and passwords, or are refused."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import stat
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis
from cryptography import x509
from redis.backoff import NoBackoff
from redis.retry import Retry

from ssm_tui.demo.servers import (
    Authority,
    CacheUser,
    Database,
    Far,
    Fronts,
    Postgres,
    PostgresFront,
    Redis,
    RedisFront,
    Terms,
    Tls,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.xdist_group("demo-fronts")  # one server for all

HOST = "orders.c9akciq32rmz.ap-northeast-2.rds.amazonaws.com"
ORDERS = Far(HOST, 5432, "postgres", "123456789012", "ap-northeast-2", "10.1.4.17", Terms(Tls.OFFERED, "db-ABC"))
CACHE = Far("master.carts.x.apn2.cache.amazonaws.com", 6379, "redis", "123456789012", "ap-northeast-2", "10.1.4.17")
PASSWORD = "s'ecret"


def _admits(far: Far, user: str, token: str) -> bool:
    return token == f"token of {user} for {far.host}:{far.port}"


@dataclass
class World:
    """The front of a server, and how to be its client."""

    fronts: Fronts
    bundle: Path
    open: list[psycopg.Connection[Any]] = field(default_factory=list)
    """The connections whose queries run."""

    async def query(
        self, far: Far, statement: str = "SELECT count(*) FROM orders", *, host: str = HOST, **chosen: Any
    ) -> list[tuple[Any, ...]]:
        """Rows, by libpq, as the tool has people connect through a tunnel."""
        address, port = await asyncio.to_thread(self._address, far)
        settings: dict[str, Any] = {
            "sslmode": "verify-full",
            "sslrootcert": str(self.bundle),
            "user": "app",
            "password": PASSWORD,
            "dbname": "orders",
            "connect_timeout": 20,
        }

        def ask() -> list[tuple[Any, ...]]:
            with psycopg.connect(host=host, hostaddr=address, port=port, **(settings | chosen)) as connection:
                assert connection.pgconn.ssl_in_use == (settings | chosen)["sslmode"].startswith(("verify", "require"))
                self.open.append(connection)
                try:
                    return connection.execute(statement.encode()).fetchall()
                finally:
                    self.open.remove(connection)

        return await asyncio.to_thread(ask)

    async def refusal(self, far: Far, **chosen: Any) -> str:
        with pytest.raises(psycopg.OperationalError) as caught:
            await self.query(far, **chosen)
        return str(caught.value)

    def _address(self, far: Far) -> tuple[str, int]:
        found = self.fronts.address(far)
        assert found is not None
        return found

    @asynccontextmanager
    async def redis(self, far: Far, **chosen: Any) -> AsyncIterator[redis.Redis]:
        host, port = await asyncio.to_thread(self._address, far)
        once = Retry(NoBackoff(), 0)
        with redis.Redis(host=host, port=port, decode_responses=True, retry=once, **chosen) as client:
            yield client


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One for all, with a database; what stands before it is each test's own."""
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory(prefix="ssm-tui-test-") as folder:
        server = Postgres(Path(folder) / "postgres")
        try:
            loop.run_until_complete(server.start())
            loop.run_until_complete(server.create(Database("orders", "app", PASSWORD, "orders_iam")))
            yield server
        finally:
            loop.run_until_complete(server.stop())
            loop.close()


@asynccontextmanager
async def _postgres(folder: Path, server: Postgres) -> AsyncIterator[World]:
    authority = Authority(folder)
    fronts = Fronts({"postgres": PostgresFront(lambda: server.address, server.token_secret, authority, _admits)})
    try:
        fronts.start()
        (folder / "bundle.pem").write_bytes(authority.bundle)
        yield World(fronts, folder / "bundle.pem")
    finally:
        await fronts.stop()


async def test_postgres_is_reached_with_its_name_verified_and_in_clear_where_it_may(
    folder: Path, server: Postgres
) -> None:
    async with _postgres(folder, server) as world:
        assert await world.query(ORDERS) == [(240,)]
        assert await world.query(ORDERS, sslmode="disable") == [(240,)]
        assert "does not match host name" in await world.refusal(ORDERS, host="other.example")
        (folder / "wrong.pem").write_bytes(Authority(folder).bundle)
        assert "certificate verify failed" in await world.refusal(ORDERS, sslrootcert=str(folder / "wrong.pem"))
        # More than one buffer, both ways.
        long = "SELECT length(string_agg(repeat(md5(i::text), 1000), '')) FROM generate_series(1, 100) i"
        assert await world.query(ORDERS, long) == [(3_200_000,)]
        assert len((await world.query(ORDERS, "SELECT repeat('x', 3000000)"))[0][0]) == 3_000_000
        never = replace(ORDERS, terms=Terms())
        assert "server does not support SSL" in await world.refusal(never, sslmode="require")
        assert await world.query(never, sslmode="prefer", host="127.0.0.1", statement="SELECT 1") == [(1,)]


async def test_postgres_that_insists_on_tls_refuses_others_by_name(folder: Path, server: Postgres) -> None:
    async with _postgres(folder, server) as world:
        strict = replace(ORDERS, terms=Terms(Tls.REQUIRED))
        assert await world.query(strict) == [(240,)]
        words = 'FATAL:  no pg_hba.conf entry for host "10.1.4.17", user "app", database "orders", no encryption'
        assert words in await world.refusal(strict, sslmode="disable")
        assert 'password authentication failed for user "app"' in await world.refusal(strict, password="wrong")


async def test_a_token_lets_its_user_in_within_tls_alone(folder: Path, server: Postgres) -> None:
    async with _postgres(folder, server) as world:
        token = f"token of orders_iam for {HOST}:5432"
        named = {"user": "orders_iam", "password": token}
        assert await world.query(ORDERS, "SELECT current_user", **named) == [("orders_iam",)]
        assert await world.query(ORDERS, **named) == [(240,)]
        failed = 'FATAL:  PAM authentication failed for user "orders_iam"'
        assert failed in await world.refusal(ORDERS, user="orders_iam", password=token + "x")
        assert failed in await world.refusal(ORDERS, user="orders_iam", password=PASSWORD)
        rejected = 'pg_hba.conf rejects connection for host "10.1.4.17", user "orders_iam", database "orders"'
        assert rejected in await world.refusal(ORDERS, sslmode="disable", **named)
        # A token is nobody's password where the server itself decides.
        assert "password authentication failed" in await world.refusal(ORDERS, password=token)


async def test_a_query_is_cancelled_through_the_front(folder: Path, server: Postgres) -> None:
    async with _postgres(folder, server) as world:
        sleeping = asyncio.create_task(world.query(ORDERS, "SELECT 'cancel me', pg_sleep(60)"))
        cancel = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT ''cancel%'"
        while await world.query(ORDERS, cancel) == [(0,)]:
            assert not sleeping.done()
        [connection] = world.open
        await asyncio.to_thread(connection.cancel_safe, timeout=20)
        with pytest.raises(psycopg.errors.QueryCanceled, match="due to user request"):
            await sleeping


async def test_what_is_no_client_of_postgres_is_left_without_an_answer(folder: Path, server: Postgres) -> None:
    async with _postgres(folder, server) as world:
        host, port = await asyncio.to_thread(world._address, ORDERS)
        for said in (b"\0\0\0\x04", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 8):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(said)
            with contextlib.suppress(ConnectionResetError):  # bytes that nobody wanted to read
                assert await asyncio.wait_for(reader.read(), 20) == b""
            writer.close()
        assert await world.query(ORDERS) == [(240,)]


async def test_the_end_takes_open_connections_along(folder: Path, server: Postgres) -> None:
    async with _postgres(folder, server) as world:
        host, port = await asyncio.to_thread(world._address, ORDERS)
        other = await asyncio.to_thread(world._address, replace(ORDERS, client="10.1.4.18"))
        assert other != (host, port)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(bytes.fromhex("00000008 04d2162f"))
        assert await reader.readexactly(1) == b"S"
        await world.fronts.stop()
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
        with socket.socket() as probe:
            assert probe.connect_ex((host, port)) != 0
        assert await asyncio.to_thread(world.fronts.address, replace(ORDERS, engine="oracle")) is None


def test_an_authority_names_one_server_a_certificate_and_leaves_no_key_behind(folder: Path) -> None:
    authority = Authority(folder)
    long = f"{'x' * 63}.{'y' * 63}.rds.amazonaws.com"
    assert authority.context(HOST) is authority.context(HOST)
    assert authority.context(HOST) is not authority.context(long)
    assert list(folder.iterdir()) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    own = x509.load_pem_x509_certificate(authority.bundle)
    assert own.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert b"PRIVATE" not in authority.bundle


@asynccontextmanager
async def _cache(folder: Path) -> AsyncIterator[World]:
    authority, server = Authority(folder), Redis()
    server.start()
    fronts = Fronts({"redis": RedisFront(server.address, authority, _admits)})
    try:
        fronts.start()
        (folder / "bundle.pem").write_bytes(authority.bundle)
        yield World(fronts, folder / "bundle.pem")
    finally:
        await fronts.stop()
        await asyncio.to_thread(server.stop)


def _verified(bundle: Path) -> dict[str, Any]:
    return {"ssl": True, "ssl_ca_certs": str(bundle), "ssl_cert_reqs": "required", "ssl_check_hostname": False}


async def test_a_cache_without_a_password_is_open_with_or_without_tls(folder: Path) -> None:
    async with _cache(folder) as world:
        async with world.redis(CACHE) as client:
            assert await asyncio.to_thread(client.get, "greeting") == "hello from the demo cloud"
        within = replace(CACHE, terms=Terms(Tls.REQUIRED))
        async with world.redis(within, **_verified(world.bundle)) as client:
            assert await asyncio.to_thread(client.get, "greeting") == "hello from the demo cloud"
        async with world.redis(within) as client:
            with pytest.raises(redis.ConnectionError):
                await asyncio.to_thread(client.ping)
        # The name is the endpoint's, not that of the loopback.
        address = await asyncio.to_thread(world._address, within)
        trusting = ssl.create_default_context(cafile=str(world.bundle))
        _, writer = await asyncio.open_connection(*address, ssl=trusting, server_hostname=CACHE.host)
        writer.close()
        await writer.wait_closed()
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await asyncio.open_connection(*address, ssl=trusting, server_hostname="other.example")


@pytest.mark.parametrize("protocol", [2, 3])
async def test_a_cache_with_a_password_answers_nobody_before(folder: Path, protocol: int) -> None:
    async with _cache(folder) as world:
        far = replace(CACHE, terms=Terms(Tls.REQUIRED, password=PASSWORD))
        within = {**_verified(world.bundle), "protocol": protocol}
        async with world.redis(far, password=PASSWORD, **within) as client:
            assert await asyncio.to_thread(client.hget, "session:1001", "user") == "mina"
        async with world.redis(far, password="wrong", **within) as client:
            with pytest.raises(redis.AuthenticationError, match="invalid username-password pair"):
                await asyncio.to_thread(client.ping)
        async with world.redis(far, **within) as client:
            with pytest.raises(redis.AuthenticationError, match=r"Authentication required|already authenticated"):
                await asyncio.to_thread(client.ping)


@pytest.mark.parametrize("protocol", [2, 3])
async def test_users_of_a_cache_may_what_their_access_says(folder: Path, protocol: int) -> None:
    reading = CacheUser("carts-reader", "reader", "on ~* +@read +@connection", by_token=False, passwords=(PASSWORD,))
    signing = CacheUser("carts-iam", "carts-iam", "on ~* +@all", by_token=True)
    async with _cache(folder) as world:
        far = replace(CACHE, terms=Terms(Tls.REQUIRED, "carts", users=(reading, signing)))
        within = {**_verified(world.bundle), "protocol": protocol}
        async with world.redis(far, username="reader", password=PASSWORD, **within) as client:
            assert await asyncio.to_thread(client.get, "greeting") == "hello from the demo cloud"
            with pytest.raises(redis.exceptions.NoPermissionError):
                await asyncio.to_thread(client.set, "greeting", "else")
        token = f"token of carts-iam for {CACHE.host}:6379"
        async with world.redis(far, username="carts-iam", password=token, **within) as client:
            assert await asyncio.to_thread(client.set, "by", "token") is True
        for user, password in (("carts-iam", "no token"), ("reader", token), ("nobody", PASSWORD)):
            async with world.redis(far, username=user, password=password, **within) as client:
                with pytest.raises(redis.AuthenticationError):
                    await asyncio.to_thread(client.ping)


async def test_commands_typed_by_hand_log_in_too(folder: Path) -> None:
    async with _cache(folder) as world:
        far = replace(CACHE, terms=Terms(password=PASSWORD))
        reader, writer = await asyncio.open_connection(*await asyncio.to_thread(world._address, far))
        writer.write(b"PING\r\nAUTH wrong\r\nAUTH s'ecret\r\n*1\r\n$4\r\nPING\r\n")
        said = [await asyncio.wait_for(reader.readline(), 20) for _ in range(4)]
        assert [line.split()[0] for line in said] == [b"-NOAUTH", b"-WRONGPASS", b"+OK", b"+PONG"]
        writer.close()
        reader, writer = await asyncio.open_connection(*await asyncio.to_thread(world._address, far))
        writer.write(b"*1\r\n$99999\r\n")
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
