"""The demo's control plane through the wire: a shared cloud, its two callers, and names to ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.demo.control.world import world
from tests.demo_cloud import Caller, administrator_of, developer_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.demo.runner import DemoProcess

__all__ = ["world"]


@pytest.fixture(scope="session")
def developer(demo_cloud: DemoProcess) -> Caller:
    return developer_of(demo_cloud)


@pytest.fixture(scope="session")
def administrator(demo_cloud: DemoProcess) -> Caller:
    return administrator_of(demo_cloud)


@pytest.fixture(scope="session")
def instance(administrator: Caller) -> Callable[..., str]:
    """The id of an instance by its name, now."""

    def find(name: str, region: str = "") -> str:
        for reservation in administrator.client("ec2", region).describe_instances()["Reservations"]:
            for each in reservation["Instances"]:
                if {"Key": "Name", "Value": name} in each.get("Tags", []) and each["State"]["Name"] != "terminated":
                    return str(each["InstanceId"])
        raise LookupError(name)

    return find


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Code and message of the error that the call must give."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
