"""What is put in comes out of the format's own reader."""

from __future__ import annotations

import ast
import os
import shlex
from io import StringIO
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import given
from psycopg.conninfo import conninfo_to_dict
from redis.connection import parse_url
from sqlalchemy import make_url
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from ssm_tui.domain.connection import Trust, environment, render
from tests.domain.connection.readers import (
    FILES,
    NAMES,
    SERVER,
    UNHURRIED,
    read_braces,
    read_go_mysql,
    read_jdbc,
    read_options,
    read_semicolons,
    read_url,
    read_words,
    seen,
)


def text(engine: str, form: str, user: str, name: str, ca: str) -> str:
    db, at = seen(engine, Trust(rds=ca, system=ca), user=user, database=name)
    return render(db, form, at)


def arguments_of(dialect: Any, url: Any) -> dict[str, Any]:
    """What SQLAlchemy calls the driver with."""
    return dict(dialect().create_connect_args(url)[1])


FULL = {"host": SERVER, "hostaddr": "127.0.0.1", "port": "15432", "sslmode": "verify-full"}


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_libpq(user: str, name: str, ca: str) -> None:
    wanted = {**FULL, "user": user, "dbname": name, "sslrootcert": ca}
    assert conninfo_to_dict(text("postgres", "libpq", user, name, ca)) == wanted
    assert conninfo_to_dict(text("postgres", "url", user, name, ca)) == wanted
    command = shlex.split(text("postgres", "psql", user, name, ca))
    assert (command[0], conninfo_to_dict(command[1])) == ("psql", wanted)


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_those_who_read_libpqs_words_without_hostaddr(user: str, name: str, ca: str) -> None:
    wanted = {"host": "127.0.0.1", "port": "15432", "user": user, "dbname": name, "sslmode": "verify-ca"}
    for form in ("asyncpg", "go"):
        assert conninfo_to_dict(text("postgres", form, user, name, ca)) == {**wanted, "sslrootcert": ca}


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_sqlalchemy_with_psycopg(user: str, name: str, ca: str) -> None:
    url = make_url(text("postgres", "sqlalchemy", user, name, ca))
    arguments = arguments_of(PGDialect_psycopg, url)
    wanted = {**FULL, "port": 15432, "user": user, "dbname": name, "sslrootcert": ca}
    assert {key: value for key, value in arguments.items() if key in wanted} == wanted
    assert url.drivername == "postgresql+psycopg"


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_sqlalchemy_with_asyncpg(user: str, name: str, ca: str) -> None:
    url = make_url(text("postgres", "sqlalchemy-asyncpg", user, name, ca))
    arguments = arguments_of(PGDialect_asyncpg, url)
    assert read_url(arguments["dsn"])["sslrootcert"] == ca
    assert conninfo_to_dict(arguments["dsn"]) == {"sslmode": "verify-ca", "sslrootcert": ca}
    assert (arguments["host"], arguments["port"]) == ("127.0.0.1", 15432)
    assert (arguments["user"], arguments["database"]) == (user, name)


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_sqlalchemy_with_pymysql(user: str, name: str, ca: str) -> None:
    url = make_url(text("mysql", "sqlalchemy", user, name, ca))
    arguments = arguments_of(MySQLDialect_pymysql, url)
    assert arguments["ssl"] == {"ca": ca, "check_hostname": False}
    assert (arguments["host"], arguments["port"]) == ("127.0.0.1", 15432)
    assert (arguments["user"], arguments["database"]) == (user, name)


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
@pytest.mark.parametrize(
    ("engine", "dialect"), [("sqlserver", "mssql+pyodbc"), ("oracle", "oracle+oracledb"), ("redshift", "redshift")]
)
def test_sqlalchemy_with_others(engine: str, dialect: str, user: str, name: str, ca: str) -> None:
    url = make_url(text(engine, "sqlalchemy", user, name, ca))
    assert (url.username, url.database, url.port) == (user, name, 15432)
    assert url.drivername.startswith(dialect)


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
@pytest.mark.parametrize(
    ("engine", "form", "key"),
    [
        ("postgres", "node", "sslrootcert"),
        ("mysql", "url", "ssl-ca"),
        ("mongo", "url", "tlsCAFile"),
        ("sqlserver", "url", "certificate"),
        ("redis", "url", "ssl_ca_certs"),
    ],
)
def test_urls(engine: str, form: str, key: str, user: str, name: str, ca: str) -> None:
    read = read_url(text(engine, form, user, name, ca))
    assert (read["user"], read["host"], read["port"], read[key]) == (user, "127.0.0.1", 15432, ca)
    assert read["database"] == name


