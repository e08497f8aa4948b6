"""SendSSHPublicKey: who may, for whom, and what is refused in AWS's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ssm_tui.demo.servers.ssh import MINUTE, PushedKeys
from tests.demo_cloud import Caller

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDJ7mC1vY2tlZCBrZXkgb2Ygbm9ib2R5IGF0IGFsbCE= me@laptop"


def push(caller: Caller, node: str, user: str = "ec2-user", key: str = KEY) -> str:
    """The code of the refusal, empty where there was none."""
    client = caller.client("ec2-instance-connect")
    try:
        answer: dict[str, Any] = client.send_ssh_public_key(InstanceId=node, InstanceOSUser=user, SSHPublicKey=key)
    except client.exceptions.ClientError as error:
        return str(error.response["Error"]["Code"])
    assert answer["Success"] is True
    return ""


@pytest.mark.parametrize(
    ("name", "user", "code"),
    [
        ("web-1", "ec2-user", ""),
        ("web-1", "root", "AccessDeniedException"),
        ("검색-index-1", "ec2-user", "AccessDeniedException"),
    ],
)
def test_the_policy_decides_by_tag_and_user(
    developer: Caller, instance: Callable[..., str], name: str, user: str, code: str
) -> None:
    assert push(developer, instance(name), user) == code


def test_what_is_no_key_or_no_instance(administrator: Caller, instance: Callable[..., str]) -> None:
    assert push(administrator, instance("web-1"), key="not a key" * 20) == "InvalidArgsException"
    assert push(administrator, instance("web-1"), key="short") == "ValidationException"
    assert push(administrator, "i-0123456789abcdef0") == "EC2InstanceNotFoundException"


def test_a_key_counts_for_a_minute_for_one_user_of_one_node() -> None:
    now = [0.0]
    keys = PushedKeys(clock=lambda: now[0])
    keys.push("i-1", "ubuntu", KEY)
    assert keys.of("i-1", "ubuntu") == [KEY]
    assert not keys.of("i-1", "root")
    assert not keys.of("i-2", "ubuntu")
    now[0] = MINUTE
    assert not keys.of("i-1", "ubuntu")
