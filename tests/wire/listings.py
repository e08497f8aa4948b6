"""Which machines a listing call is to give: API filters, page bounds and tokens, as AWS documents them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from tests.wire.fleet import ACCOUNT, Fleet, Machine


class BadRequestError(Exception):
    """A call that AWS would refuse."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


Filters = Sequence[tuple[str, Sequence[str]]]

_EC2: Mapping[str, Callable[[Machine], Sequence[str]]] = {
    "instance-id": lambda m: (m.id,),
    "instance-state-name": lambda m: (m.state,),
    "instance-type": lambda m: (m.type,),
    "vpc-id": lambda m: (m.vpc,),
    "subnet-id": lambda m: (m.subnet,),
    "availability-zone": lambda m: (m.az,),
    "private-ip-address": lambda m: (m.ip,),
    "group-id": lambda m: m.groups,
    "instance.group-id": lambda m: m.groups,
    "network-interface.group-id": lambda m: m.groups,
    "platform": lambda m: ("windows",) if m.platform == "Windows" else (),
    "platform-details": lambda m: ("Windows" if m.platform == "Windows" else "Linux/UNIX",),
    "owner-id": lambda m: (ACCOUNT,),
    "tag-key": lambda m: tuple(m.tags),
    "tag-value": lambda m: tuple(m.tags.values()),
    "iam-instance-profile.arn": lambda m: (f"arn:aws:iam::{ACCOUNT}:instance-profile/{m.role}",),
}
_SSM: Mapping[str, Callable[[Machine], Sequence[str]]] = {
    "InstanceIds": lambda m: (m.id,),
    "PingStatus": lambda m: (m.ping or "",),
    "PlatformTypes": lambda m: (m.platform,),
    "PlatformType": lambda m: (m.platform,),
    "ResourceType": lambda m: ("ManagedInstance" if m.hybrid else "EC2Instance",),
    "AgentVersion": lambda m: ("3.3.987.0",),
    "IamRole": lambda m: (m.role,),
    "tag-key": lambda m: tuple(m.tags),
}


def matching_instances(fleet: Fleet, filters: Filters, ids: Sequence[str] = ()) -> list[int]:
    """What EC2 lists. Values may hold `*` and `?`; a backslash takes their meaning from them."""
    tests = [(_ec2_values(name), [_pattern(value) for value in values]) for name, values in filters]
    if len(filters) > 50 or sum(len(values) for _, values in filters) > 200:
        raise BadRequestError("FilterLimitExceeded", "The maximum number of filter values on a single call is 200")
    wanted = [n for n in fleet.instances if not ids or fleet.machine(n).id in ids]
    return [
        n
        for n in wanted
        if all(any(p.fullmatch(v) for v in told(fleet.machine(n)) for p in patterns) for told, patterns in tests)
    ]


def _ec2_values(name: str) -> Callable[[Machine], Sequence[str]]:
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda m: (m.tags[key],) if key in m.tags else ()
    if name not in _EC2:
        raise BadRequestError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return _EC2[name]


@lru_cache(maxsize=4096)
def _pattern(value: str) -> re.Pattern[str]:
    signs = {"*": ".*", "?": "."}
    parts = re.findall(r"\\.|.", value, re.DOTALL)
    return re.compile(
        "".join(signs.get(part) or re.escape(part[1:] if len(part) > 1 else part) for part in parts), re.DOTALL
    )


def matching_managed(fleet: Fleet, body: Mapping[str, Any]) -> list[int]:
    """What SSM lists, by whichever of its filter parameters."""
    tests: list[tuple[Callable[[Machine], Sequence[str]], Sequence[str], str]] = []
    for each in (*body.get("InstancePropertyFilterList", ()), *body.get("InstanceInformationFilterList", ())):
        tests.append((_ssm_values(each["key"]), each["valueSet"], "Equal"))
    for each in body.get("FiltersWithOperator", ()):
        tests.append((_ssm_values(each["Key"]), each["Values"], each.get("Operator", "Equal")))
    for each in body.get("Filters", ()):
        tests.append((_ssm_values(each["Key"]), each["Values"], "Equal"))
    return [n for n in fleet.managed if all(_holds(told(fleet.machine(n)), values, how) for told, values, how in tests)]


def _holds(told: Sequence[str], values: Sequence[str], operator: str) -> bool:
    if operator == "BeginWith":
        return any(each.startswith(tuple(values)) for each in told)
    if operator == "NotEqual":
        return not set(told) & set(values)
    return bool(set(told) & set(values))


def _ssm_values(key: str) -> Callable[[Machine], Sequence[str]]:
    if key.startswith("tag:"):
        tag = key.removeprefix("tag:")
        return lambda m: (m.tags[tag],) if tag in m.tags else ()
    if key not in _SSM:
        raise BadRequestError("InvalidFilterKey", f"The filter key {key} is not valid.")
    return _SSM[key]


def page_of(
    numbers: Sequence[int], token: str, asked: int | None, most: int, usual: int, bound: int, hollow: bool
) -> tuple[Sequence[int], str]:
    """A page and the token of the next one. `usual` is what comes where no size is asked for."""
    if asked is not None and not (1 <= asked <= most):
        raise BadRequestError("ValidationException", f"MaxResults: value {asked} must be at most {most}")
    if token and not re.fullmatch(r"page-\d+-\d", token):
        raise BadRequestError("InvalidNextToken", "The specified token is not valid.")
    start, filled = (int(part) for part in token.split("-")[1:]) if token else (0, 0)
    if hollow and not filled:
        return (), f"page-{start}-1"
    end = start + min(asked or usual, bound)
    return numbers[start:end], f"page-{end}-0" if end < len(numbers) else ""
