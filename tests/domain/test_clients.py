"""Database clients: which is chosen, the command that it is, and where a password goes, which is never its argv."""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg.conninfo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.clients import CLIENTS, choose, client_command, names, with_password
from ssm_tui.domain.connection import Trust, endpoint, environment
from ssm_tui.domain.credentials import Credentials, PasswordMeans, Secret
from ssm_tui.domain.databases import Database, Family
from ssm_tui.domain.sessions import LOOPBACK, Command
from ssm_tui.errors import PrerequisiteError
from tests.builders import database

NEEDLE = "s3cret needle'\"$@/:?#%"
ENGINES = {
    Family.POSTGRES: "postgres",
    Family.REDSHIFT: "redshift",
    Family.MYSQL: "mysql",
    Family.REDIS: "redis",
    Family.MONGO: "docdb",
    Family.SQLSERVER: "sqlserver-se",
    Family.ORACLE: "oracle-ee",
}
TRUST = Trust("/ca.pem", "/ca.pem", "/ca.pem")


def on_path(*programs: str) -> Any:
    return lambda name: f"/usr/bin/{name}" if name in programs else name if name.startswith("/") else None


def same(path: str) -> str:
    return path


def db_of(family: Family, **facts: Any) -> Database:
    found = database(engine=ENGINES[family], tls=True, **facts)
    assert found.family is family
    return found


def command_of(program: str, family: Family, credentials: Credentials | None = None, **facts: Any) -> Command:
    db = db_of(family, **facts)
    found = choose(family, program, on_path(program), same)
    return client_command(found, db, endpoint(db, LOOPBACK, 15432, TRUST), credentials)


def login(user: str = "", means: PasswordMeans = PasswordMeans.SECRET) -> Credentials:
    return Credentials(user, Secret(NEEDLE), means)


ALL = [(family, client.program) for family, clients in CLIENTS.items() for client in clients]


def test_the_best_that_is_there_is_chosen() -> None:
    assert choose(Family.POSTGRES, "", on_path("psql", "harlequin"), same).name == "psql"
    assert choose(Family.POSTGRES, "", on_path("psql", "pgcli"), same).name == "pgcli"


def test_what_the_settings_name_comes_before_it() -> None:
    assert choose(Family.POSTGRES, "psql", on_path("psql", "pgcli"), same).path == "/usr/bin/psql"
    found = choose(Family.POSTGRES, "/opt/pg/bin/psql", on_path("pgcli"), same)
    assert (found.name, found.path) == ("psql", "/opt/pg/bin/psql")


def test_debians_mysql_is_mariadbs() -> None:
    found = choose(Family.MYSQL, "", on_path("mysql"), lambda _path: "/usr/bin/mariadb")
    assert (found.name, found.path) == ("mariadb", "/usr/bin/mysql")
    # What lies behind Debian's psql is no client of its own.
    assert choose(Family.POSTGRES, "", on_path("psql"), lambda _path: "/usr/share/pg_wrapper").name == "psql"


@pytest.mark.parametrize(
    ("family", "wanted", "message", "hint"),
    [
        (Family.POSTGRES, "", "no client for postgres is on PATH", "pgcli, psql"),
        (Family.POSTGRES, "pgcli", "pgcli is not on PATH", "clients.postgres"),
        (Family.MEMCACHED, "", "no client of the terminal is known for memcached", "y copies"),
    ],
)
def test_where_there_is_none(family: Family, wanted: str, message: str, hint: str) -> None:
    with pytest.raises(PrerequisiteError, match=message) as caught:
        choose(family, wanted, on_path(), same)
    assert hint in caught.value.hint


@pytest.mark.parametrize(("family", "program"), ALL)
def test_every_client_goes_through_the_tunnel(family: Family, program: str) -> None:
    command = command_of(program, family)
    assert command.argv[0] == f"/usr/bin/{program}"
    words = " ".join(command.argv)
    assert "15432" in words
    assert LOOPBACK in words
    assert program in names(family)


