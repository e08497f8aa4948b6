"""A stubbed AWS with many databases of each kind, in pages as each service gives them; HTTP on loopback.

What AWS answers with is written by its own service models, which also know a member that is no member.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from ssm_tui.demo.modelled import written

ACCOUNT, REGION = "123456789012", "us-east-1"
MOST = 100
DOMAINS_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """One operation's entries, and how it pages: the names of size and token in what is asked, of the token in what is
    answered; none where it does not page."""

    service: str
    key: str
    make: Callable[[int], dict[str, Any]]
    paging: tuple[str, str] | None = ("MaxRecords", "Marker")
    each: int = 1
    """How many are there for each of the stub's databases."""


def _arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def _end(name: str, port: int) -> dict[str, Any]:
    return {"Address": f"{name}.example.amazonaws.com", "Port": port}


def _instance(engine: str, prefix: str, cluster: str = "") -> Callable[[int], dict[str, Any]]:
    def make(n: int) -> dict[str, Any]:
        name = f"{prefix}-{n}"
        return {
            "DBInstanceIdentifier": name,
            "DBClusterIdentifier": f"{cluster}-{n}" if cluster else None,
            "Engine": engine,
            "Endpoint": _end(name, 5432),
            "DBSubnetGroup": {"VpcId": "vpc-1", "Subnets": [{"SubnetIdentifier": "subnet-1"}]},
            "DbiResourceId": f"db-{n}",
            "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        }

    return make


CLUSTERED = {"aurora": "aurora-postgresql", "multi": "postgres", "docdb": "docdb", "neptune": "neptune"}


def _instances(n: int) -> dict[str, Any]:
    kinds = [_instance("mysql", "rds"), *(_instance(e, f"{name}-member", name) for name, e in CLUSTERED.items())]
    return kinds[n % len(kinds)](n // len(kinds))


def _clusters(n: int) -> dict[str, Any]:
    prefix, engine = list(CLUSTERED.items())[n % len(CLUSTERED)]
    name = f"{prefix}-{n // len(CLUSTERED)}"
    return {
        "DBClusterIdentifier": name,
        "Engine": engine,
        "Endpoint": f"{name}.cluster.example.amazonaws.com",
        "ReaderEndpoint": f"{name}.cluster-ro.example.amazonaws.com",
        "Port": 5432,
        "DBClusterMembers": [
            {"DBInstanceIdentifier": f"{prefix}-member-{n // len(CLUSTERED)}", "IsClusterWriter": True}
        ],
    }


_RESULTS, _SMALL = ("MaxResults", "NextToken"), ("maxResults", "nextToken")
LISTS = {
    "DescribeDBInstances": Listed("rds", "DBInstances", _instances, each=1 + len(CLUSTERED)),
    "DescribeDBClusters": Listed("rds", "DBClusters", _clusters, each=len(CLUSTERED)),
    "DescribeDBClusterEndpoints": Listed(
        "rds",
        "DBClusterEndpoints",
        lambda n: {
            "DBClusterEndpointIdentifier": f"custom-{n}",
            "DBClusterIdentifier": f"aurora-{n}",
            "Endpoint": f"custom-{n}.cluster-custom.example.amazonaws.com",
            "EndpointType": "CUSTOM",
        },
    ),
    "DescribeDBProxies": Listed(
        "rds",
        "DBProxies",
        lambda n: {
            "DBProxyName": f"proxy-{n}",
            "DBProxyArn": _arn("rds", f"db-proxy:prx-{n}"),
            "Endpoint": f"proxy-{n}.proxy.example.amazonaws.com",
            "EngineFamily": "MYSQL",
            "VpcId": "vpc-1",
        },
    ),
    "DescribeDBProxyEndpoints": Listed(
        "rds",
        "DBProxyEndpoints",
        lambda n: {
            "DBProxyEndpointName": "more",
            "DBProxyName": f"proxy-{n}",
            "Endpoint": f"more-{n}.endpoint.proxy.example.amazonaws.com",
            "TargetRole": "READ_ONLY",
        },
    ),
    "DescribeCacheClusters": Listed(
        "elasticache",
        "CacheClusters",
        lambda n: {
            "CacheClusterId": f"cache-{n}",
            "ReplicationGroupId": f"group-{n // 2}" if n % 2 else None,
            "Engine": "redis" if n % 2 else "memcached",
            "CacheNodes": [{"CacheNodeId": "0001", "Endpoint": _end(f"cache-{n}", 11211)}],
            "CacheSubnetGroupName": f"subnets-{n}",
            "ARN": _arn("elasticache", f"cluster:cache-{n}"),
        },
        each=2,
    ),
    "DescribeReplicationGroups": Listed(
        "elasticache",
        "ReplicationGroups",
        lambda n: {
            "ReplicationGroupId": f"group-{n}",
            "NodeGroups": [{"PrimaryEndpoint": _end(f"group-{n}", 6379)}],
            "ARN": _arn("elasticache", f"replicationgroup:group-{n}"),
        },
    ),
    "DescribeCacheSubnetGroups": Listed(
        "elasticache",
        "CacheSubnetGroups",
        lambda n: {"CacheSubnetGroupName": f"subnets-{n}", "VpcId": "vpc-1"},
        each=2,
    ),
    "DescribeServerlessCaches": Listed(
        "elasticache",
        "ServerlessCaches",
        lambda n: {
            "ServerlessCacheName": f"serverless-{n}",
            "Engine": "valkey",
            "Endpoint": _end(f"serverless-{n}", 6379),
            "ARN": _arn("elasticache", f"serverlesscache:serverless-{n}"),
        },
        _RESULTS,
    ),
    "memorydb.DescribeClusters": Listed(
        "memorydb",
        "Clusters",
        lambda n: {
            "Name": f"memory-{n}",
            "ClusterEndpoint": _end(f"memory-{n}", 6379),
            "SubnetGroupName": f"subnets-{n}",
            "TLSEnabled": True,
            "ARN": _arn("memorydb", f"cluster/memory-{n}"),
        },
        _RESULTS,
    ),
    "DescribeSubnetGroups": Listed(
        "memorydb", "SubnetGroups", lambda n: {"Name": f"subnets-{n}", "VpcId": "vpc-1"}, _RESULTS
    ),
    "redshift.DescribeClusters": Listed(
        "redshift",
        "Clusters",
        lambda n: {
            "ClusterIdentifier": f"warehouse-{n}",
            "Endpoint": _end(f"warehouse-{n}", 5439),
            "VpcId": "vpc-1",
            "Tags": [{"Key": "number", "Value": str(n)}],
        },
    ),
    "DescribeClusterSubnetGroups": Listed(
        "redshift", "ClusterSubnetGroups", lambda n: {"ClusterSubnetGroupName": f"subnets-{n}"}
    ),
    "ListWorkgroups": Listed(
        "redshift-serverless",
        "workgroups",
        lambda n: {
            "workgroupName": f"workgroup-{n}",
            "namespaceName": f"space-{n}",
            "endpoint": {"address": f"workgroup-{n}.example.amazonaws.com", "port": 5439},
            "workgroupArn": _arn("redshift-serverless", f"workgroup/workgroup-{n}"),
        },
        _SMALL,
    ),
    "ListNamespaces": Listed(
        "redshift-serverless",
        "namespaces",
        lambda n: {"namespaceName": f"space-{n}", "adminUsername": f"admin-{n}"},
        _SMALL,
    ),
    "ListDomainNames": Listed("opensearch", "DomainNames", lambda n: {"DomainName": f"domain-{n}"}, None),
}
TAGGED = {
    "rds:db-proxy": lambda n: _arn("rds", f"db-proxy:prx-{n}"),
    "elasticache:cluster": lambda n: _arn("elasticache", f"cluster:cache-{n}"),
    "elasticache:replicationgroup": lambda n: _arn("elasticache", f"replicationgroup:group-{n}"),
    "elasticache:serverlesscache": lambda n: _arn("elasticache", f"serverlesscache:serverless-{n}"),
    "memorydb:cluster": lambda n: _arn("memorydb", f"cluster/memory-{n}"),
    "redshift-serverless:workgroup": lambda n: _arn("redshift-serverless", f"workgroup/workgroup-{n}"),
    "es:domain": lambda n: _arn("es", f"domain/domain-{n}"),
}


class DatabaseWire:
    """A running stub with `count` databases of each kind; a context manager. `calls` counts the operations."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.calls: Counter[str] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            def do_GET(self) -> None:
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                signed = str(self.headers.get("Authorization")).partition("Credential=")[2].split("/")
                answer = wire._answered(signed[3], str(self.headers.get("X-Amz-Target", "")), self.path, body)
                self.send_response(answer.status)
                for name, value in (("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_request(self, *_: object) -> None:
                """No lines."""

        return Handler

    def _answered(self, service: str, target: str, path: str, body: bytes) -> Any:
        if target:
            operation, asked = target.rpartition(".")[2], json.loads(body)
        elif service == "es":
            operation, asked = ("DescribeDomains", json.loads(body)) if body else ("ListDomainNames", {})
        else:
            asked = dict(parse_qsl(body.decode()))
            operation = asked["Action"]
        self.calls[f"{service}:{operation}"] += 1
        if operation == "DescribeDomains":
            return self._domains(asked["DomainNames"])
        if operation == "GetResources":
            arns = [_resource(TAGGED[each](n), n) for each in asked["ResourceTypeFilters"] for n in range(self.count)]
            return self._page("resourcegroupstaggingapi", operation, "ResourceTagMappingList", arns, asked, _TAGS)
        listed = LISTS.get(operation) or LISTS.get(f"{service}.{operation}")
        if listed is None:
            return written(service, operation, {})
        entries = [listed.make(n) for n in range(self.count * listed.each)]
        return self._page(listed.service, operation, listed.key, entries, asked, listed.paging)

    def _domains(self, names: Sequence[str]) -> Any:
        assert len(names) <= DOMAINS_AT_ONCE, "AWS refuses more"
        domains = [
            {
                "DomainId": f"{ACCOUNT}/{name}",
                "DomainName": name,
                "ARN": _arn("es", f"domain/{name}"),
                "ClusterConfig": {},
                "EngineVersion": "OpenSearch_2.19",
                "Endpoints": {"vpc": f"vpc-{name}.es.example.amazonaws.com"},
                "VPCOptions": {"VPCId": "vpc-1"},
            }
            for name in names
        ]
        return written("opensearch", "DescribeDomains", {"DomainStatusList": domains})

    def _page(
        self,
        service: str,
        operation: str,
        key: str,
        entries: Sequence[dict[str, Any]],
        asked: dict[str, Any],
        paging: tuple[str, str] | None,
    ) -> Any:
        if paging is None:
            return written(service, operation, {key: list(entries)})
        size, token = paging
        wanted = int(asked.get(size) or 20)
        assert wanted <= MOST, "AWS refuses more"
        first = int(asked.get(token) or 0)
        following = str(first + wanted) if first + wanted < len(entries) else None
        page = [_known(each) for each in entries[first : first + wanted]]
        return written(service, operation, {key: page, token: following})


_TAGS = ("ResourcesPerPage", "PaginationToken")


def _resource(arn: str, n: int) -> dict[str, Any]:
    return {"ResourceARN": arn, "Tags": [{"Key": "number", "Value": str(n)}]}


def _known(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}