@UNHURRIED
@given(user=NAMES, ca=FILES)
def test_redis_py(user: str, ca: str) -> None:
    db, at = seen("redis", Trust(system=ca), user=user, database=None)
    parse: Any = parse_url
    read = parse(render(db, "url", at))
    assert (read["username"], read["ssl_ca_certs"], read["ssl_check_hostname"]) == (user, ca, False)
    assert (read["host"], read["port"]) == ("127.0.0.1", 15432)


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
@pytest.mark.parametrize(
    ("engine", "form", "key"),
    [
        ("postgres", "jdbc", "sslrootcert"),
        ("redshift", "jdbc", "sslrootcert"),
        ("mysql", "jdbc-mariadb", "serverSslCert"),
        ("mongo", "jdbc", "tlsCAFile"),
    ],
)
def test_jdbc(engine: str, form: str, key: str, user: str, name: str, ca: str) -> None:
    read = read_jdbc(text(engine, form, user, name, ca))
    assert (read["address"], read["database"], read["user"], read[key]) == ("127.0.0.1:15432", name, user, ca)


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_jdbc_of_microsoft(user: str, name: str, ca: str) -> None:
    address, _, properties = text("sqlserver", "jdbc", user, name, ca).partition(";")
    assert address == "jdbc:sqlserver://127.0.0.1:15432"
    wanted = {"databaseName": name, "user": user, "encrypt": "true", "hostNameInCertificate": SERVER}
    assert read_braces(properties) == wanted


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
@pytest.mark.parametrize(
    ("engine", "keys"),
    [
        ("postgres", ("Username", "Database", "Root Certificate")),
        ("mysql", ("User ID", "Database", "SSL CA")),
        ("sqlserver", ("User ID", "Database", "")),
    ],
)
def test_ado_net(engine: str, keys: tuple[str, str, str], user: str, name: str, ca: str) -> None:
    read = read_semicolons(text(engine, "ado.net", user, name, ca))
    assert tuple(read.get(key, "") for key in keys) == (user, name, ca if keys[2] else "")


@UNHURRIED
@given(user=NAMES.filter(lambda user: ":" not in user), name=NAMES, ca=FILES)
def test_go_for_mysql(user: str, name: str, ca: str) -> None:
    read = read_go_mysql(text("mysql", "go", user, name, ca))
    assert read == {"user": user, "address": "127.0.0.1:15432", "database": name, "tls": "skip-verify"}


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
@pytest.mark.parametrize(
    ("engine", "form", "wanted"),
    [
        ("mysql", "mysql", {"-h": "127.0.0.1", "-P": "15432", "--ssl-mode": "VERIFY_CA", "-p": ""}),
        ("mysql", "mariadb", {"-h": "127.0.0.1", "-P": "15432", "--ssl": "", "-p": ""}),
        ("redis", "redis-cli", {"-h": "127.0.0.1", "-p": "15432", "--tls": "", "--sni": SERVER, "--askpass": ""}),
        ("sqlserver", "sqlcmd", {"-S": "tcp:127.0.0.1,15432", "-Nm": "", "-F": SERVER}),
    ],
)
def test_shells(engine: str, form: str, wanted: dict[str, str], user: str, name: str, ca: str) -> None:
    user, name = user.lstrip("-") or "a", name.lstrip("-") or "a"  # the reader here tells options by their dash
    assignments, command = read_words(text(engine, form, user, name, ca))
    options = read_options(command)
    assert command[0] == form
    assert {key: options.pop(key) for key in wanted} == wanted
    assert sorted((*options.values(), *assignments.values())) == sorted(
        [user, ca] if engine == "redis" else [user, name, ca]
    )


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
@pytest.mark.parametrize("engine", ["postgres", "mysql", "redis", "mongo", "sqlserver", "redshift"])
def test_dotenv_and_shells_read_the_same(engine: str, user: str, name: str, ca: str) -> None:
    db, at = seen(engine, Trust(rds=ca, system=ca), user=user, database=name)
    line = render(db, "env", at)
    ((key, value),) = dotenv_values(stream=StringIO(line), interpolate=True).items()
    assert value is not None
    assert shlex.split(line) == [f"{key}={value}"]
    assert not set(value) & set("$`!\\'\" ")  # what a shell would go on to look at
    assert read_url(value)["user"] == user
    assert environment(db, at)[key] == value


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
@pytest.mark.parametrize("engine", ["postgres", "mysql", "sqlserver"])
def test_django(engine: str, user: str, name: str, ca: str) -> None:
    setting = text(engine, "django", user, name, ca)
    read = ast.literal_eval(setting.removeprefix("DATABASES = "))["default"]
    assert (read["USER"], read["NAME"], read["PORT"]) == (user, name, "15432")
    if engine == "postgres":
        assert (read["HOST"], read["OPTIONS"]) == (
            SERVER,
            {"hostaddr": "127.0.0.1", "sslmode": "verify-full", "sslrootcert": ca},
        )
    if engine == "mysql":
        assert read["OPTIONS"] == {"ssl_mode": "VERIFY_CA", "ssl": {"ca": ca}}


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_the_environment_is_libpqs(user: str, name: str, ca: str) -> None:
    from psycopg.pq import Conninfo

    db, at = seen("postgres", Trust(rds=ca), user=user, database=name)
    before = dict(os.environ)
    try:
        os.environ.update({key: value for key, value in environment(db, at).items() if key.startswith("PG")})
        found = {
            option.keyword.decode(): option.val.decode() for option in Conninfo.get_defaults() if option.val is not None
        }
    finally:
        os.environ.clear()
        os.environ.update(before)
    wanted = {**FULL, "user": user, "dbname": name, "sslrootcert": ca}
    assert {key: found[key] for key in wanted} == wanted


def test_curl_dials_here_and_asks_there() -> None:
    db, at = seen("opensearch", user=None, port=443)
    options = read_options(shlex.split(render(db, "curl", at).rpartition(" ")[0]))
    assert options == {"--cacert": "/etc/ssl/cert.pem", "--connect-to": f"{SERVER}:443:127.0.0.1:15432"}
    assert render(db, "curl", at).endswith(f" https://{SERVER}/")