@pytest.mark.parametrize(("family", "program"), ALL)
def test_a_password_is_in_the_environment_alone(family: Family, program: str) -> None:
    command = command_of(program, family, login("other"))
    assert NEEDLE not in " ".join(command.argv)
    assert NEEDLE not in repr(command)
    clients = {client.program: client for client in CLIENTS[family]}
    variables, asks = clients[program].variables, clients[program].asks
    assert {name for name, value in command.environment.items() if "needle" in value} == set(variables)
    assert not set(asks) & set(command.argv)
    assert set(asks) <= {*command_of(program, family).argv, "--askpass"}


@pytest.mark.parametrize("program", ["psql", "pgcli", "harlequin"])
def test_libpq_checks_the_name_through_the_tunnel(program: str) -> None:
    command = command_of(program, Family.POSTGRES, login("it's me"))
    told = psycopg.conninfo.conninfo_to_dict(command.argv[-1])
    db = db_of(Family.POSTGRES)
    assert told == {
        "host": db.endpoint,
        "hostaddr": LOOPBACK,
        "port": "15432",
        "user": "it's me",
        "dbname": "orders",
        "sslmode": "verify-full",
        "sslrootcert": "/ca.pem",
    }
    assert command.whole_environment({"PGSERVICE": "x", "PGHOSTADDR": "::1", "HOME": "/h"}) == {
        "HOME": "/h",
        **command.environment,
    }


def test_clients_that_keep_passwords_are_told_not_to() -> None:
    for program, family in (("pgcli", Family.POSTGRES), ("mycli", Family.MYSQL)):
        told = command_of(program, family, login())
        assert told.environment["PYTHON_KEYRING_BACKEND"] == "keyring.backends.null.Keyring"
        assert "PYTHON_KEYRING_BACKEND" not in command_of(program, family).environment


def test_mysqls_client_sends_a_token_as_it_is() -> None:
    assert command_of("mysql", Family.MYSQL, login(means=PasswordMeans.TOKEN)).environment == {
        "MYSQL_PWD": NEEDLE,
        "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN": "1",
    }
    assert command_of("mysql", Family.MYSQL, login()).environment == {"MYSQL_PWD": NEEDLE}
    assert "-p" in command_of("mysql", Family.MYSQL).argv


def test_mongosh_reads_the_whole_url_from_its_environment() -> None:
    command = command_of("mongosh", Family.MONGO, login("me"))
    assert command.argv[-1] == "db = connect(process.env.MONGODB_URI)"
    parts = urlsplit(command.environment["MONGODB_URI"])
    assert (parts.username, unquote(parts.password or ""), parts.port) == ("me", NEEDLE, 15432)


def test_assignments_before_a_command_are_its_environment() -> None:
    command = command_of("sqlcmd", Family.SQLSERVER)
    assert command.environment == {"SSL_CERT_FILE": "/ca.pem"}
    assert not [word for word in command.argv if word.startswith("SSL_CERT_FILE")]


@given(
    st.sampled_from(sorted(ENGINES)),
    st.text(st.characters(codec="utf-8"), min_size=1),
    st.text(st.characters(codec="utf-8", exclude_characters='\0\r\n"'), max_size=12),
)
def test_a_password_comes_out_of_every_url_as_it_was_put_in(family: Family, password: str, user: str) -> None:
    db = database(engine=ENGINES[family], tls=True, user=user or None)
    at = endpoint(db, LOOPBACK, 15432, TRUST)
    before = environment(db, at)
    told = with_password(db, before, Credentials(user, Secret(password), PasswordMeans.SECRET))
    assert set(before) <= set(told)
    for name in ("DATABASE_URL", "REDIS_URL", "MONGODB_URI"):
        if name in told:
            parts = urlsplit(told[name])
            assert unquote(parts.password or "") == password
            assert unquote(parts.username or "") == (user or "")
            assert (parts.hostname, parts.port) == (urlsplit(before[name]).hostname, 15432)
            assert told[name].endswith(before[name].rpartition("15432")[2])


def test_every_protocol_has_a_variable_for_a_password() -> None:
    for family in Family:
        db = database(engine=ENGINES.get(family, "memcached"))
        told = with_password(db, {}, login())
        assert NEEDLE in told.values()
        assert shlex.join(told)
