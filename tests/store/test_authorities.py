"""Which files of certificates there are, and RDS's bundle brought here over HTTPS from a server on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssm_tui.errors import NetworkError, SsmTuiError
from ssm_tui.store.authorities import fetch, known
from tests.https_server import certificate, served


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
