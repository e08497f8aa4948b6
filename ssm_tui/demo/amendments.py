"""Where moto's answers are not AWS's: endpoint names of databases, and what ElastiCache leaves out. Applied once.

Every account has one label a region in the names of its RDS endpoints (`orders.c9akciq32rmz.ap-northeast-2…`), and
ElastiCache shortens regions (`apn2`). Moto gives every instance the label `aaaaaaaaaa` and every cache `use1`.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b32encode
from typing import TYPE_CHECKING, Any

from moto.ec2 import utils
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.transit_gateway_route_tables import TransitGatewayRouteTableBackend
from moto.ecs.models import Task
from moto.elasticache.models import CacheCluster, ReplicationGroup, elasticache_backends
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.opensearch.models import OpenSearchDomain
from moto.rds.models import DBCluster, DBInstance, DBProxy
from moto.rds.utils import ClusterEngine, DbInstanceEngine

from ssm_tui.demo import transit

if TYPE_CHECKING:
    from collections.abc import Callable

DOCDB = "docdb"


def amend_moto() -> None:
    """Corrects moto's models in this process; doing it again changes nothing."""
    _replace(
        DBInstance,
        address=property(lambda each: _rds_name(each, each.db_instance_identifier)),
        # One for all instances is what moto has; policies for logins by IAM tell databases apart by it.
        dbi_resource_id=property(_resource_id, _ignore),
        default_port=staticmethod(_or_docdb(DBInstance.default_port, 27017)),
        default_allocated_storage=staticmethod(_or_docdb(DBInstance.default_allocated_storage, 1)),
    )
    # Moto knows no DocumentDB: the cluster's ways of Aurora are its too.
    _replace(
        DBCluster,
        endpoint=property(lambda each: _rds_name(each, f"{each.db_cluster_identifier}.cluster")),
        reader_endpoint=property(lambda each: _rds_name(each, f"{each.db_cluster_identifier}.cluster-ro")),
        default_port=staticmethod(_or_docdb(DBCluster.default_port, 27017)),
        default_allocated_storage=staticmethod(_or_docdb(DBCluster.default_allocated_storage, 1)),
    )
    clustered, single = ClusterEngine.list_cluster_engines(), DbInstanceEngine.valid_db_instance_engine()
    _replace(ClusterEngine, list_cluster_engines=lambda: sorted({*clustered, DOCDB}))
    _replace(DbInstanceEngine, valid_db_instance_engine=lambda: sorted({*single, DOCDB}))
    _replace(
        OpenSearchDomain, vpc_options=property(_vpc_options, _keep_vpc_options), endpoints=property(_endpoints, _ignore)
    )
    # Moto sets these three in its constructors; what it sets is not wanted, or wanted with other names.
    _replace(DBCluster, url_identifier=property(_label, _ignore))
    _replace(
        DBProxy,
        endpoint=property(
            lambda each: f"{each.db_proxy_name}.proxy-{_label(each)}.{each.region}.rds.amazonaws.com", _ignore
        ),
    )
    # AWS's ids of tasks have no hyphens, and those of containers are told apart by that.
    _replace(Task, id=property(lambda each: each.plain_id, _keep_plain_id))
    # Moto gives one to interfaces in VPCs with DNS host names alone, and looks for it with every task.
    _replace(NetworkInterface, private_dns_name=None)
    _replace(TransitGatewayRouteTableBackend, search_transit_gateway_routes=transit.search)
    # Moto takes `*` and `?` for themselves in most of DescribeInstances' filters.
    _replace(utils, instance_value_in_filter_values=_is_among)
    _replace(IAMBackend, _init_aws_policies=_managed_policies)
    _replace(ReplicationGroup, node_groups=property(_named_node_groups, _keep_node_groups))
    _replace(
        CacheCluster,
        cache_nodes=property(_cache_nodes),
        security_groups=property(
            lambda each: [{"SecurityGroupId": group, "Status": "active"} for group in each.security_group_ids]
        ),
    )


def _rds_name(resource: Any, name: str) -> str:
    """The name of an endpoint. Clusters' have a hyphen before the account's label."""
    service = resource.engine if resource.engine in (DOCDB, "neptune") else "rds"
    label = f"-{_label(resource)}" if "." in name else f".{_label(resource)}"
    return f"{name}{label}.{resource.region}.{service}.amazonaws.com"


def _or_docdb(moto: Callable[..., int], value: int) -> Callable[..., int]:
    """A default of moto's by engine, with DocumentDB's own."""
    known = getattr(moto, "moto", moto)

    def default(engine: str, **more: Any) -> int:
        return value if engine == DOCDB else known(engine, **more)

    default.moto = known  # type: ignore[attr-defined]
    return default


def _keep_vpc_options(domain: Any, value: Any) -> None:
    domain.kept_vpc_options = value


def _vpc_options(domain: Any) -> Any:
    """With the VPC and the zones of its subnets, which callers do not name."""
    kept = domain.kept_vpc_options
    if not kept:
        return kept
    _, _, _, region, account, *_ = domain.arn.split(":")
    found = [
        each
        for zone in ec2_backends[account][region].subnets.values()
        for name, each in zone.items()
        if name in kept.get("SubnetIds", ())
    ]
    zones = sorted({each.availability_zone for each in found})
    return {**kept, "VPCId": found[0].vpc_id if found else None, "AvailabilityZones": zones}


