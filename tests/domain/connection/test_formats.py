"""What formats there are, what the usual ones look like, and what is said of each."""

from __future__ import annotations

import pytest

from ssm_tui.domain.connection import NO_TRUST, Endpoint, Trust, checked, endpoint, environment, formats, render
from ssm_tui.domain.connection.entries import ClientFile, entry
from ssm_tui.domain.databases import Database, Family, Kind
from ssm_tui.errors import UsageError
from tests.builders import database
from tests.domain.connection.readers import ENGINES, SERVER, TRUST, seen

PEM = Trust(rds="/rds.pem", system="/system.pem")


def shown(engine: str, name: str, trust: Trust = PEM) -> str:
    db, at = seen(engine, trust)
    return render(db, name, at)


def test_the_usual_ones_read_as_people_write_them() -> None:
    assert shown("postgres", "psql") == (
        f"psql 'host={SERVER} hostaddr=127.0.0.1 port=15432 user=app dbname=orders sslmode=verify-full"
        " sslrootcert=/rds.pem'"
    )
    assert shown("postgres", "asyncpg") == (
        "postgresql://app@127.0.0.1:15432/orders?sslmode=verify-ca&sslrootcert=/rds.pem"
    )
    assert shown("postgres", "jdbc") == (
        "jdbc:postgresql://127.0.0.1:15432/orders?user=app&sslmode=verify-ca&sslrootcert=/rds.pem"
    )
    assert shown("mysql", "mysql") == (
        "mysql -h 127.0.0.1 -P 15432 -u app -D orders --ssl-mode=VERIFY_CA --ssl-ca=/rds.pem -p"
    )
    assert shown("redis", "redis-cli") == (
        f"redis-cli -h 127.0.0.1 -p 15432 --user app --askpass --tls --sni {SERVER} --cacert /system.pem"
    )
    assert shown("sqlserver", "ado.net") == (
        f"Server=tcp:127.0.0.1,15432;Database=orders;User ID=app;Encrypt=true;HostNameInCertificate={SERVER}"
    )
    assert shown("oracle", "sqlplus") == (
        "sqlplus 'app@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT=15432))(CONNECT_DATA=(SID=orders)))'"
    )
    assert shown("postgres", "address") == "127.0.0.1:15432"


def test_without_a_bundle_it_is_encrypted_all_the_same() -> None:
    assert "sslmode=require'" in shown("postgres", "psql", NO_TRUST)
    assert "--ssl-mode=REQUIRED" in shown("mysql", "mysql", NO_TRUST)
    assert "--insecure" in shown("redis", "redis-cli", NO_TRUST)
    assert "tlsInsecure=true" in shown("mongo", "url", NO_TRUST)
    assert "trustServerCertificate=true" in shown("sqlserver", "jdbc", NO_TRUST)


def test_a_server_of_the_users_own_is_asked_as_clients_ask_by_themselves() -> None:
    own = database(kind=Kind.OWN)
    at = endpoint(own, "127.0.0.1", 15432, TRUST)
    assert render(own, "psql", at) == "psql -h 127.0.0.1 -p 15432 -U app -d orders"
    assert render(own, "url", at) == "postgresql://app@127.0.0.1:15432/orders"
    assert "nothing is checked" in checked(own, "psql", at)


@pytest.mark.parametrize("trust", [NO_TRUST, TRUST], ids=["no bundle", "bundle"])
@pytest.mark.parametrize("engine", ENGINES)
def test_every_format_of_every_engine(engine: str, trust: Trust) -> None:
    for fields in ({}, {"user": None, "database": None}, {"tls": False}, {"tls": True}):
        db, at = seen(engine, trust, **fields)
        for name in formats(db):
            text = render(db, name, at)
            assert "15432" in text
            assert "\n" not in text or name == "datagrip"
            assert "None" not in text
            said = checked(db, name, at)
            assert said
            assert "\n" not in said


def test_every_family_has_formats_of_its_own_but_the_unknown() -> None:
    families = {ENGINES[engine].database().family for engine in ENGINES}
    assert families == set(Family) - {Family.OTHER}
    assert formats(database(engine="unheard-of")) == ("address",)


