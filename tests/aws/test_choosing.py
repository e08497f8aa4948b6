"""Which contexts are in force: all regions, those that are enabled, what was picked, and who must not be waited for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ssm_tui.aws import choosing
from ssm_tui.aws.choosing import Chosen
from ssm_tui.aws.live import AwsClouds
from ssm_tui.aws.regions import partition_of
from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.domain.accounts import ALL, AS_STARTED, Choice, Region
from ssm_tui.domain.contexts import Context
from ssm_tui.errors import CredentialsError, RegionNotEnabledError
from tests.aws.conftest import REGION, Administrator, allow

CONFIG = """
[profile dev]
region = ap-northeast-2
[profile china]
region = cn-north-1
[profile bare]
"""
FEW = frozenset({"us-east-1", "ap-northeast-2"})


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Three profiles without credentials."""
    for name in ("PROFILE", "DEFAULT_PROFILE", "REGION", "DEFAULT_REGION", "ACCESS_KEY_ID", "ENDPOINT_URL"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return monkeypatch


def regions_of(contexts: tuple[Context, ...], profile: str | None) -> list[str]:
    return [context.region for context in contexts if context.profile == profile]


def test_all_are_those_that_are_enabled_the_profiles_own_first(laptop: object) -> None:
    asked: list[Context] = []

    def enabled(context: Context) -> frozenset[str]:
        asked.append(context)
        return FEW | {"xx-new-1"}

    chosen = Chosen(["dev", "bare"], ["all", "eu-west-1"], enabled)
    contexts = chosen.contexts()
    assert regions_of(contexts, "dev") == ["ap-northeast-2", "us-east-1", "xx-new-1"]
    assert sorted(regions_of(contexts, "bare")) == ["ap-northeast-2", "us-east-1", "xx-new-1"]
    chosen.contexts()
    assert sorted(asked, key=str) == [Context("bare", "us-east-1"), Context("dev", "ap-northeast-2")], "asked once"
    chosen.renew("dev")
    chosen.contexts()
    assert len(asked) == 3


def test_where_aws_does_not_say_they_are_all_of_the_partition(laptop: object) -> None:
    contexts = Chosen(["dev", "china"], ["all"], lambda _: None).contexts()
    assert regions_of(contexts, "china") == ["cn-north-1", "cn-northwest-1"]
    assert regions_of(contexts, "dev")[0] == "ap-northeast-2"
    assert {"us-east-1", "af-south-1", "sa-east-1"} < set(regions_of(contexts, "dev"))
    assert all(not name.startswith(("cn-", "us-gov-", "aws-")) for name in regions_of(contexts, "dev"))


def test_a_profile_that_does_not_answer_delays_no_other(laptop: pytest.MonkeyPatch) -> None:
    laptop.setattr(choosing, "PATIENCE", 0.05)
    never = threading.Event()

    def enabled(context: Context) -> frozenset[str] | None:
        if context.profile == "china":
            never.wait()
        return FEW

    contexts = Chosen(["dev", "china"], ["all"], enabled).contexts()
    never.set()
    assert regions_of(contexts, "dev") == ["ap-northeast-2", "us-east-1"]
    assert regions_of(contexts, "china") == ["cn-north-1", "cn-northwest-1"]


def test_credentials_that_change_while_regions_are_asked_for(laptop: object) -> None:
    def ask(_context: Context) -> frozenset[str]:
        chosen.renew("dev")  # the user has signed in meanwhile
        asked.append(1)
        return frozenset({f"us-east-{len(asked)}"})

    asked: list[int] = []
    chosen = Chosen(("dev",), (ALL,), ask)
    assert chosen.enabled("dev") == frozenset({"us-east-1"})
    assert chosen.enabled("dev") == frozenset({"us-east-2"}), "the old one was of the old credentials"


def test_what_is_picked_is_in_force_until_it_is_taken_back(laptop: object) -> None:
    chosen = Chosen(["dev"], [], lambda _: None)
    assert chosen.started == Choice(("dev",), ())
    chosen.choose(Choice(("china", None), ("us-east-1",)))
    assert chosen.contexts() == (Context("china", "us-east-1"), Context(None, "us-east-1"))
    chosen.choose(Choice(None, ("us-east-1", "eu-west-1")))
    assert chosen.contexts() == (Context("dev", "us-east-1"), Context("dev", "eu-west-1"))
    chosen.choose(Choice(("dev", "gone since")))
    assert chosen.contexts() == (Context("dev", "ap-northeast-2"),)
    chosen.choose(Choice(("gone since",)))
    with pytest.raises(CredentialsError, match="gone since"):
        chosen.contexts()
    chosen.choose(AS_STARTED)
    assert chosen.contexts() == (Context("dev", "ap-northeast-2"),)


def test_files_that_are_broken_are_told_as_such(laptop: object, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("no section\n", encoding="utf-8")
    chosen = Chosen([], ["all"], lambda _: None)
    for choice in (AS_STARTED, Choice(("dev",)), Choice(("dev", "china"))):
        chosen.choose(choice)
        with pytest.raises(CredentialsError, match="could not be read"):
            chosen.contexts()


def test_regions_are_named_by_place_and_partition() -> None:
    seoul = partition_of("ap-northeast-2")
    assert Region("ap-northeast-2", "Asia Pacific (Seoul)") in seoul.regions
    assert partition_of("us-gov-west-1").first == "us-gov-west-1"
    assert partition_of("nowhere") == seoul
    assert AwsClouds().regions(["cn-north-1", "us-east-1"]) == (*partition_of("cn-north-1").regions, *seoul.regions)


def test_the_demo_tells_which_regions_are_enabled_and_what_the_account_is_called(admin: Administrator) -> None:
    profile = admin.profile(allow("ec2:DescribeRegions", "iam:ListAccountAliases"))
    clouds = AwsClouds([profile], [REGION])
    names = clouds.enabled(profile)
    assert names is not None
    assert {"us-east-1", REGION} < names
    assert clouds.open(Context(profile, REGION)).alias() == "ssm-tui-demo"


def test_an_alias_is_asked_for_once_an_account(admin: Administrator, faults: FaultClient) -> None:
    asked: list[str] = []
    profile = admin.profile(allow("iam:ListAccountAliases"))
    clouds = AwsClouds([profile])
    of = clouds.aliases.of
    first = clouds.open(Context(profile, REGION))
    assert first.alias() == "ssm-tui-demo"

    class Counting:
        def call(self, service: str, operation: str, **_: object) -> dict[str, object]:
            asked.append(f"{service}:{operation}")
            return {"AccountAliases": ["another"]}

    counting: object = Counting()
    assert of(first.identify().account, counting) == "ssm-tui-demo"  # type: ignore[arg-type]  # it is not asked
    assert of("999999999999", counting) == of("999999999999", counting) == "another"  # type: ignore[arg-type]
    assert asked == ["iam:list_account_aliases"]


def test_where_both_are_denied_nothing_fails(admin: Administrator) -> None:
    profile = admin.profile(allow("ssm:DescribeInstanceProperties"))
    clouds = AwsClouds([profile], ["all"])
    assert clouds.enabled(profile) is None
    assert clouds.open(Context(profile, REGION)).alias() is None
    assert len(clouds.contexts()) == len(partition_of(REGION).regions)


@pytest.mark.parametrize(("regions", "named"), [(["all"], False), (["xx-new-1"], True)])
def test_a_region_that_is_not_enabled_is_told_from_bad_keys(
    admin: Administrator, monkeypatch: pytest.MonkeyPatch, regions: list[str], named: bool
) -> None:
    profile = admin.profile(allow("ec2:DescribeRegions"))
    clouds = AwsClouds([profile], regions)
    with pytest.raises(RegionNotEnabledError) as caught:
        clouds.open(Context(profile, "xx-new-1")).identify()
    with pytest.raises(RegionNotEnabledError):
        list(clouds.open(Context(profile, "xx-new-1")).node_pages())
    assert caught.value.named is named
    assert "xx-new-1" in caught.value.message
    admin.write_profile("bad", "AKIAUNKNOWN", "x")
    with pytest.raises(CredentialsError):
        AwsClouds(["bad"], regions).open(Context("bad", "xx-new-1")).identify()
