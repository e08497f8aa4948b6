"""How the profiles of AWS's files sign in, told without a secret; and files that nobody can read."""

from __future__ import annotations

from pathlib import Path

import pytest
from moto.iam.utils import generate_access_key_id_from_account_id

from ssm_tui.aws.profiles import read_profiles
from ssm_tui.domain.accounts import Profile

SECRET = "wJalrXUtnFEMI/K7MDENG/never-looked-at"
KEY = generate_access_key_id_from_account_id("444444444444", "AKIA")
CONFIG = f"""
[default]
region = eu-west-1

[profile sso]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Admin
region = ap-northeast-2

[sso-session corp]
sso_start_url = https://corp.example/start
sso_region = us-east-1

[profile old-sso]
sso_start_url = https://corp.example/start
sso_region = us-east-1
sso_account_id = 111111111112
sso_role_name = ReadOnly

[profile assumed]
role_arn = arn:aws:iam::222222222222:role/team/reader
source_profile = default

[profile guarded]
role_arn = arn:aws:iam::222222222222:role/admin
source_profile = sso
mfa_serial = arn:aws:iam::111111111111:mfa/me

[profile on-ec2]
role_arn = arn:aws-cn:iam::333333333333:role/worker
credential_source = Ec2InstanceMetadata

[profile web]
role_arn = arn:aws:iam::333333333333:role/ci
web_identity_token_file = /var/run/token

[profile process]
credential_process = /opt/keys --token {SECRET}

[profile console]
login_session = arn:aws:iam::555555555555:user/me

[profile old-key]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = {SECRET}

[profile "two words"]
aws_access_key_id = {KEY}
aws_secret_access_key = {SECRET}
aws_session_token = {SECRET}
"""
CREDENTIALS = f"""
[static]
aws_access_key_id = {KEY}
aws_secret_access_key = {SECRET}
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ACCESS_KEY_ID", "PROFILE", "DEFAULT_PROFILE", "REGION", "DEFAULT_REGION", "SESSION_TOKEN"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "credentials").write_text(CREDENTIALS, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def test_each_way_to_sign_in_in_plain_words(files: Path) -> None:
    told = read_profiles()
    assert told.problem is None
    assert told.found == (
        Profile("default", "EC2's or ECS's metadata, or the environment", region="eu-west-1"),
        Profile("sso", "IAM Identity Center, session corp", "111111111111", "Admin", "ap-northeast-2"),
        Profile("old-sso", "IAM Identity Center", "111111111112", "ReadOnly"),
        Profile("assumed", "assumes reader from default", "222222222222", "reader"),
        Profile("guarded", "assumes admin from sso, with MFA", "222222222222", "admin"),
        Profile("on-ec2", "assumes worker by EC2's metadata", "333333333333", "worker"),
        Profile("web", "assumes ci by a web identity", "333333333333", "ci"),
        Profile("process", "a program of yours (credential_process)"),
        Profile("console", "aws login", "555555555555", "me"),
        Profile("old-key", "access key"),
        Profile("two words", "access key with a session token", "444444444444"),
        Profile("static", "access key", "444444444444"),
    )


def test_nothing_secret_comes_out(files: Path) -> None:
    assert SECRET not in repr(read_profiles())
    assert KEY not in repr(read_profiles())


def test_the_environments_keys_are_a_choice_too(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    first = read_profiles().found[0]
    assert first == Profile(None, "the environment's access key", "444444444444", region="us-west-2")
    assert first.label == "default"


def test_a_profile_that_is_missing_does_not_keep_the_others_from_being_listed(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    assert len(read_profiles().found) == 12


@pytest.mark.parametrize(
    "data",
    [
        b"role_arn = before any section\n",
        b"\xff\xfe\x00",
        b"[profile a]\n[profile a\nx\n",
        b"[profile a]\nregion = us-east-1\nnested =\n  no equals sign\n",
    ],
)
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_files_that_cannot_be_read_are_one_line_and_a_hint(files: Path, name: str, data: bytes) -> None:
    (files / name).write_bytes(data)
    told = read_profiles()
    assert told.found == ()
    assert told.problem is not None
    assert name in told.problem.message
    assert told.problem.hint
    assert "\n" not in told.problem.message


@pytest.mark.parametrize(
    "data", [b"", b'[profile "open]\nregion = x\n', b"[profile a]\ns3 =\n  x = 1\nrole_arn = no-arn\n"]
)
def test_files_that_are_odd_are_no_failure(files: Path, data: bytes) -> None:
    (files / "config").write_bytes(data)
    told = read_profiles()
    assert told.problem is None
    assert told.found[-1].name == "static"


def test_no_files_at_all(files: Path) -> None:
    (files / "config").unlink()
    (files / "credentials").unlink()
    assert read_profiles().found == ()
