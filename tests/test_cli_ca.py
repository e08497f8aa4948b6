"""`ssm-tui ca fetch`: a program that brings certificates here, after which connection strings name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssm_tui.cli import main
from ssm_tui.commands.program import Program
from ssm_tui.config import load, paths
from tests.builders import database
from tests.https_server import certificate, served


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("SSM_TUI_CA_BUNDLE", raising=False)
    monkeypatch.chdir(tmp_path)


def test_strings_name_what_was_brought_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = Program(load())
    shown = program.handout("psql", None).lines(database(), 5432, "")
    assert "sslmode=require" in shown[0]
    assert "ssm-tui ca fetch" in shown[1]
    with served(tmp_path, certificate()[0]) as (url, pem):
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert main(["ca", "fetch", "--url", url]) == 0
    out, err = capsys.readouterr()
    assert out == f"{paths().ca_bundle}\n"
    assert err.startswith("ssm-tui: 1 certificates")
    text, said = program.handout("psql", None).lines(database(), 5432, "")
    assert f"sslmode=verify-full sslrootcert={paths().ca_bundle}" in text
    assert "names the endpoint" in said


def test_what_goes_wrong_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ca", "fetch", "--url", "https://127.0.0.1:9/"]) == 1
    message, hint = capsys.readouterr().err.splitlines()
    assert "was not reached" in message
    assert hint.startswith("  ")
    assert not paths().ca_bundle.exists()