@pytest.mark.parametrize(
    ("kind", "engine", "bundle"),
    [
        (Kind.RDS, "mysql", "/rds.pem"),
        (Kind.AURORA, "aurora-postgresql", "/rds.pem"),
        (Kind.MULTI_AZ, "postgres", "/rds.pem"),
        (Kind.DOCDB, "docdb", "/rds.pem"),
        (Kind.PROXY, "postgres", "/system.pem"),
        (Kind.REDSHIFT_SERVERLESS, "redshift", "/system.pem"),
        (Kind.ELASTICACHE, "redis", "/system.pem"),
        (Kind.MEMORYDB, "valkey", "/system.pem"),
        (Kind.NEPTUNE, "neptune", "/system.pem"),
        (Kind.OPENSEARCH, "opensearch", "/system.pem"),
        (Kind.OWN, "postgres", ""),
    ],
)
def test_who_has_signed_for_whom(kind: Kind, engine: str, bundle: str) -> None:
    db = database(kind=kind, engine=engine)
    assert endpoint(db, "127.0.0.1", 1, PEM).ca == bundle
    assert endpoint(db, "127.0.0.1", 1, Trust("/own.pem", "/rds.pem", "/system.pem")).ca == "/own.pem"


def test_documentdb_speaks_tls_unless_it_is_known_not_to() -> None:
    assert "tls=true" in render(*_mongo(None))
    assert "tls=true" not in render(*_mongo(False))


def _mongo(tls: bool | None) -> tuple[Database, str, Endpoint]:
    db, at = seen("mongo", tls=tls)
    return db, "url", at


def test_a_token_of_iams_is_sent_as_it_is_and_within_tls_alone() -> None:
    db, at = seen("mysql", iam_auth=True)
    assert "--enable-cleartext-plugin" in render(db, "mysql", at)
    assert render(db, "go", at).endswith("?tls=skip-verify&allowCleartextPasswords=true")
    assert "loose-enable-cleartext-plugin" in entry(db, ClientFile.MY_CNF, at).lines
    db, at = seen("mysql")
    assert "cleartext" not in render(db, "mysql", at) + render(db, "go", at)
    own = database(engine="mysql", kind=Kind.OWN, iam_auth=True)
    assert "cleartext" not in render(own, "mysql", endpoint(own, "127.0.0.1", 1))


def test_what_is_checked_is_said() -> None:
    db, at = seen("postgres")
    assert checked(db, "psql", at) == "TLS; certificate checked: who signed it, and that it names the endpoint"
    assert "not that it names the endpoint" in checked(db, "jdbc", at)
    db, at = seen("postgres", NO_TRUST)
    assert "ssm-tui ca fetch" in checked(db, "psql", at)
    db, at = seen("redis", tls=False)
    assert "nothing is encrypted" in checked(db, "redis-cli", at)
    db, at = seen("opensearch", NO_TRUST)
    assert "names the endpoint" in checked(db, "curl", at)  # curl asks the system's own store
    db, at = seen("mysql")
    assert "not checked" in checked(db, "go", at)


def test_an_unknown_format_lists_the_known_ones() -> None:
    db, at = seen("postgres")
    for ask in (render, checked):
        with pytest.raises(UsageError) as raised:
            ask(db, "odbc", at)
        assert "psql" in raised.value.hint


def test_names_that_a_format_cannot_hold_are_refused_by_it_alone() -> None:
    db, at = seen("mysql", user="a:b")
    with pytest.raises(UsageError, match="Go's DSN"):
        render(db, "go", at)
    assert "a%3Ab@" in render(db, "url", at)
    db, at = seen("oracle", database="a)(b")
    with pytest.raises(UsageError, match="Oracle"):
        render(db, "sqlplus", at)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_environment_of_a_program_says_where_and_holds_no_empty_values(engine: str) -> None:
    db, at = seen(engine, user=None)
    found = environment(db, at)
    assert "15432" in "".join(found.values())
    assert all(found.values())
    assert not {"PGUSER", "MYSQL_USER"} & set(found)
