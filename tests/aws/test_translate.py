"""Every way in which botocore and AWS say no, as one line of message and one of hint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from ssm_tui.aws.translate import Request, answer_error, translated
from ssm_tui.domain.contexts import Context
from ssm_tui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    NetworkError,
    RegionError,
    RegionNotEnabledError,
    ThrottledError,
)

REQUEST = Request(Context("prod", "ap-northeast-2"), "ssm:StartSession", "i-1")
DENIED = (
    "User: arn:aws:iam::1:user/dev is not authorized to perform: ssm:StartSession on resource: "
    "arn:aws:ec2:ap-northeast-2:1:instance/i-1 because no identity-based policy allows the ssm:StartSession action"
)


def answered(code: str, message: str = "words") -> AwsError:
    return answer_error(REQUEST, {"Error": {"Code": code, "Message": message}})


@pytest.mark.parametrize(
    ("code", "kind", "word"),
    [
        ("AccessDeniedException", AccessDeniedError, "ssm:StartSession"),
        ("Client.UnauthorizedOperation", AccessDeniedError, "ssm:StartSession"),
        ("com.amazon.coral.service#AccessDeniedException", AccessDeniedError, "ssm:StartSession"),
        ("ExpiredTokenException", CredentialsError, "expired"),
        ("RequestExpired", CredentialsError, "expired"),
        ("UnrecognizedClientException", CredentialsError, "does not accept"),
        ("AuthFailure", CredentialsError, "does not accept"),
        ("ThrottlingException", ThrottledError, "fewer calls"),
        ("RequestLimitExceeded", ThrottledError, "fewer calls"),
        ("OptInRequired", RegionNotEnabledError, "ap-northeast-2"),
        ("TargetNotConnected", AwsError, "i-1 is not connected"),
        ("InvalidTarget", AwsError, "i-1"),
        ("SomethingNew", AwsError, "words"),
        ("", AwsError, "words"),
    ],
)
def test_answers(code: str, kind: type[AwsError], word: str) -> None:
    error = answered(code)
    assert type(error) is kind
    assert word in error.message
    assert "\n" not in error.message + error.hint


def test_a_refusal_names_action_resource_and_reason() -> None:
    error = answered("AccessDeniedException", DENIED)
    assert isinstance(error, AccessDeniedError)
    assert error.action == "ssm:StartSession"
    assert "instance/i-1" in error.message
    assert "no identity-based policy allows" in error.message
    assert "ask for a policy that allows ssm:StartSession" in error.hint


def test_an_explicit_deny_gets_another_hint() -> None:
    text = DENIED.replace(
        "because no identity-based policy allows the ssm:StartSession action",
        "with an explicit deny in an identity-based policy",
    )
    assert "forbids" in answered("AccessDenied", text).hint


def test_a_refused_call_of_another_service_keeps_its_own_action() -> None:
    text = (
        "User: arn:aws:iam::1:user/dev is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/x"
    )
    error = answered("AccessDenied", text)
    assert isinstance(error, AccessDeniedError)
    assert error.action == "sts:AssumeRole"


@pytest.mark.parametrize(
    ("raised", "kind", "word"),
    [
        (boto.NoCredentialsError(), CredentialsError, "no AWS credentials"),
        (boto.NoRegionError(), RegionError, "no region"),
        (boto.InvalidRegionError(region_name="a b"), RegionError, "not a region"),
        (boto.UnauthorizedSSOTokenError(), CredentialsError, "expired"),
        (boto.SSOTokenLoadError(error_msg="x"), CredentialsError, "expired"),
        (boto.TokenRetrievalError(provider="sso", error_msg="x"), CredentialsError, "expired"),
        (
            boto.PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"),
            CredentialsError,
            "incomplete",
        ),
        (boto.CredentialRetrievalError(provider="custom-process", error_msg="s3cret"), CredentialsError, "fetched"),
        (boto.InvalidConfigError(error_msg="bad\nrole"), CredentialsError, "bad role"),
        (boto.ConfigParseError(path="/h/.aws/config"), CredentialsError, ".aws/config"),
        (
            boto.EndpointConnectionError(endpoint_url="https://ssm.x.amazonaws.com/"),
            NetworkError,
            "ssm.x.amazonaws.com",
        ),
        (boto.ConnectTimeoutError(endpoint_url="https://ssm.x.amazonaws.com/"), NetworkError, "could not be reached"),
        (boto.ReadTimeoutError(endpoint_url="https://ssm.x.amazonaws.com/"), NetworkError, "could not be reached"),
        (boto.ConnectionClosedError(endpoint_url="https://h/"), NetworkError, "could not be reached"),
        (boto.SSLError(endpoint_url="https://h/", error="e"), NetworkError, "secure connection to https://h failed"),
        (boto.ProxyConnectionError(proxy_url="http://me:s3cret@proxy:8080"), NetworkError, "http://proxy:8080"),
        (boto.ParamValidationError(report="Target\nis odd"), AwsError, "Target is odd"),
        (ResponseParserError("<html>"), AwsError, "not AWS"),
    ],
)
def test_what_the_library_raises(raised: Exception, kind: type[AwsError], word: str) -> None:
    with pytest.raises(kind) as caught, translated(REQUEST):
        raise raised
    said: Any = caught.value
    assert word in said.message
    assert said.hint
    assert "\n" not in said.message + said.hint
    assert "s3cret" not in said.message + said.hint


def test_the_sign_in_hint_names_the_profile() -> None:
    with pytest.raises(CredentialsError) as caught, translated(REQUEST):
        raise boto.UnauthorizedSSOTokenError
    assert caught.value.hint == "run: aws sso login --profile prod, or sign in with i in ssm-tui"


def test_an_unknown_profile_lists_those_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[profile alpha]\nregion = us-east-1\n[profile beta]\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with pytest.raises(CredentialsError) as caught, translated(REQUEST):
        raise boto.ProfileNotFound(profile="prod")
    assert "'prod'" in caught.value.message
    assert "alpha" in caught.value.hint
    assert "beta" in caught.value.hint
