"""The calls about databases that moto has not: endpoints of clusters and proxies, serverless caches and warehouses.

Each kind can be made, listed in pages and removed; the rest of AWS's calls about them answer that they are not known.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.rds.models import rds_backends

from ssm_tui.demo.amendments import account_label, short_region
from ssm_tui.demo.answers import Answer, AwsFault
from ssm_tui.demo.landscape import subnet_vpc
from ssm_tui.demo.modelled import modelled_answer, parameters
from ssm_tui.demo.principals import partition_of
from ssm_tui.demo.ssm_nodes import paged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.wire import WireRequest

    Handler = Callable[[WireRequest, Principal], Answer]


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of thing: its words in AWS's calls. `listing` is the operation that lists them, `key` the member of its
    answer, `name` that of a thing's structure by which it is known; `page` are the names of size and token."""

    service: str
    singular: str
    listing: str
    key: str
    name: str
    page: tuple[str, str, str]
    already: str
    missing: str
    arn: str = ""
    """The member that holds its ARN, of those that can be tagged."""
    bare: bool = False
    """Whether a thing that was made is the answer itself."""


_RECORDS = ("MaxRecords", "Marker", "Marker")
_RESULTS = ("MaxResults", "NextToken", "NextToken")
_SMALL = ("maxResults", "nextToken", "nextToken")
ENDPOINT = Sort(
    "rds",
    "DBClusterEndpoint",
    "DescribeDBClusterEndpoints",
    "DBClusterEndpoints",
    "DBClusterEndpointIdentifier",
    _RECORDS,
    "DBClusterEndpointAlreadyExistsFault",
    "DBClusterEndpointNotFoundFault",
    bare=True,
)
PROXY_ENDPOINT = Sort(
    "rds",
    "DBProxyEndpoint",
    "DescribeDBProxyEndpoints",
    "DBProxyEndpoints",
    "DBProxyEndpointName",
    _RECORDS,
    "DBProxyEndpointAlreadyExistsFault",
    "DBProxyEndpointNotFoundFault",
)
CACHE = Sort(
    "elasticache",
    "ServerlessCache",
    "DescribeServerlessCaches",
    "ServerlessCaches",
    "ServerlessCacheName",
    _RESULTS,
    "ServerlessCacheAlreadyExistsFault",
    "ServerlessCacheNotFoundFault",
    "ARN",
)
NAMESPACE = Sort(
    "redshift-serverless",
    "Namespace",
    "ListNamespaces",
    "namespaces",
    "namespaceName",
    _SMALL,
    "ConflictException",
    "ResourceNotFoundException",
    "namespaceArn",
)
WORKGROUP = Sort(
    "redshift-serverless",
    "Workgroup",
    "ListWorkgroups",
    "workgroups",
    "workgroupName",
    _SMALL,
    "ConflictException",
    "ResourceNotFoundException",
    "workgroupArn",
)


@dataclass(slots=True)
class Thing:
    """One that was made: its structure in AWS's answers, and its tags."""

    told: dict[str, Any]
    tags: list[dict[str, str]] = field(default_factory=list)


_made: dict[tuple[str, str], dict[Sort, dict[str, Thing]]] = {}


def made(account: str, region: str, sort: Sort) -> dict[str, Thing]:
    """Those there are, by name. As moto keeps its own: for as long as the process lives."""
    return _made.setdefault((account, region), {}).setdefault(sort, {})


def handlers() -> Mapping[str, Handler]:
    """By IAM action."""
    makers: Mapping[Sort, Callable[[Mapping[str, Any], str, str], dict[str, Any]]] = {
        ENDPOINT: _endpoint,
        PROXY_ENDPOINT: _proxy_endpoint,
        CACHE: _cache,
        NAMESPACE: _namespace,
        WORKGROUP: _workgroup,
    }
    found: dict[str, Handler] = {}
    for sort, make in makers.items():
        found[f"{sort.service}:Create{sort.singular}"] = partial(_create, sort, make)
        found[f"{sort.service}:Delete{sort.singular}"] = partial(_delete, sort)
        found[f"{sort.service}:{sort.listing}"] = partial(_list, sort)
    return found


