"""What DBeaver and DataGrip take: read as they read it."""

from __future__ import annotations

import shlex
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given

from ssm_tui.domain.connection import Trust, render
from ssm_tui.errors import UsageError
from tests.domain.connection.readers import FILES, NAMES, SERVER, UNHURRIED, seen


def read_dbeaver(text: str) -> dict[str, str]:
    """DataSourceUtils.getDataSourceBySpec: parameters between |, each cut at its first =."""
    program, option, spec = shlex.split(text)
    assert (program, option) == ("dbeaver", "-con")
    return dict(part.split("=", 1) for part in spec.split("|"))


def read_datagrip(text: str) -> ET.Element:
    """The data source between the marks."""
    head, name, begin, *lines, end = text.split("\n")
    assert (head, begin, end) == ("#DataSourceSettings#", "#BEGIN#", "#END#")
    assert name.startswith("#LocalDataSource: ")
    return ET.fromstring("\n".join(lines))


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_dbeaver(user: str, name: str, ca: str) -> None:
    assume("|" not in user + name + ca)
    db, at = seen("postgres", Trust(rds=ca), user=user, database=name)
    read = read_dbeaver(render(db, "dbeaver", at))
    assert (read["driver"], read["host"], read["port"]) == ("postgresql:postgres-jdbc", "127.0.0.1", "15432")
    assert (read["user"], read["database"], read["name"]) == (user, name, "orders (ssm-tui)")
    assert (read["prop.sslmode"], read["prop.sslrootcert"]) == ("verify-ca", ca)
    assert read["savePassword"] == "false"


def test_dbeaver_has_no_way_to_say_a_bar() -> None:
    db, at = seen("postgres", user="a|password=x")
    with pytest.raises(UsageError, match="DBeaver"):
        render(db, "dbeaver", at)


@UNHURRIED
@given(user=NAMES, name=NAMES, ca=FILES)
def test_datagrip(user: str, name: str, ca: str) -> None:
    db, at = seen("postgres", Trust(rds=ca), user=user, database=name)
    try:
        text = render(db, "datagrip", at)
    except UsageError:
        assert any(ord(sign) < 0x20 or ord(sign) > 0xFFFD for sign in user + name + ca)
        return
    source = read_datagrip(text)
    assert source.findtext("user-name") == user
    assert source.findtext("driver-ref") == "postgresql"
    assert (source.findtext("jdbc-url") or "").startswith("jdbc:postgresql://127.0.0.1:15432/")
    properties = {each.get("name"): each.get("value") for each in source.iter("property")}
    assert properties == {"sslmode": "verify-ca", "sslrootcert": ca}


def test_the_same_database_is_the_same_source_whatever_its_local_port() -> None:
    db, at = seen("sqlserver")
    source = read_datagrip(render(db, "datagrip", at))
    again = read_datagrip(render(db, "datagrip", type(at)(**{**{k: getattr(at, k) for k in at.__slots__}, "port": 1})))
    assert source.get("uuid") == again.get("uuid")
    properties = {each.get("name"): each.get("value") for each in source.iter("property")}
    assert properties == {"encrypt": "true", "hostNameInCertificate": SERVER}
