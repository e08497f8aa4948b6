"""Which command renews a profile's credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssm_tui.commands.sign_in import sign_in

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
[profile console]
login_session = arn:aws:iam::123456789012:user/kim
[profile role]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = sso
[profile circle]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = circle
[profile keys]
aws_access_key_id = AKIAEXAMPLE
"""


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("sso", ("sso", "login", "--profile", "sso")),
        ("old-sso", ("sso", "login", "--profile", "old-sso")),
        ("console", ("login", "--profile", "console")),
        ("role", ("sso", "login", "--profile", "sso")),
        ("circle", None),
        ("keys", None),
        ("nobody", None),
        (None, None),
    ],
)
def test_the_aws_clis_own_sign_in(
    profile: str | None, words: tuple[str, ...] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "aws").write_text("", encoding="utf-8")
    (tmp_path / "aws").chmod(0o755)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path))
    command = sign_in(profile)
    assert (command and command.argv) == (words and (str(tmp_path / "aws"), *words))
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert sign_in(profile) is None