def _create(
    sort: Sort,
    make: Callable[[Mapping[str, Any], str, str], dict[str, Any]],
    request: WireRequest,
    caller: Principal,
) -> Answer:
    asked = parameters(request)
    name = _named(sort, asked)
    there = made(caller.account, request.region, sort)
    if name in there:
        raise AwsFault(sort.already, f"{sort.singular} {name} already exists")
    told = make(asked, caller.account, request.region)
    tags = [
        {"Key": each.get("Key", each.get("key")), "Value": each.get("Value", each.get("value"))}
        for each in asked.get("Tags", asked.get("tags")) or []
    ]
    there[name] = Thing(told, tags)
    return _about(sort, request, told)


def _delete(sort: Sort, request: WireRequest, caller: Principal) -> Answer:
    name, there = _named(sort, parameters(request)), made(caller.account, request.region, sort)
    if name not in there:
        raise AwsFault(sort.missing, f"{sort.singular} {name} not found", 404)
    return _about(sort, request, there.pop(name).told)


def _about(sort: Sort, request: WireRequest, told: dict[str, Any]) -> Answer:
    key = sort.singular if sort.key[0].isupper() else sort.key.removesuffix("s")
    return modelled_answer(request, told if sort.bare else {key: told})


def _list(sort: Sort, request: WireRequest, caller: Principal) -> Answer:
    asked = parameters(request)
    things = [thing.told for thing in made(caller.account, request.region, sort).values()]
    if sort is ENDPOINT:
        things = [*_own_endpoints(caller.account, request.region), *things]
    wanted = {key: asked[key] for key in (sort.name, "DBClusterIdentifier", "DBProxyName") if asked.get(key)}
    things = [each for each in things if all(each.get(key) == value for key, value in wanted.items())]
    size, token, following = sort.page
    page, more = paged(things, int(asked.get(size) or 100), asked.get(token), [sort.key, sorted(wanted.items())])
    return modelled_answer(request, {sort.key: list(page), following: more})


def _named(sort: Sort, asked: Mapping[str, Any]) -> str:
    name = asked.get(sort.name)
    if not isinstance(name, str) or not name:
        raise AwsFault("ValidationError", f"The parameter {sort.name} must be provided and must not be blank.")
    return name


def _own_endpoints(account: str, region: str) -> Iterator[dict[str, Any]]:
    """Those that clusters have from the beginning; they have no identifier."""
    for cluster in list(rds_backends[account][region].clusters.values()):
        if cluster.engine.startswith("aurora"):
            for kind, host in (("WRITER", cluster.endpoint), ("READER", cluster.reader_endpoint)):
                yield {
                    "DBClusterIdentifier": cluster.db_cluster_identifier,
                    "Endpoint": host,
                    "Status": "available",
                    "EndpointType": kind,
                }


