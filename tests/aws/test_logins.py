"""Logins to databases by IAM: what the simulation says of the whole list at once, against the demo cloud."""

from __future__ import annotations

import pytest

from ssm_tui.aws.live import AwsCloud
from ssm_tui.aws.login_rights import ACTIONS
from ssm_tui.domain.access import Cause, Verdict
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.credentials import token_service, usual_user
from ssm_tui.domain.databases import Database
from tests.aws.conftest import LISTING, REGION, SIMULATING, Administrator, allow, cloud_of
from tests.aws.test_access import simulated
from tests.aws.test_nodes import Recorder

CONNECT = "rds-db:connect"


def databases_of(cloud: AwsCloud) -> list[Database]:
    return [database for page in cloud.database_pages() for database in page.databases]


def orders(databases: list[Database]) -> Database:
    return next(each for each in databases if each.id == "orders")


@pytest.mark.parametrize(
    ("resource", "verdict", "cause"),
    [
        (f"arn:aws:rds-db:{REGION}:123456789012:dbuser:*/orders_iam", Verdict.ALLOWED, None),
        (f"arn:aws:rds-db:{REGION}:123456789012:dbuser:*/other", Verdict.DENIED, Cause.IMPLICIT),
        ("arn:aws:rds-db:us-east-1:123456789012:dbuser:*", Verdict.DENIED, Cause.IMPLICIT),
    ],
)
def test_who_may_log_in_by_iam(admin: Administrator, resource: str, verdict: Verdict, cause: Cause | None) -> None:
    gateway = Recorder(admin.profile(allow(*LISTING, *SIMULATING), allow(CONNECT, resource=resource)))
    cloud = AwsCloud(Context(None, REGION), gateway)
    databases = databases_of(cloud)
    logins = cloud.logins(databases)
    answer = logins[orders(databases).key]
    assert (answer.verdict, answer.cause) == (verdict, cause)
    assert answer.reason.startswith("as orders_iam: ")
    assert answer.resource.endswith(f"dbuser:{orders(databases).resource_id}/orders_iam")
    takers = [each for each in databases if token_service(each) in ACTIONS and usual_user(each)]
    assert set(logins) == {each.key for each in takers}
    # All of a service's in a call, and none again while it holds.
    asked = len(simulated(gateway))
    assert asked == len({token_service(each) for each in takers})
    assert cloud.logins(databases) == logins
    assert len(simulated(gateway)) == asked


def test_without_simulation_the_login_is_unknown(admin: Administrator) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING), allow(CONNECT)))
    answer = cloud.logins(databases := databases_of(cloud))[orders(databases).key]
    assert (answer.verdict, answer.reason) == (
        Verdict.UNKNOWN,
        "as orders_iam: iam:GetContextKeysForPrincipalPolicy is denied",
    )
