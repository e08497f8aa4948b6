"""A stubbed AWS without its wire: a request's service, operation and parameters in, the body of its answer out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from tests.wire import ec2, identity, ssm
from tests.wire.fleet import Fleet, Machine
from tests.wire.identity import USER
from tests.wire.listings import BadRequestError, Filters, matching_instances, matching_managed, page_of
from tests.wire.plan import Call, Plan, Trouble

PAGES_KEPT = 48
"""Answers are made once: 10,000 machines fit, 100,000 are made anew each time."""
XML, JSON = "text/xml;charset=UTF-8", "application/x-amz-json-1.1"
Body = Callable[[Sequence[Machine], str], bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, type and body."""

    status: int
    body: bytes
    kind: str = XML


def call_of(headers: Mapping[str, str], body: bytes) -> Call:
    """What is asked, from the request's head and body."""
    scope = headers.get("authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
    key, service = (scope[0], scope[3]) if len(scope) > 3 else ("", "")
    target = headers.get("x-amz-target", "")
    if target:
        return Call(f"{service}:{target.rpartition('.')[2]}", json.loads(body or b"{}"), key)
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return Call(f"{service}:{form.pop('Action', '')}", form, key)


class Service:
    """The answers about one fleet."""

    def __init__(self, fleet: Fleet, plan: Plan) -> None:
        self._fleet, self._plan = fleet, plan
        self._page = lru_cache(PAGES_KEPT)(self._made)

    def answer(self, call: Call) -> Answer | None:
        """None where the operation is not one of the list's."""
        handler: Callable[[Mapping[str, Any]], bytes] | None = {
            "ec2:DescribeInstances": self._instances,
            "ec2:DescribeRegions": lambda _: ec2.described_regions(),
            "ssm:DescribeInstanceProperties": lambda p: self._managed(call.operation, p, ssm.properties, 1000),
            "ssm:DescribeInstanceInformation": lambda p: self._managed(call.operation, p, ssm.information, 50),
            "ssm:ListTagsForResource": self._tags,
            "tagging:GetResources": self._resources,
            "ecs:ListClusters": lambda _: b'{"clusterArns": []}',
            "sts:GetCallerIdentity": lambda _: identity.caller(),
            "iam:GetContextKeysForPrincipalPolicy": lambda _: identity.context_keys(self._plan.policies.key),
            "iam:SimulatePrincipalPolicy": self._simulated,
            "iam:ListAccountAliases": lambda _: identity.aliases(),
        }.get(call.operation)
        if handler is None:
            return None
        try:
            return Answer(200, handler(call.parameters), _kind(call))
        except BadRequestError as bad:
            return refused(call, bad.code, bad.message, 400)

    def _instances(self, form: Mapping[str, Any]) -> bytes:
        ids = listed(form, "InstanceId")
        if ids and "MaxResults" in form:
            raise BadRequestError("InvalidParameterCombination", "MaxResults cannot be used with instance ids")
        if wrong := next((each for each in ids if not each.startswith("i-")), None):
            raise BadRequestError("InvalidInstanceID.Malformed", f'Invalid id: "{wrong}"')
        filters: Filters = [
            (form[f"Filter.{n}.Name"], listed(form, f"Filter.{n}.Value")) for n in _numbers(form, "Filter")
        ]
        numbers = self._fleet.instances if not (filters or ids) else matching_instances(self._fleet, filters, ids)
        asked = int(form["MaxResults"]) if "MaxResults" in form else None
        return self._answered("ec2:DescribeInstances", numbers, form, asked, 1000, 1000, ec2.described_instances)

    def _managed(self, operation: str, body: Mapping[str, Any], make: Body, most: int) -> bytes:
        filtered = set(body) - {"MaxResults", "NextToken"}
        numbers = matching_managed(self._fleet, body) if filtered else self._fleet.managed
        return self._answered(operation, numbers, body, body.get("MaxResults"), most, 10, make)

    def _answered(
        self,
        operation: str,
        numbers: Sequence[int],
        body: Mapping[str, Any],
        asked: int | None,
        most: int,
        usual: int,
        make: Body,
    ) -> bytes:
        bound = self._plan.page_bounds.get(operation, most)
        page, token = page_of(numbers, body.get("NextToken", ""), asked, most, usual, bound, self._plan.hollow)
        return self._page(make, tuple(page), token, self._fleet.version)

    def _made(self, make: Body, numbers: tuple[int, ...], token: str, _version: int) -> bytes:
        return make([self._fleet.machine(n) for n in numbers], token)

    def _simulated(self, form: Mapping[str, Any]) -> bytes:
        policies, resources = self._plan.policies, listed(form, "ResourceArns.member")
        if len(resources) > policies.most:
            raise BadRequestError("InvalidInput", "The request is too large.")
        if len(resources) > int(form.get("MaxItems", 100)):
            raise BadRequestError("InvalidInput", "This stub has no second page of a simulation.")
        entry = "ContextEntries.member"
        tags = {
            form[f"{entry}.{n}.ContextKeyName"]: form[f"{entry}.{n}.ContextKeyValues.member.1"]
            for n in _numbers(form, entry)
        }
        return identity.simulated({each: policies.decide(each, tags) for each in resources})

    def _tags(self, body: Mapping[str, Any]) -> bytes:
        machines = (self._fleet.machine(n) for n in self._fleet.hybrids)
        return ssm.tag_list(next((each for each in machines if each.id == body["ResourceId"]), None))

    def _resources(self, body: Mapping[str, Any]) -> bytes:
        wanted = body.get("ResourceTypeFilters", [])
        hybrids = self._fleet.hybrids if not wanted or {"ssm", "ssm:managed-instance"} & set(wanted) else []
        token, asked = body.get("PaginationToken", ""), body.get("ResourcesPerPage")
        bound = self._plan.page_bounds.get("tagging:GetResources", 100)
        page, token = page_of(hybrids, token, asked, 100, 100, bound, self._plan.hollow)
        return ssm.resources([self._fleet.machine(n) for n in page], token)


def empty(call: Call) -> Answer:
    """An answer of a service that has nothing."""
    if _kind(call) != XML:
        return Answer(200, b"{}", _kind(call))
    operation = call.operation.partition(":")[2]
    make = ec2.answer if call.operation.startswith("ec2:") else identity.answer
    return Answer(200, make(operation, ""))


def listed(form: Mapping[str, Any], name: str) -> list[str]:
    """A list of the query protocol: `Name.1`, `Name.2`, …"""
    return [str(form[f"{name}.{n}"]) for n in _numbers(form, name)]


def _numbers(form: Mapping[str, Any], name: str) -> list[int]:
    start = len(name) + 1
    return sorted({int(key[start:].split(".")[0]) for key in form if key.startswith(f"{name}.")})


def _kind(call: Call) -> str:
    json_services = ("ssm", "tagging", "ecs", "memorydb", "redshift-serverless", "es")
    return JSON if call.operation.partition(":")[0] in json_services else XML


_CODES = {
    # By trouble: the code of EC2, of JSON services, of the others, with the status of each; and the words.
    Trouble.THROTTLED: (("RequestLimitExceeded", 503), ("ThrottlingException", 400), ("Throttling", 400)),
    Trouble.EXPIRED: (("RequestExpired", 400), ("ExpiredTokenException", 400), ("ExpiredToken", 403)),
    Trouble.ERROR: (("InternalError", 500), ("InternalServerError", 500), ("InternalFailure", 500)),
    Trouble.DENIED: (("UnauthorizedOperation", 403), ("AccessDeniedException", 400), ("AccessDenied", 403)),
}
_WORDS = {
    Trouble.THROTTLED: "Rate exceeded",
    Trouble.EXPIRED: "The security token included in the request is expired",
    Trouble.ERROR: "An internal error has occurred",
}


def troubled(call: Call, trouble: Trouble) -> Answer:
    """The refusal, in the words and by the code of the service that was called."""
    which = 0 if call.operation.startswith("ec2:") else 2 if _kind(call) == XML else 1
    code, status = _CODES[trouble][which]
    words = _WORDS.get(trouble) or (
        f"User: {USER} is not authorized to perform: {call.operation} on resource: * "
        f"because no identity-based policy allows the {call.operation} action"
    )
    return refused(call, code, words, status)


def refused(call: Call, code: str, words: str, status: int) -> Answer:
    """An error of the service."""
    if _kind(call) != XML:
        return Answer(status, json.dumps({"__type": code, "message": words}).encode(), _kind(call))
    error = f"<Error><Code>{code}</Code><Message>{ec2.xml(words)}</Message></Error>"
    if call.operation.startswith("ec2:"):
        inside = f"<Response><Errors>{error}</Errors><RequestID>8f7724cf-496f</RequestID></Response>"
    else:
        inside = f"<ErrorResponse>{error}<RequestId>8f7724cf-496f</RequestId></ErrorResponse>"
    return Answer(status, inside.encode())