def _endpoint(asked: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
    cluster, name = asked.get("DBClusterIdentifier"), asked["DBClusterEndpointIdentifier"]
    if cluster not in rds_backends[account][region].clusters:
        raise AwsFault("DBClusterNotFoundFault", f"DBCluster {cluster} not found.", 404)
    return {
        "DBClusterEndpointIdentifier": name,
        "DBClusterIdentifier": cluster,
        "DBClusterEndpointResourceIdentifier": f"cluster-endpoint-{_code(account, region, name, 26).upper()}",
        "Endpoint": f"{name}.cluster-custom-{account_label(account, region)}.{region}.rds.amazonaws.com",
        "Status": "available",
        "EndpointType": "CUSTOM",
        "CustomEndpointType": asked.get("EndpointType", "ANY"),
        "StaticMembers": asked.get("StaticMembers") or [],
        "ExcludedMembers": asked.get("ExcludedMembers") or [],
        "DBClusterEndpointArn": f"arn:{partition_of(region)}:rds:{region}:{account}:cluster-endpoint:{name}",
    }


def _proxy_endpoint(asked: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
    name, proxy = (
        asked["DBProxyEndpointName"],
        rds_backends[account][region].db_proxies.get(str(asked.get("DBProxyName"))),
    )
    if proxy is None:
        raise AwsFault("DBProxyNotFoundFault", f"DBProxy {asked.get('DBProxyName')} not found.", 404)
    place = f"arn:{partition_of(region)}:rds:{region}:{account}:db-proxy-endpoint"
    return {
        "DBProxyEndpointName": name,
        "DBProxyEndpointArn": f"{place}:prx-endpoint-{_code(account, region, name, 17)}",
        "DBProxyName": proxy.db_proxy_name,
        "Status": "available",
        "VpcId": proxy.vpc_id,
        "VpcSecurityGroupIds": asked.get("VpcSecurityGroupIds") or list(proxy.vpc_security_group_ids),
        "VpcSubnetIds": asked.get("VpcSubnetIds") or list(proxy.vpc_subnet_ids),
        "Endpoint": f"{name}.endpoint.proxy-{account_label(account, region)}.{region}.rds.amazonaws.com",
        "TargetRole": asked.get("TargetRole", "READ_WRITE"),
        "IsDefault": False,
    }


def _cache(asked: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
    name, engine = asked["ServerlessCacheName"], asked.get("Engine")
    if engine not in ("redis", "valkey", "memcached"):
        raise AwsFault("InvalidParameterValue", f"Invalid engine: {engine}")
    version = str(asked.get("MajorEngineVersion") or {"redis": "7", "valkey": "8", "memcached": "1.6"}[engine])
    host = f"{name}-{_code(account, region, name, 6)}.serverless.{short_region(region)}.cache.amazonaws.com"
    port = 11211 if engine == "memcached" else 6379
    return {
        "ServerlessCacheName": name,
        "Description": asked.get("Description", ""),
        "Status": "available",
        "Engine": engine,
        "MajorEngineVersion": version,
        "FullEngineVersion": version if "." in version else f"{version}.0",
        "SecurityGroupIds": asked.get("SecurityGroupIds") or [],
        "Endpoint": {"Address": host, "Port": port},
        "ReaderEndpoint": {"Address": host, "Port": port + 1} if engine != "memcached" else None,
        "ARN": f"arn:{partition_of(region)}:elasticache:{region}:{account}:serverlesscache:{name}",
        "UserGroupId": asked.get("UserGroupId"),
        "SubnetIds": asked.get("SubnetIds") or [],
    }


def _namespace(asked: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
    name = asked["namespaceName"]
    space = _code(account, region, name, 32)
    return {
        "namespaceName": name,
        "namespaceId": space,
        "namespaceArn": f"arn:{partition_of(region)}:redshift-serverless:{region}:{account}:namespace/{space}",
        "adminUsername": asked.get("adminUsername"),
        "dbName": asked.get("dbName", "dev"),
        "status": "AVAILABLE",
    }


def _workgroup(asked: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
    name, space = asked["workgroupName"], asked.get("namespaceName")
    if space not in made(account, region, NAMESPACE):
        raise AwsFault("ResourceNotFoundException", f"The namespace {space} was not found.", 404)
    subnets, code = asked.get("subnetIds") or [], _code(account, region, name, 32)
    port = int(asked.get("port") or 5439)
    host = f"{name}.{account}.{region}.redshift-serverless.amazonaws.com"
    ways = [
        {"vpcId": vpc, "vpcEndpointId": f"vpce-{code[:17]}"}
        for vpc in {_vpc(account, region, each) for each in subnets}
    ]
    return {
        "workgroupName": name,
        "workgroupId": code,
        "workgroupArn": f"arn:{partition_of(region)}:redshift-serverless:{region}:{account}:workgroup/{code}",
        "namespaceName": space,
        "status": "AVAILABLE",
        "patchVersion": "1.0.96221",
        "endpoint": {"address": host, "port": port, "vpcEndpoints": ways},
        "port": port,
        "subnetIds": subnets,
        "securityGroupIds": asked.get("securityGroupIds") or [],
        "configParameters": asked.get("configParameters") or [],
        "publiclyAccessible": False,
    }


def _vpc(account: str, region: str, subnet: str) -> str:
    vpc = subnet_vpc(account, region, subnet)
    if not vpc:
        raise AwsFault("ValidationException", f"The subnet {subnet} was not found.")
    return vpc


def _code(account: str, region: str, name: str, length: int) -> str:
    return hashlib.sha256(f"{account}/{region}/{name}".encode()).hexdigest()[:length]
