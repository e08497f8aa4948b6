"""Databases as values: their families."""

from __future__ import annotations

import pytest

from ssm_tui.domain.databases import Family
from tests.builders import database


@pytest.mark.parametrize(
    ("engine", "family"),
    [
        ("postgres", Family.POSTGRES),
        ("aurora-postgresql", Family.POSTGRES),
        ("POSTGRESQL", Family.POSTGRES),
        ("aurora-mysql", Family.MYSQL),
        ("mariadb", Family.MYSQL),
        ("redis", Family.REDIS),
        ("valkey", Family.REDIS),
        ("OpenSearch_2.19", Family.HTTPS),
        ("Elasticsearch_7.10", Family.HTTPS),
        ("neptune", Family.HTTPS),
        ("https", Family.HTTPS),
        ("memcached", Family.MEMCACHED),
        ("docdb", Family.MONGO),
        ("sqlserver-ex", Family.SQLSERVER),
        ("custom-oracle-ee", Family.ORACLE),
        ("redshift", Family.REDSHIFT),
        ("db2-se", Family.OTHER),
    ],
)
def test_families(engine: str, family: Family) -> None:
    assert database(engine=engine).family is family
