"""Connection strings: what is put in comes out of the format's own reader."""

from __future__ import annotations

import shlex
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from ssm_tui.domain.connection import Endpoint, endpoint, formats, render
from ssm_tui.domain.databases import Family
from ssm_tui.errors import UsageError
from tests.builders import database

NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20)
ENGINES = {
    Family.POSTGRES: "postgres",
    Family.MYSQL: "mysql",
    Family.REDIS: "redis",
    Family.MEMCACHED: "memcached",
    Family.MONGO: "docdb",
    Family.SQLSERVER: "sqlserver-ex",
    Family.ORACLE: "oracle-ee",
    Family.REDSHIFT: "redshift",
    Family.HTTPS: "OpenSearch_2.19",
    Family.OTHER: "db2-se",
}


def at(**fields: str) -> Endpoint:
    return endpoint(database(**fields), "127.0.0.1", 5432)


def test_the_usual_ones_read_as_people_write_them() -> None:
    db = database()
    assert render(db, "url", at()) == "postgresql://app@127.0.0.1:5432/orders"
    assert render(db, "psql", at()) == "psql -h 127.0.0.1 -p 5432 -U app -d orders"
    assert render(db, "jdbc", at()) == "jdbc:postgresql://127.0.0.1:5432/orders?user=app"
    assert render(db, "address", at()) == "127.0.0.1:5432"


@pytest.mark.parametrize("engine", ENGINES.values())
def test_every_format_of_every_engine_renders_one_line(engine: str) -> None:
    db = database(engine=engine, user=None, database=None)
    for name in formats(db):
        text = render(db, name, endpoint(db, "127.0.0.1", 15432))
        assert "15432" in text
        assert "\n" not in text
        assert "None" not in text


@given(user=NAMES, name=NAMES)
def test_libpq_reads_back_what_was_written(user: str, name: str) -> None:
    db = database(user=user, database=name)
    for form in ("libpq", "url"):
        read = conninfo_to_dict(render(db, form, at(user=user, database=name)))
        assert (read["user"], read["dbname"], read["port"]) == (user, name, "5432")


@given(user=NAMES, name=NAMES)
def test_a_shell_reads_back_what_was_written(user: str, name: str) -> None:
    db = database(user=user, database=name)
    argv = shlex.split(render(db, "psql", at(user=user, database=name)))
    assert argv == ["psql", "-h", "127.0.0.1", "-p", "5432", "-U", user, "-d", name]


@given(user=NAMES, name=NAMES)
def test_a_url_reader_reads_back_what_was_written(user: str, name: str) -> None:
    db = database(engine="mysql", user=user, database=name)
    url = urlsplit(render(db, "url", at(user=user, database=name)))
    assert (unquote(url.username or ""), unquote(url.path[1:]), url.port) == (user, name, 5432)


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as raised:
        render(database(), "odbc", at())
    assert "psql" in raised.value.hint
