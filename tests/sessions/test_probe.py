"""A probe believes what only the far server can have said."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ssm_tui.domain.databases import Family
from ssm_tui.domain.tunnels import TunnelRequest
from ssm_tui.sessions.probe import SSL_REQUEST, Reached, client_hello, probe, spoken
from tests.builders import SEOUL, database
from tests.sessions.servers import Handler, server

PATIENCE = 10.0
ASKED = [Family.POSTGRES, Family.REDIS, Family.HTTPS]
KNOWN = [*ASKED, Family.MYSQL]


async def look(family: Family, port: int, *, patience: float = PATIENCE, quiet: float = PATIENCE) -> Reached:
    return await probe(family, "127.0.0.1", port, patience, quiet)


def answers(expected: bytes, answer: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(len(expected)) == expected:
            writer.write(answer)
        await reader.read()

    return handle


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Leaves at once."""


@pytest.mark.parametrize(
    ("family", "expected", "answer"),
    [
        (Family.POSTGRES, SSL_REQUEST, b"N"),
        (Family.REDSHIFT, SSL_REQUEST, b"S"),
        (Family.MYSQL, b"", b"\x4a\x00\x00\x00\x0a8.4.5"),
        (Family.REDIS, b"PING\r\n", b"-NOAUTH Authentication required.\r\n"),
        # TLS: a handshake record; and a server of the wrong kind answers as well as it can.
        (Family.HTTPS, b"\x16\x03", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ],
)
async def test_the_engines_own_answer_counts(family: Family, expected: bytes, answer: bytes) -> None:
    async with server(answers(expected, answer)) as port:
        assert await look(family, port) is Reached.YES


async def test_a_tls_server_answers_the_hello(tmp_path: Path) -> None:
    context = tls(tmp_path)

    def serve() -> type[Exception] | None:
        client, _ = listening.accept()
        try:
            context.wrap_socket(client, server_side=True).close()
        except (ssl.SSLError, OSError) as error:
            return type(error)
        finally:
            client.close()
        return None

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(asyncio.to_thread(serve))
        assert await look(Family.HTTPS, listening.getsockname()[1]) is Reached.YES
        assert await serving is not None, "the probe goes before there is a TLS session"


def tls(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "search")])
    noon = datetime.datetime(2026, 5, 4, 12, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(noon)
        .not_valid_after(noon + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "search.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_the_hello_is_one_whole_handshake_record() -> None:
    hello = client_hello()
    assert hello[0] == 22
    assert len(hello) == 5 + int.from_bytes(hello[3:5])
    assert hello[5] == 1


@pytest.mark.parametrize("family", KNOWN)
async def test_silence_of_an_engine_that_would_answer(family: Family) -> None:
    async with server(silent) as port:
        assert await look(family, port, patience=0.05) is Reached.SILENT


async def test_silence_of_an_unknown_engine_is_an_open_connection() -> None:
    async with server(silent) as port:
        assert await look(Family.OTHER, port, quiet=0.05) is Reached.YES


@pytest.mark.parametrize("family", Family)
async def test_a_close_without_a_word(family: Family) -> None:
    async with server(closes) as port:
        assert await look(family, port) is Reached.CLOSED


@pytest.mark.parametrize("family", Family)
async def test_a_port_that_refuses(family: Family) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            await look(family, unused.getsockname()[1])


@pytest.mark.parametrize(
    ("family", "tls", "beginning"),
    [
        (Family.REDIS, True, Family.HTTPS),
        (Family.MONGO, True, Family.HTTPS),
        (Family.REDIS, None, Family.REDIS),
        (Family.POSTGRES, True, Family.POSTGRES),
        (Family.MYSQL, True, Family.MYSQL),
    ],
)
def test_what_takes_tls_alone_is_begun_with_it(family: Family, tls: bool | None, beginning: Family) -> None:
    request = TunnelRequest(SEOUL, "i-1", 6379, family=family, database=database("carts", tls=tls))
    assert spoken(request) is beginning
    assert spoken(replace(request, database=None)) is family
