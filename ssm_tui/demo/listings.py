"""What AWS refuses of other services' listings and moto does not: sizes of pages, ids that are none. In AWS's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ssm_tui.demo.answers import AwsFault

if TYPE_CHECKING:
    from ssm_tui.demo.wire import WireRequest

# Action: the parameter, its least and greatest value. Sources: the API references of EC2, RDS and ElastiCache.
_PAGES = {
    "ec2:DescribeInstances": ("MaxResults", 5, 1000),
    "ec2:DescribeVpcs": ("MaxResults", 5, 1000),
    "ec2:DescribeSubnets": ("MaxResults", 5, 1000),
    "ec2:DescribeSecurityGroups": ("MaxResults", 5, 1000),
    "rds:DescribeDBInstances": ("MaxRecords", 20, 100),
    "rds:DescribeDBClusters": ("MaxRecords", 20, 100),
    "rds:DescribeDBProxies": ("MaxRecords", 20, 100),
    "elasticache:DescribeReplicationGroups": ("MaxRecords", 20, 100),
    "elasticache:DescribeCacheClusters": ("MaxRecords", 20, 100),
}


_INSTANCE_ID = re.compile("i-([0-9a-f]{8}|[0-9a-f]{17})")


def check_instance_ids(request: WireRequest) -> None:
    """Raises AwsFault where EC2 is asked for instances by what is no instance's id, such as a hybrid node's."""
    if request.service != "ec2":
        return
    for name, value in request.form.items():
        if name.startswith("InstanceId.") and not _INSTANCE_ID.fullmatch(value):
            raise AwsFault("InvalidInstanceID.Malformed", f'Invalid id: "{value}"')


def check_page(request: WireRequest) -> None:
    """Raises AwsFault for a page size that AWS refuses."""
    if request.action not in _PAGES:
        return
    parameter, least, greatest = _PAGES[request.action]
    given = request.form.get(parameter)
    if given is None:
        return
    if request.action == "ec2:DescribeInstances" and "InstanceId.1" in request.form:
        raise AwsFault(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        )
    if given.isdigit() and least <= int(given) <= greatest:
        return
    if request.service == "ec2":
        allowed = f"Expecting a value between {least} and {greatest}"
        message = f"Value ( {given} ) for parameter maxResults is invalid. {allowed}"
    else:
        message = f"Invalid value {given} for MaxRecords. Must be between {least} and {greatest}"
    raise AwsFault("InvalidParameterValue", f"{message}.")