def _endpoints(domain: Any) -> Any:
    if not domain.kept_vpc_options:
        return None
    code = hashlib.sha256(domain.arn.encode()).hexdigest()[:26]
    return {"vpc": f"vpc-{domain.domain_name}-{code}.{domain.arn.split(':')[3]}.es.amazonaws.com"}


def _replace(model: object, **attributes: object) -> None:
    for name, attribute in attributes.items():
        setattr(model, name, attribute)


def _is_among(value: Any, wanted: list[str]) -> bool:
    """Whether an instance's value, or one of them, is what one of a filter's values asks for."""
    texts = [
        str(each).lower() if isinstance(each, bool) else each
        for each in (value if isinstance(value, list) else [value])
    ]
    patterns = [re.compile(utils.simple_aws_filter_to_re(each)) for each in wanted]
    return any(pattern.match(text) for pattern in patterns for text in texts if isinstance(text, str))


def _managed_policies(backend: Any) -> list[AWSManagedPolicy]:
    """AWS's own policies, 0.07 s; moto loads all 1,600 for each of its five partitions, or none."""
    if backend.partition != "aws":
        return []
    return [
        AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
        for name, data in json.loads(aws_managed_policies_data).items()
    ]


def _label(resource: Any) -> str:
    return account_label(resource.account_id, resource.region)


def account_label(account: str, region: str) -> str:
    """What stands for the account in the names of its RDS endpoints in a region."""
    digest = hashlib.sha256(f"{account}/{region}".encode()).digest()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    return "c" + "".join(letters[each % 36] for each in digest[:11])


def _resource_id(instance: Any) -> str:
    place = f"{instance.account_id}/{instance.region}/{instance.db_instance_identifier}"
    return f"db-{b32encode(hashlib.sha256(place.encode()).digest()).decode()[:26]}"


def _keep_plain_id(task: Any, value: str) -> None:
    task.plain_id = value.replace("-", "")


def _ignore(_resource: Any, _value: Any) -> None:
    pass


# The names of caches shorten Seoul by one letter more than the rule has it.
_SHORT_REGIONS = {"ap-northeast-2": "apn2"}


def short_region(region: str) -> str:
    """`ap-northeast-1` is `apne1` in the names of caches, `us-east-1` is `use1`."""
    if region in _SHORT_REGIONS:
        return _SHORT_REGIONS[region]
    area, direction, number = region.split("-", 2)
    compass = re.sub(r"(north|south|east|west|central)", lambda match: match[1][0], direction)
    return f"{area}{compass}{number}"


def _keep_node_groups(group: Any, value: Any) -> None:
    group.kept_node_groups = value


def _named_node_groups(group: Any) -> Any:
    """The node groups with the region's own name in every endpoint; moto fills the list after it has set it."""
    region = getattr(group, "arn", "").split(":")[3:4]
    if not region:
        return group.kept_node_groups
    within = getattr(group, "transit_encryption_enabled", False)
    return _renamed(group.kept_node_groups, region[0], _TLS_NAMES if within else _PLAIN_NAMES)


# Moto names every group as one with TLS; without it AWS has the group's name first, then the shard.
_TLS_NAMES = ((r"\.use1\.", ".{short}."), (r"^us-east-1([a-f])$", r"{region}\1"))
_PLAIN_NAMES = (
    (r"^master\.([^.]+)\.([^.]+)\.use1\.", r"\1.\2.ng.0001.{short}."),
    (r"^replica\.([^.]+)\.([^.]+)\.use1\.", r"\1-ro.\2.ng.0001.{short}."),
    (r"^([^.]+)\.[^.]+\.([^.]+)\.use1\.", r"\1.\2.0001.{short}."),
    (r"^us-east-1([a-f])$", r"{region}\1"),
)


def _renamed(value: Any, region: str, names: tuple[tuple[str, str], ...]) -> Any:
    if isinstance(value, list):
        return [_renamed(each, region, names) for each in value]
    if isinstance(value, dict):
        return {key: _renamed(each, region, names) for key, each in value.items()}
    if isinstance(value, str):
        for pattern, name in names:
            value = re.sub(pattern, name.format(short=short_region(region), region=region), value)
    return value


def _cache_nodes(cluster: Any) -> list[dict[str, Any]]:
    """A member of a replication group answers under the group's name, which DescribeReplicationGroups gives too."""
    _, _, _, region, account, *_ = cluster.arn.split(":")
    group = elasticache_backends[account][region].replication_groups.get(
        getattr(cluster, "replication_group_id", None) or ""
    )
    for shard in group.node_groups if group is not None else ():
        for member in shard["node_group_members"]:
            if member["cache_cluster_id"] == cluster.cache_cluster_id:
                endpoint = {"Address": member["read_endpoint"]["address"], "Port": member["read_endpoint"]["port"]}
                return [{"CacheNodeId": "0001", "CacheNodeStatus": "available", "Endpoint": endpoint}]
    label = hashlib.sha256(region.encode()).hexdigest()[:6]
    name = f"{cluster.cache_cluster_id}.{label}.0001.{short_region(region)}.cache.amazonaws.com"
    return [
        {
            "CacheNodeId": f"{number:04}",
            "CacheNodeStatus": "available",
            "Endpoint": {"Address": name.replace(".0001.", f".{number:04}."), "Port": cluster.port},
        }
        for number in range(1, cluster.num_cache_nodes + 1)
    ]
