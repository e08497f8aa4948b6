"""Which command renews a profile's credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssm_tui.commands.sign_in import SignIns
from ssm_tui.errors import CredentialsError

CLI = '#!/bin/sh\necho "aws-cli/{version} Python/3.13.7 Linux/6.8"\n'
CONFIG = """
[default]
region = us-east-1
[profile sso]
sso_session = work
sso_account_id = 123456789012
sso_role_name = Developer
[sso-session work]
sso_region = us-east-1
sso_start_url = https://example.invalid/start
[profile old-sso]
sso_start_url = https://example.invalid/start
sso_region = us-east-1
[profile console]
login_session = arn:aws:iam::123456789012:user/kim
[profile role]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = sso
[profile circle]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = circle
[profile same-sso]
sso_session = work
[profile code]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = keys
mfa_serial = arn:aws:iam::123456789012:mfa/phone
[profile keys]
aws_access_key_id = AKIAEXAMPLE
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has the AWS files, and is all of PATH but what a shell script needs."""
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, version: str) -> None:
    """An AWS CLI that says it is of this version."""
    (folder / "aws").write_text(CLI.format(version=version), encoding="utf-8")
    (folder / "aws").chmod(0o755)


@pytest.mark.parametrize(
    ("profile", "words", "here"),
    [
        ("sso", ("sso", "login", "--profile", "sso"), True),
        ("old-sso", ("sso", "login", "--profile", "old-sso"), True),
        ("console", ("login", "--profile", "console"), False),
        ("role", ("sso", "login", "--profile", "sso"), True),
        ("circle", None, False),
        ("keys", None, False),
        ("code", None, False),
        ("nobody", None, False),
        (None, None, False),
    ],
)
def test_the_aws_clis_own_sign_in(profile: str | None, words: tuple[str, ...] | None, here: bool, folder: Path) -> None:
    install(folder, "2.31.0")
    way = SignIns().way(profile)
    assert (way.command and way.command.argv) == (words and (str(folder / "aws"), *words))
    assert way.here is here


@pytest.mark.parametrize("version", ["1.46.3", ""])
def test_an_aws_cli_that_cannot_sign_in_is_not_asked_to(version: str, folder: Path) -> None:
    install(folder, version)
    assert SignIns().way("sso").command is None
    assert SignIns().way("sso").here


def test_without_an_aws_cli_we_sign_in_ourselves(folder: Path) -> None:
    assert not (folder / "aws").exists()
    assert SignIns().way("sso") == SignIns().way("same-sso")
    assert SignIns().way("sso").here
    assert SignIns().way("console").command is None


def test_profiles_of_one_session_share_a_login_and_an_mfa_device_is_named(folder: Path) -> None:
    install(folder, "2.31.0")
    logins = {name: SignIns().way(name).login for name in ("sso", "same-sso", "role", "old-sso", "code", "keys")}
    assert logins["sso"] == logins["same-sso"] == logins["role"]
    assert len({logins["sso"], logins["old-sso"], logins["code"], logins["keys"]}) == 4
    assert SignIns().way("code").serial == "arn:aws:iam::123456789012:mfa/phone"


@pytest.mark.usefixtures("folder")
def test_a_profile_without_single_sign_on_begins_none() -> None:
    with pytest.raises(CredentialsError, match="has no single sign-on"):
        SignIns().begin("keys")
