"""Entries in clients' files: read by the clients' own readers, replaced by the next, and nothing else touched."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from psycopg.pq import Conninfo

from ssm_tui.domain.connection import Trust, endpoint
from ssm_tui.domain.connection.entries import ClientFile, Entry, entry
from ssm_tui.errors import SsmTuiError, UsageError
from ssm_tui.store.client_files import ClientFiles, replaced
from tests.builders import database

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20)
TRUST = Trust(rds="/rds.pem")


def pg(name: str = "", port: int = 15432, **fields: Any) -> Entry:
    db = database(**fields)
    return entry(db, ClientFile.PG_SERVICE, endpoint(db, "127.0.0.1", port, TRUST, name))


def my(port: int = 15432, **fields: Any) -> Entry:
    db = database(engine="mysql", **fields)
    return entry(db, ClientFile.MY_CNF, endpoint(db, "127.0.0.1", port, TRUST))


@contextmanager
def environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def libpq_reads(file: Path, service: str) -> dict[str, str]:
    """The connection's parameters as libpq itself finds them in a service file."""
    with environment(PGSERVICEFILE=str(file), PGSERVICE=service):
        found = Conninfo.get_defaults()
    return {option.keyword.decode(): option.val.decode() for option in found if option.val is not None}


def mysql_reads(text: str) -> dict[str, dict[str, str]]:
    """my_load_defaults: sections of `key=value`; spaces around both go, then a pair of equal quotes, then escapes."""
    escapes = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "s": " ", '"': '"', "'": "'", "\\": "\\"}
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.strip(" \t") or line[0] in "#;":
            continue
        if line.startswith("["):
            section = found.setdefault(line[1 : line.index("]")], {})
            continue
        key, _, value = line.partition("=")
        value = value.strip(" \t\r\f\v")
        if len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]:
            value = value[1:-1]
        else:
            value = re.split(r"#", value)[0]
        section[key.strip()] = re.sub(r"\\([nrtbs\"'\\])", lambda found: escapes[found[1]], value)
    return found


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClientFiles:
    monkeypatch.setenv("HOME", str(tmp_path))
    return ClientFiles(tmp_path / "state", {})


def test_libpq_finds_the_service(files: ClientFiles) -> None:
    place = files.write(pg())
    assert place == Path.home() / ".pg_service.conf"
    found = libpq_reads(place, "orders")
    assert {key: found[key] for key in ("host", "hostaddr", "port", "user", "dbname", "sslmode", "sslrootcert")} == {
        "host": database().endpoint,
        "hostaddr": "127.0.0.1",
        "port": "15432",
        "user": "app",
        "dbname": "orders",
        "sslmode": "verify-full",
        "sslrootcert": "/rds.pem",
    }


@UNHURRIED
@given(user=NAMES, name=NAMES)
def test_libpq_reads_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, user: str, name: str) -> None:
    try:
        written = pg(user=user, database=name)
    except UsageError:
        assert any(each != each.rstrip() or len(each.splitlines()) > 1 for each in (user, name))
        return
    place = ClientFiles(tmp_path_factory.getbasetemp(), {}).state / "services"
    place.unlink(missing_ok=True)
    ClientFiles(place.parent / "state", {"PGSERVICEFILE": str(place)}).write(written)
    found = libpq_reads(place, "orders")
    assert (found["user"], found["dbname"]) == (user, name)


@UNHURRIED
@given(user=NAMES, name=NAMES)
def test_mysql_reads_back_what_was_written(user: str, name: str) -> None:
    found = mysql_reads(replaced(b"", my(user=user, database=name), "my.cnf").decode())
    client = {"host": "127.0.0.1", "port": "15432", "user": user, "loose-ssl-mode": "VERIFY_CA", "ssl-ca": "/rds.pem"}
    assert found == {"client_orders": client, "mysql_orders": {"database": name}}


def test_the_service_file_may_be_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "services.conf"
    assert ClientFiles(tmp_path / "state", {"PGSERVICEFILE": str(elsewhere)}).write(pg()) == elsewhere
    assert elsewhere.is_file()


@UNHURRIED
@given(before=st.binary(max_size=200), after=st.binary(max_size=200))
def test_every_other_byte_stays(before: bytes, after: bytes) -> None:
    assume(b"\x00" not in before + after and b"[orders]" not in before + after)
    first = replaced(before, pg(), "services")
    assert first.startswith(before)
    assert replaced(first, pg(), "services") == first
    grown = first + after
    again = replaced(grown, pg(port=25432), "services")
    assert again == first.replace(b"port=15432", b"port=25432") + after
    assert replaced(again, pg(), "services") == grown


