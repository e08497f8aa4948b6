"""What goes wrong while a list is being read, on the command line: told, and never a shorter list without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.listing.conftest import Listed, Stand, with_profiles
from tests.wire import Fleet, Trouble
from tests.wire.fleet import ACCOUNT

FLEET = 240
LISTS = ("ec2:DescribeInstances", "ssm:DescribeInstanceProperties")


def fleet() -> Fleet:
    return Fleet(FLEET, hybrid=0.0, unmanaged=0.0)


@pytest.mark.parametrize("trouble", [Trouble.THROTTLED, Trouble.ERROR, Trouble.CUT])
@pytest.mark.parametrize("operation", LISTS)
def test_a_page_that_fails_and_comes_at_the_next_try(
    stand: Stand, capsys: pytest.CaptureFixture[str], operation: str, trouble: Trouble
) -> None:
    wire = stand(fleet())
    wire.plan.page_bounds = dict.fromkeys(LISTS, 100)
    wire.plan.add(trouble, operation, first=2, times=1)
    listed = Listed(capsys, "--json")
    assert len(listed.nodes) == FLEET
    assert listed.status == 0
    assert all(node["ping"] != "Unmanaged" and node["tags"] for node in listed.nodes)
    assert wire.plan.counted()[operation] == 4


def test_a_storm_of_throttling_is_said_once_and_weathered(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    wire = stand(fleet())
    for operation in LISTS:
        wire.plan.add(Trouble.THROTTLED, operation, times=2)
    listed = Listed(capsys, "--json")
    assert (listed.status, len(listed.nodes)) == (0, FLEET)
    assert all(node["ping"] != "Unmanaged" and node["tags"] for node in listed.nodes)
    assert "throttled" in listed.err
    assert listed.err.count("ssm DescribeInstanceProperties") <= 1


@pytest.mark.parametrize("operation", LISTS)
def test_a_page_that_never_comes_is_told(stand: Stand, capsys: pytest.CaptureFixture[str], operation: str) -> None:
    wire = stand(fleet())
    wire.plan.page_bounds = dict.fromkeys(LISTS, 100)
    wire.plan.add(Trouble.DENIED, operation, first=2)
    wire.plan.add(Trouble.DENIED, "ssm:DescribeInstanceInformation")
    listed = Listed(capsys, "--json")
    assert len(listed.nodes) == FLEET  # the other list has all of them
    assert operation in listed.err
    # What SSM was not asked about may well be managed.
    assert "Unmanaged" not in {node["ping"] for node in listed.nodes}


def test_credentials_that_expire_while_pages_come(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    wire = stand(fleet())
    wire.plan.page_bounds = dict.fromkeys(LISTS, 100)
    for operation in LISTS:
        wire.plan.add(Trouble.EXPIRED, operation, first=2)
    listed = Listed(capsys, "--json")
    assert listed.status == 1
    assert "expired" in listed.err
    assert "aws sso login" in listed.err


def test_of_two_profiles_one_has_expired(
    stand: Stand, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = stand(fleet())
    with_profiles(tmp_path, monkeypatch, {"good": "AKIAGOOD", "late": "AKIALATE"})
    wire.plan.add(Trouble.EXPIRED, "*", access_key="AKIALATE")
    listed = Listed(capsys, "--json", "-p", "good", "-p", "late")
    assert listed.status == 1
    assert {node["profile"] for node in listed.nodes} == {"good"}
    assert len(listed.nodes) == FLEET
    assert "late" in listed.err
    assert "expired" in listed.err
    assert "good" not in listed.err


def test_duplicate_names_are_nodes_of_their_own(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    crowd = fleet()
    for number in range(0, FLEET, 2):
        crowd.change(number, tags={"Name": "twin", "env": "prod"})
    stand(crowd)
    listed = Listed(capsys, "--json", "-f", "twin")
    assert [node["id"] for node in listed.nodes] == sorted(crowd.machine(n).id for n in range(0, FLEET, 2))
    assert {(node["name"], node["account"]) for node in listed.nodes} == {("twin", ACCOUNT)}
