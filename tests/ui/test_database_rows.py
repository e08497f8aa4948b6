"""The list of databases: rows of every kind, found by what is known of them, and told in the details."""

from __future__ import annotations

from ssm_tui.domain.databases import DatabasePage, Kind, Role
from tests.ui.fakes import database
from tests.ui.fleet import small_world
from tests.ui.screen import Person, started

ROWS = (
    database(
        "orders",
        ca="rds-ca-rsa2048-g1",
        secret_arn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders-AbCdEf",
        iam_auth=True,
        subnets=("subnet-7", "subnet-8"),
    ),
    # Each service has names of its own: these are two.
    database("orders", kind=Kind.ELASTICACHE, engine="redis", port=6379, endpoint="orders.cache.example", tls=True),
    database("catalog/analytics", kind=Kind.AURORA, engine="aurora-mysql", role=Role.CUSTOM, parent="catalog"),
    database("reports", kind=Kind.REDSHIFT_SERVERLESS, engine="redshift", role=Role.WORKGROUP, port=5439),
    database("legacy", kind=Kind.OWN, engine="oracle", port=1521, vpc=None, relay="no-such-node"),
)


async def filtered(person: Person, text: str) -> None:
    await person.press("escape", "slash")
    await person.type(text)
    await person.press("enter")


async def test_rows_of_every_kind_are_found_by_what_is_known_of_them() -> None:
    world = small_world()
    world.cloud.database_list = [DatabasePage(ROWS)]
    async with started(world, size=(160, 40)) as person:
        await person.press("2")
        await person.sees("Databases 5")
        await person.sees("redshift")
        assert "workgroup" in person.text()
        for words, found in (
            ("tls:yes", "1/5"),
            ("kind:own", "1/5"),
            ("cluster:catalog role:custom", "1/5"),
            ("secret:yes", "1/5"),
            ("secret:no", "4/5"),
            ("orders", "2/5"),
        ):
            await filtered(person, words)
            await person.sees(f"Databases {found}")


async def test_the_details_tell_what_is_known() -> None:
    world = small_world()
    world.cloud.database_list = [DatabasePage(ROWS[:1])]
    async with started(world, size=(160, 40)) as person:
        await person.press("2")
        for text in ("rds-ca-rsa2048-g1", "ecret:orders-AbCdEf", "subnet-7 subnet-8", "iam auth"):
            await person.sees(text)


async def test_a_relay_that_the_settings_name_and_nobody_has_is_said() -> None:
    world = small_world()
    world.cloud.database_list = [DatabasePage(ROWS[-1:])]
    async with started(world, size=(160, 40)) as person:
        await person.press("2")
        await person.sees("no node is called no-such-node")
