"""A role that wants an MFA code: asked for once a profile, at the desk, and not where nobody attends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from botocore.credentials import JSONFileCache
from botocore.session import Session

from ssm_tui.aws.live import AwsClouds
from ssm_tui.aws.prompts import CodeDesk
from ssm_tui.aws.streams import merged
from ssm_tui.domain.signing import CodeQuestion
from ssm_tui.errors import AccessDeniedError, CredentialsError
from tests.aws.conftest import REGION, Administrator, allow

SERIAL = "arn:aws:iam::123456789012:mfa/developers-phone"
RIGHT, WRONG = "123456", "654321"


class Phone:
    """Who answers the questions, with these codes one after another; None for "not now"."""

    def __init__(self, *codes: str | None) -> None:
        self.codes, self.questions = list(codes), list[CodeQuestion]()
        self.desk = CodeDesk()
        self.desk.attend(self._answer, "i asks again")

    def _answer(self, question: CodeQuestion, answer: Callable[[str | None], None]) -> None:
        self.questions.append(question)
        answer(self.codes.pop(0))


def clouds_of(profile: str, desk: CodeDesk, regions: tuple[str, ...] = (REGION,)) -> AwsClouds:
    return AwsClouds([profile], regions, desk=desk)


def caller(clouds: AwsClouds, region: str = REGION) -> str:
    return clouds.open(next(each for each in clouds.contexts() if each.region == region)).identify().arn


def each_caller(clouds: AwsClouds, region: str) -> list[str]:
    return [caller(clouds, region)]


@pytest.fixture
def profile(admin: Administrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile that assumes a role with MFA, in an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    source = admin.profile(allow("sts:AssumeRole"))
    role = admin.role_profile("/", allow("ssm:*"))
    with (tmp_path / "aws-config").open("a", encoding="utf-8") as file:
        file.write(
            f"[profile with-mfa]\nrole_arn = arn:aws:iam::123456789012:role/{role}\nsource_profile = {source}\n"
            f"mfa_serial = {SERIAL}\n"
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


def test_several_regions_of_a_profile_ask_once(profile: str) -> None:
    phone = Phone(RIGHT)
    regions = ("ap-northeast-2", "us-east-1", "eu-west-1")
    clouds = clouds_of(profile, phone.desk, regions)
    callers = list(merged([partial(each_caller, clouds, region) for region in regions]))
    assert len(callers) == 3
    assert all(":assumed-role/" in each for each in callers)
    assert phone.questions == [CodeQuestion(profile, SERIAL)]


def test_a_wrong_code_is_asked_for_again_in_the_words_of_aws(profile: str) -> None:
    phone = Phone(WRONG, RIGHT)
    assert ":assumed-role/" in caller(clouds_of(profile, phone.desk))
    assert [each.trouble for each in phone.questions] == [
        "",
        "MultiFactorAuthentication failed with invalid MFA one time pass code.",
    ]


def test_who_would_rather_not_is_asked_again_only_when_he_wants(profile: str) -> None:
    phone = Phone(None, RIGHT)
    clouds = clouds_of(profile, phone.desk, (REGION, "us-east-1"))
    for region in (REGION, "us-east-1", REGION):
        with pytest.raises(CredentialsError, match="needs an MFA code"):
            caller(clouds, region)
    clouds.renew(profile)  # as what looks again by itself does
    with pytest.raises(CredentialsError, match="needs an MFA code") as caught:
        caller(clouds)
    assert caught.value.hint == "i asks again"
    assert len(phone.questions) == 1
    phone.desk.invite(profile)
    clouds.renew(profile)
    assert ":assumed-role/" in caller(clouds)
    assert len(phone.questions) == 2


def test_what_a_code_has_bought_is_used_by_all_clouds_of_the_desk_and_outlives_a_renewal(profile: str) -> None:
    phone = Phone(RIGHT)
    clouds = clouds_of(profile, phone.desk)
    first = caller(clouds)
    clouds.renew(profile)
    assert caller(clouds) == caller(clouds_of(profile, phone.desk)) == first
    assert len(phone.questions) == 1


def test_an_invitation_lets_another_code_buy_a_new_session(profile: str) -> None:
    phone = Phone(RIGHT, RIGHT)
    clouds = clouds_of(profile, phone.desk)
    caller(clouds)
    phone.desk.invite(profile)
    clouds.renew(profile)
    caller(clouds)
    assert len(phone.questions) == 2


def test_leaving_ends_the_open_question_and_those_that_wait_behind_it() -> None:
    desk, asked = CodeDesk(), threading.Semaphore(0)
    desk.attend(lambda _question, _answer: asked.release(), "")
    refused: list[str] = []

    def ask(name: str) -> None:
        with pytest.raises(CredentialsError) as caught:
            desk.ask(CodeQuestion(name, SERIAL))
        refused.append(caught.value.message)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    assert asked.acquire(timeout=10)
    desk.leave()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(refused) == ["profile 'one' needs an MFA code", "profile 'two' needs an MFA code"]


def test_a_refusal_for_another_reason_is_no_matter_of_codes(profile: str, tmp_path: Path) -> None:
    config = tmp_path / "aws-config"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("role_arn = arn:aws:iam::123456789012:role/", "role_arn = arn:aws:iam::123456789012:role/no-")
    )
    phone = Phone(RIGHT)
    with pytest.raises(AccessDeniedError):
        caller(clouds_of(profile, phone.desk))
    assert len(phone.questions) == 1
