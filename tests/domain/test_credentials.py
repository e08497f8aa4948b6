"""Passwords of databases: which are offered, what a secret's text means, and that the value shows nowhere."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.domain.credentials import (
    Credentials,
    PasswordMeans,
    Secret,
    means_of,
    read_secret,
    refuse,
    token_service,
    usual_user,
)
from ssm_tui.domain.databases import Kind
from ssm_tui.errors import TargetError
from tests.builders import database

ARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:rds!db-1"
NEEDLE = "s3cret-needle"


@pytest.mark.parametrize(
    ("facts", "offered"),
    [
        ({}, ()),
        ({"iam_auth": True}, (PasswordMeans.TOKEN,)),
        ({"iam_auth": True, "secret_arn": ARN}, (PasswordMeans.TOKEN, PasswordMeans.SECRET)),
        ({"secret_arn": ARN}, (PasswordMeans.SECRET,)),
        ({"iam_auth": True, "engine": "aurora-mysql", "kind": Kind.AURORA}, (PasswordMeans.TOKEN,)),
        ({"iam_auth": True, "engine": "mariadb"}, (PasswordMeans.TOKEN,)),
        ({"iam_auth": True, "kind": Kind.PROXY}, (PasswordMeans.TOKEN,)),
        # RDS has no tokens for these engines.
        ({"iam_auth": True, "engine": "sqlserver-se"}, ()),
        ({"kind": Kind.ELASTICACHE, "engine": "redis", "version": "7.1.0", "tls": True}, (PasswordMeans.TOKEN,)),
        ({"kind": Kind.ELASTICACHE, "engine": "valkey", "version": "8", "tls": True}, (PasswordMeans.TOKEN,)),
        ({"kind": Kind.ELASTICACHE, "engine": "valkey", "tls": True}, (PasswordMeans.TOKEN,)),
        ({"kind": Kind.ELASTICACHE, "engine": "redis", "version": "6.2.6", "tls": True}, ()),
        ({"kind": Kind.ELASTICACHE, "engine": "redis", "version": "7.1.0", "tls": False}, ()),
        ({"kind": Kind.ELASTICACHE, "engine": "redis", "version": "7.1.0", "tls": True, "iam_auth": False}, ()),
        ({"kind": Kind.ELASTICACHE, "engine": "memcached", "tls": True}, ()),
        ({"kind": Kind.MEMORYDB, "engine": "redis", "version": "7.0", "tls": True}, (PasswordMeans.TOKEN,)),
        ({"kind": Kind.REDSHIFT, "engine": "redshift"}, (PasswordMeans.TOKEN,)),
        ({"kind": Kind.REDSHIFT_SERVERLESS, "engine": "redshift"}, (PasswordMeans.TOKEN,)),
        ({"kind": Kind.DOCDB, "engine": "docdb", "iam_auth": True}, ()),
        ({"kind": Kind.NEPTUNE, "engine": "neptune", "iam_auth": True}, ()),
        ({"kind": Kind.OWN, "iam_auth": True}, ()),
    ],
)
def test_what_a_database_offers(facts: dict[str, Any], offered: tuple[PasswordMeans, ...]) -> None:
    db = database(**facts)
    assert means_of(db) == offered
    assert bool(token_service(db)) is (PasswordMeans.TOKEN in offered)
    for means in PasswordMeans:
        if means in offered:
            refuse(db, means)
        else:
            with pytest.raises(TargetError) as raised:
                refuse(db, means)
            assert raised.value.hint


def test_what_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(TargetError, match="no secret is known") as raised:
        refuse(database(iam_auth=True), PasswordMeans.SECRET)
    assert "it has a token" in raised.value.hint


def test_who_logs_in_where_nobody_says() -> None:
    assert usual_user(database(tags={"ssm-tui:user": "app_iam"})) == "app_iam"
    assert usual_user(database()) == "app"
    assert usual_user(database(user=None)) == ""


@pytest.mark.parametrize(
    ("text", "user", "password"),
    [
        ('{"username": "app", "password": "p w\\"1", "host": "h", "port": 5432}', "app", 'p w"1'),
        ('{"password": "only"}', "", "only"),
        ('{"Username": "App", "Password": "Upper"}', "App", "Upper"),
        ('{"user": "u", "auth_token": "redis"}', "u", "redis"),
        ("plain text", "", "plain text"),
        ("with a line's end\n", "", "with a line's end"),
        ('"in quotes"', "", "in quotes"),
        ("12345678", "", "12345678"),
        ("{not json", "", "{not json"),
    ],
)
def test_the_shapes_of_a_secret(text: str, user: str, password: str) -> None:
    found = read_secret(text, "")
    assert (found.user, found.password.reveal(), found.means) == (user, password, PasswordMeans.SECRET)
    assert read_secret(text, "other").user == "other"


@pytest.mark.parametrize(
    "text", ["", "\n", "{}", "[]", f'["{NEEDLE}"]', f'{{"key": "{NEEDLE}"}}', f"{NEEDLE}\0", '{"password": 1}']
)
def test_a_secret_without_a_password_says_nothing_of_what_is_in_it(text: str) -> None:
    with pytest.raises(TargetError) as raised:
        read_secret(text, "")
    assert NEEDLE not in "".join(traceback.format_exception(raised.value)) + raised.value.hint


@given(st.text(min_size=1).filter(lambda text: "\0" not in text), st.text(min_size=1))
def test_what_rds_writes_is_read_as_it_was(password: str, user: str) -> None:
    found = read_secret(json.dumps({"username": user, "password": password}), "")
    assert (found.user, found.password.reveal()) == (user, password)


def test_the_value_shows_nowhere() -> None:
    credentials = Credentials("app", Secret(NEEDLE), PasswordMeans.TOKEN)
    for text in (repr(credentials), str(credentials), f"{credentials.password}", "%s" % credentials.password):  # noqa: UP031
        assert NEEDLE not in text
        assert "Secret(…)" in text
    for write in (pickle.dumps, copy.deepcopy, json.dumps, msgspec.json.encode):
        with pytest.raises(TypeError) as raised:
            write(credentials.password)
        assert NEEDLE not in str(raised.value)
    assert credentials.password.reveal() == NEEDLE