def test_two_entries_do_not_touch_each_other(files: ClientFiles) -> None:
    place = files.write(pg())
    files.write(pg("billing", port=5))
    before = place.read_bytes()
    files.write(pg(port=6))
    assert libpq_reads(place, "orders")["port"] == "6"
    assert libpq_reads(place, "billing")["port"] == "5"
    assert place.read_bytes() == before.replace(b"port=15432", b"port=6")


def test_a_new_file_is_for_its_owner_alone_and_an_old_one_keeps_what_it_had(files: ClientFiles) -> None:
    place = files.write(my())
    assert place.stat().st_mode & 0o777 == 0o600
    place.chmod(0o644)
    files.write(my(port=7))
    assert place.stat().st_mode & 0o777 == 0o644
    assert sorted(each.name for each in Path.home().iterdir()) == [".my.cnf", "state"]


def test_an_entry_that_is_there_already_is_not_written_again(files: ClientFiles) -> None:
    place = files.write(pg())
    before = place.stat()
    files.write(pg())
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_link_stays_one(files: ClientFiles, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "services"
    real.parent.mkdir()
    (tmp_path / ".pg_service.conf").symlink_to(real)
    files.write(pg())
    assert (tmp_path / ".pg_service.conf").is_symlink()
    assert b"[orders]" in real.read_bytes()


def test_what_is_not_utf8_stays_as_it_is(files: ClientFiles, tmp_path: Path) -> None:
    place = tmp_path / ".pg_service.conf"
    latin = "[büro]\r\nhost=büro\r\n".encode("latin-1")
    place.write_bytes(latin)
    files.write(pg())
    assert place.read_bytes().startswith(latin)
    assert libpq_reads(place, "orders")["port"] == "15432"


def test_a_section_of_somebody_elses_is_left_alone(files: ClientFiles, tmp_path: Path) -> None:
    place = tmp_path / ".pg_service.conf"
    place.write_bytes(b"[orders]\nhost=elsewhere")
    with pytest.raises(SsmTuiError, match=r"\[orders\] that ssm-tui has not written"):
        files.write(pg())
    assert place.read_bytes() == b"[orders]\nhost=elsewhere"


def test_an_end_that_is_gone_is_not_guessed(files: ClientFiles) -> None:
    place = files.write(pg())
    place.write_bytes(place.read_bytes().replace(b"# ssm-tui ends orders\n", b"") + b"[mine]\n")
    with pytest.raises(SsmTuiError, match="is gone"):
        files.write(pg(port=9))
    assert place.read_bytes().endswith(b"[mine]\n")


@pytest.mark.parametrize("content", [b"\xff\xfe[\x00a\x00]\x00", None], ids=["UTF-16", "a folder"])
def test_what_is_no_text_file_is_refused(files: ClientFiles, tmp_path: Path, content: bytes | None) -> None:
    place = tmp_path / ".pg_service.conf"
    place.mkdir() if content is None else place.write_bytes(content)
    with pytest.raises(SsmTuiError, match="no"):
        files.write(pg())
    assert content is None or place.read_bytes() == content


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    # A file where a folder is wanted: that keeps out root, too.
    (tmp_path / "closed").write_bytes(b"")
    closed = ClientFiles(tmp_path / "state", {"PGSERVICEFILE": str(tmp_path / "closed" / "services")})
    with pytest.raises(SsmTuiError, match="cannot be written"):
        closed.write(pg())


def test_a_name_fits_into_a_heading(files: ClientFiles) -> None:
    written = pg("shop/reader [1]")
    assert written.name == "shop-reader-1"
    assert written.use == "psql service=shop-reader-1"
    assert libpq_reads(files.write(written), "shop-reader-1")["port"] == "15432"


def test_only_the_clients_of_a_database_get_an_entry() -> None:
    db = database(engine="redis")
    with pytest.raises(UsageError, match="do not read pg-service"):
        entry(db, ClientFile.PG_SERVICE, endpoint(db, "127.0.0.1", 1))
    db = database(engine="mysql")
    with pytest.raises(UsageError) as raised:
        entry(db, ClientFile.PG_SERVICE, endpoint(db, "127.0.0.1", 1))
    assert "my-cnf" in raised.value.hint
