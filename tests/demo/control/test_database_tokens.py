"""Tokens for databases, made by botocore as everybody's are: whom they let in, and everything that keeps them out."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ssm_tui.demo.callers import MFA_CODE, mfa_role_arn, mfa_serial
from tests.demo.control.world import IN_ONE_PROCESS, POSTGRES, World
from tests.demo_cloud import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.demo.servers import Far

pytestmark = IN_ONE_PROCESS


@pytest.fixture
def orders(world: World) -> Far:
    return _far(world, "orders")


def _far(world: World, name: str) -> Far:
    """The endpoint of an instance, as the server behind it is told."""
    seen: list[Far] = []

    def server(far: Far) -> tuple[str, int]:
        seen.append(far)
        return POSTGRES

    replace(world.network, servers=server).resolve(world.node("결제-api-1"), world.host(name), 5432)
    return seen[0]


@pytest.fixture
def developer(world: World) -> Iterator[Caller]:
    iam = world.administrator.client("iam")
    key = iam.create_access_key(UserName="developer")["AccessKey"]
    caller = Caller(world.environment, key["AccessKeyId"], key["SecretAccessKey"])
    yield caller
    caller.close()
    iam.delete_access_key(UserName="developer", AccessKeyId=key["AccessKeyId"])


def _token(caller: Caller, far: Far, user: str = "orders_iam", region: str = "", **instead: Any) -> str:
    asked: dict[str, Any] = {"DBHostname": far.host, "Port": far.port, **instead}
    return str(caller.client("rds").generate_db_auth_token(DBUsername=user, Region=region or far.region, **asked))


def _admits(far: Far, token: str, *, user: str = "orders_iam", later: timedelta = timedelta()) -> bool:
    from ssm_tui.demo.database_tokens import DatabaseTokens

    return DatabaseTokens(threading.Lock(), now=lambda: datetime.now(UTC) + later)(far, user, token)


def test_a_token_is_good_for_its_endpoint_its_user_and_a_quarter_of_an_hour(orders: Far, developer: Caller) -> None:
    token = _token(developer, orders)
    assert _admits(orders, token)
    assert _admits(orders, token, later=timedelta(minutes=14))
    assert not _admits(orders, token, later=timedelta(minutes=16))
    assert not _admits(orders, token, later=-timedelta(minutes=10))
    assert not _admits(orders, token, user="app")
    assert not _admits(replace(orders, host=f"other.{orders.host}"), token)
    assert not _admits(replace(orders, port=5433), token)


@pytest.mark.parametrize("instead", [{"Port": 15432}, {"DBHostname": "127.0.0.1"}, {"region": "us-east-1"}])
def test_a_token_for_elsewhere_is_none(orders: Far, developer: Caller, instead: dict[str, Any]) -> None:
    assert not _admits(orders, _token(developer, orders, **instead))


def test_what_was_changed_or_is_no_token_lets_nobody_in(orders: Far, developer: Caller) -> None:
    token = _token(developer, orders)
    longer = token.replace("X-Amz-Expires=900", "X-Amz-Expires=90000")
    another = token.replace("orders_iam", "ledger_iam")
    for changed in (longer, token[:-1], token + "0", token.replace("X-Amz-Expires=900&", ""), f"https://{token}"):
        assert changed != token
        assert not _admits(orders, changed)
    assert not _admits(orders, another, user="ledger_iam")
    for none in ("", "hunter2", f"{orders.host}:5432/?", f"{orders.host}:5432/?Action=connect&DBUser=orders_iam"):
        assert not _admits(orders, none)


def test_policies_of_the_signer_decide_user_by_user(world: World, orders: Far, developer: Caller) -> None:
    assert not _admits(orders, _token(developer, orders, "app"), user="app")
    assert _admits(orders, _token(world.administrator, orders, "app"), user="app")
    iam = world.administrator.client("iam")
    resource = f"arn:aws:rds-db:*:*:dbuser:{orders.terms.resource}/*"
    forbids = {"Effect": "Deny", "Action": "rds-db:*", "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [forbids]})
    iam.put_user_policy(UserName="developer", PolicyName="NoOrders", PolicyDocument=document)
    try:
        assert not _admits(orders, _token(developer, orders))
    finally:
        iam.delete_user_policy(UserName="developer", PolicyName="NoOrders")
    assert _admits(orders, _token(developer, orders))


def test_a_roles_session_signs_with_its_token(orders: Far, developer: Caller) -> None:
    account = orders.account
    session = developer.client("sts").assume_role(
        RoleArn=mfa_role_arn(account), RoleSessionName="kim", SerialNumber=mfa_serial(account), TokenCode=MFA_CODE
    )["Credentials"]
    keys = session["AccessKeyId"], session["SecretAccessKey"]
    role, without = (Caller(developer._environment, *keys, token) for token in (session["SessionToken"], None))
    assert _admits(orders, _token(role, orders))
    assert not _admits(orders, _token(without, orders))
    role.close()
    without.close()


def test_keys_that_are_gone_sign_nothing(world: World, orders: Far, developer: Caller) -> None:
    token = _token(developer, orders)
    iam, key = world.administrator.client("iam"), token.partition("X-Amz-Credential=")[2].partition("%2F")[0]
    iam.update_access_key(UserName="developer", AccessKeyId=key, Status="Inactive")
    assert not _admits(orders, token)


def test_the_settings_of_the_database_count_as_they_are(world: World, developer: Caller) -> None:
    from ssm_tui.demo.servers import Tls

    rds = world.administrator.client("rds")
    assert not _admits(_far(world, "ledger"), _token(developer, _far(world, "ledger")))
    assert _far(world, "ledger").terms.tls is Tls.REQUIRED
    assert _far(world, "orders").terms.tls is Tls.OFFERED
    forced = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="orders-parameters", Parameters=[forced])
    rds.modify_db_instance(DBInstanceIdentifier="orders", EnableIAMDatabaseAuthentication=False)
    try:
        assert _far(world, "orders").terms.tls is Tls.REQUIRED
        assert not _admits(_far(world, "orders"), _token(developer, _far(world, "orders")))
    finally:
        back = {**forced, "ParameterValue": "0"}
        rds.modify_db_parameter_group(DBParameterGroupName="orders-parameters", Parameters=[back])
        rds.modify_db_instance(DBInstanceIdentifier="orders", EnableIAMDatabaseAuthentication=True)
    assert _admits(_far(world, "orders"), _token(developer, _far(world, "orders")))
