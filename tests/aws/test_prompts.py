"""A role that wants an MFA code: nobody is asked under the interface, and the AWS CLI's own session is good enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.credentials import JSONFileCache
from botocore.session import Session

from ssm_tui.aws.live import AwsClouds
from ssm_tui.errors import CredentialsError
from tests.aws.conftest import REGION, Administrator, allow


@pytest.fixture
def profile(admin: Administrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile that assumes a role with MFA, in an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    source = admin.profile(allow("sts:AssumeRole"))
    role = admin.role_profile("/", allow("ssm:*"))
    with (tmp_path / "aws-config").open("a", encoding="utf-8") as file:
        file.write(
            f"[profile with-mfa]\nrole_arn = arn:aws:iam::123456789012:role/{role}\nsource_profile = {source}\n"
            "mfa_serial = arn:aws:iam::123456789012:mfa/phone\n"
        )
    return "with-mfa"


def test_nobody_is_asked_where_nobody_can_answer(profile: str) -> None:
    clouds = AwsClouds([profile], [REGION])
    with pytest.raises(CredentialsError, match="needs an MFA code") as caught:
        clouds.open(clouds.contexts()[0]).identify()
    assert "aws sts get-caller-identity --profile with-mfa" in caught.value.hint


def test_the_session_that_the_aws_cli_has_is_used_and_not_written(profile: str, tmp_path: Path) -> None:
    # As the AWS CLI does: the code is asked for once, and the session kept in its cache.
    cache = tmp_path / ".aws" / "cli" / "cache"
    theirs = Session(profile=profile)
    theirs.set_config_variable("region", REGION)
    provider = theirs.get_component("credential_provider").get_provider("assume-role")
    provider.cache, provider._prompter = JSONFileCache(str(cache)), lambda _question: "123456"
    theirs.create_client("sts", region_name=REGION).get_caller_identity()
    kept = {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}
    assert len(kept) == 1
    clouds = AwsClouds([profile], [REGION])
    assert ":assumed-role/" in clouds.open(clouds.contexts()[0]).identify().arn
    assert kept == {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}
