"""Logins to databases by IAM: what the simulation says of the whole list at once, against the demo cloud."""

from __future__ import annotations

from ssm_tui.aws.live import AwsCloud
from ssm_tui.domain.access import Verdict
from ssm_tui.domain.databases import Database
from tests.aws.conftest import LISTING, Administrator, allow, cloud_of

CONNECT = "rds-db:connect"


def databases_of(cloud: AwsCloud) -> list[Database]:
    return [database for page in cloud.database_pages() for database in page.databases]


def orders(databases: list[Database]) -> Database:
    return next(each for each in databases if each.id == "orders")


def test_without_simulation_the_login_is_unknown(admin: Administrator) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING), allow(CONNECT)))
    answer = cloud.logins(databases := databases_of(cloud))[orders(databases).key]
    assert (answer.verdict, answer.reason) == (
        Verdict.UNKNOWN,
        "iam:GetContextKeysForPrincipalPolicy is denied",
    )
