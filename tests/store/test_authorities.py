"""Which files of certificates there are, and RDS's bundle brought here over HTTPS from a server on this machine."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ssm_tui.errors import NetworkError, SsmTuiError
from ssm_tui.store.authorities import fetch, known


def certificate() -> tuple[bytes, bytes]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key, both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's own")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), private


@contextmanager
def served(tmp_path: Path, body: bytes, status: int = 200, location: str = "") -> Iterator[tuple[str, Path]]:
    """An HTTPS server that answers everything with this; its address, and the certificate it shows."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Nowhere."""

    public, private = certificate()
    shown = tmp_path / "server.pem"
    shown.write_bytes(public + private)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/bundle.pem", shown
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_bundle_is_brought_here_from_a_server_that_the_system_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = certificate()[0] + certificate()[0]
    place = tmp_path / "data" / "global-bundle.pem"
    with served(tmp_path, bundle) as (url, shown):
        with pytest.raises(NetworkError, match="certificate verify failed"):
            fetch(url, place)
        assert not place.exists()
        monkeypatch.setenv("SSL_CERT_FILE", str(shown))
        assert fetch(url, place) == 2
    assert place.read_bytes() == bundle
    assert known("", place).rds == str(place)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"<html>sign in to this wifi", 200, "no certificates"),
        (b"", 404, "404"),
        (b"x" * 5_000_000, 200, "large"),
    ],
)
def test_what_is_no_bundle_does_not_replace_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, status: int, said: str
) -> None:
    place = tmp_path / "global-bundle.pem"
    place.write_bytes(b"as it was")
    with served(tmp_path, body, status) as (url, shown):
        monkeypatch.setenv("SSL_CERT_FILE", str(shown))
        with pytest.raises(SsmTuiError, match=said):
            fetch(url, place)
    assert place.read_bytes() == b"as it was"


def test_only_https_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SsmTuiError, match="not an https address"):
        fetch("http://127.0.0.1:9/bundle.pem", tmp_path / "bundle")
    with served(tmp_path, b"", 302, "http://127.0.0.1:9/") as (url, shown):
        monkeypatch.setenv("SSL_CERT_FILE", str(shown))
        with pytest.raises(SsmTuiError):
            fetch(url, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(NetworkError) as raised:
        fetch("https://127.0.0.1:9/bundle.pem", tmp_path / "bundle")
    assert "ca_bundle" in raised.value.hint


def test_the_users_own_file_is_named_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert known("~/corp.pem", tmp_path / "none").own == str(tmp_path / "corp.pem")
    monkeypatch.chdir(tmp_path)
    assert known("corp.pem", tmp_path / "none").own == str(tmp_path / "corp.pem")
    assert known("", tmp_path / "none").own == ""


def test_a_bundle_that_somebody_has_put_at_a_usual_place_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    fetched = tmp_path / "data" / "global-bundle.pem"
    assert known("", fetched).rds == ""
    (tmp_path / "global-bundle.pem").touch()
    assert known("", fetched).rds == str(tmp_path / "global-bundle.pem")
    fetched.parent.mkdir()
    fetched.touch()
    assert known("", fetched).rds == str(fetched)


def test_the_systems_is_where_openssl_is_told_to_look(tmp_path: Path) -> None:
    (tmp_path / "system.pem").touch()
    assert known("", tmp_path, {"SSL_CERT_FILE": str(tmp_path / "system.pem")}).system == str(tmp_path / "system.pem")
