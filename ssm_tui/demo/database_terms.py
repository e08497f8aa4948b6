"""How one gets in at a private endpoint: TLS, IAM, a cache's password, by its database's live settings. Reads moto.

Where a parameter group says nothing the engine's default counts, as RDS has it: PostgreSQL takes TLS alone from
version 15 on, Aurora's from 17 on (User Guides, "Requiring an SSL connection").
"""

from __future__ import annotations

from typing import Any

from ssm_tui.demo.servers import CacheUser, Terms, Tls

_FORCED = ("rds.force_ssl", "require_secure_transport")
_FORCED_FROM = {"postgres": 15, "aurora-postgresql": 17}
_ON = ("1", "on", "true")


def of_instance(rds: Any, instance: Any) -> Terms:
    """An instance's; one in a cluster has the cluster's."""
    cluster = rds.clusters.get(instance.db_cluster_identifier) if instance.db_cluster_identifier else None
    if cluster is not None:
        return of_cluster(rds, cluster)
    group = rds.db_parameter_groups.get(instance.db_parameter_group_name or "")
    iam = instance.enable_iam_database_authentication
    return Terms(_tls(instance, group), instance.dbi_resource_id if iam else "", version=_version(instance))


def of_cluster(rds: Any, cluster: Any) -> Terms:
    group = rds.db_cluster_parameter_groups.get(cluster.parameter_group or "")
    resource = cluster.db_cluster_resource_id if cluster.iam_auth else ""
    return Terms(_tls(cluster, group), resource, version=_version(cluster))


def of_proxy(proxy: Any) -> Terms:
    """A proxy's: whether it takes IAM is said beside each secret."""
    iam = any(each.get("IAMAuth") in ("REQUIRED", "ENABLED") for each in proxy.auth)
    required = str(proxy.require_tls).lower() in _ON
    return Terms(Tls.REQUIRED if required else Tls.OFFERED, proxy.unique_id if iam else "")


def of_cache(backend: Any, holder: Any) -> Terms:
    """A replication group's or a cluster's: the token of a group is kept with its members."""
    group = backend.replication_groups.get(getattr(holder, "replication_group_id", None) or "") or holder
    members = [backend.cache_clusters.get(each) for each in getattr(group, "member_clusters", ())]
    token = next((each.auth_token for each in (group, *members) if getattr(each, "auth_token", None)), "")
    tls = Tls.REQUIRED if str(group.transit_encryption_enabled).lower() in _ON else Tls.NONE
    users = tuple(_cache_user(each) for each in backend.users.values() if each.status == "active")
    if not getattr(group, "user_group_ids", None):
        return Terms(tls, password=token)
    return Terms(tls, group.replication_group_id, users=users)


def _cache_user(user: Any) -> CacheUser:
    # Moto knows no groups of users: whoever is one is in each.
    return CacheUser(user.id, user.name, user.access_string, user.authentication_type == "iam", tuple(user.passwords))


def _version(database: Any) -> str:
    return f"{database.engine_version}{'-MariaDB' if database.engine == 'mariadb' else ''}"


def _tls(database: Any, group: Any) -> Tls:
    said = group.parameters if group is not None else {}
    for name in _FORCED:
        if name in said:
            return Tls.REQUIRED if str(said[name].get("ParameterValue", "")).lower() in _ON else Tls.OFFERED
    version = str(database.engine_version or "").partition(".")[0]
    since = _FORCED_FROM.get(database.engine)
    return Tls.REQUIRED if since and version.isdecimal() and int(version) >= since else Tls.OFFERED
