"""The user's own databases: in which context each is listed, and through which node it is reached."""

from __future__ import annotations

import pytest

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Family, Kind, Reachable
from ssm_tui.domain.own import OTHER, PORTS, OwnDatabase
from ssm_tui.domain.reachability.terrain import Terrain
from ssm_tui.domain.relays import choose_relay
from tests.builders import SEOUL, VIRGINIA, node

OWN = OwnDatabase(name="legacy", host="db.internal", port=5432, engine="postgres", relay="web-1")
PROD = Context("prod", "us-east-1")
OPEN = (SEOUL, VIRGINIA, PROD)


@pytest.mark.parametrize(
    ("profile", "region", "listed"),
    [
        (None, None, [SEOUL]),
        (None, "us-east-1", [VIRGINIA]),
        ("prod", None, [PROD]),
        ("prod", "us-east-1", [PROD]),
        ("prod", "eu-west-1", []),
    ],
)
def test_each_is_listed_once(profile: str | None, region: str | None, listed: list[Context]) -> None:
    own = OwnDatabase(name="a", host="h", port=1, profile=profile, region=region)
    assert [context for context in OPEN if own.stands_in(context, OPEN)] == listed


def test_one_is_listed_in_a_context_that_is_opened_beside_those_in_force() -> None:
    assert OWN.stands_in(PROD, (SEOUL,))


def test_the_node_that_the_entry_names_is_the_relay_wherever_it_stands() -> None:
    database = OWN.seen_from(SEOUL, "123456789012")
    assert (database.kind, database.family, database.account) == (Kind.OWN, Family.POSTGRES, "123456789012")
    nodes = [node("i-1", name="web-0", vpc="vpc-1"), node("i-2", name="web-1", vpc="vpc-2")]
    relay = choose_relay(database, nodes, Terrain())
    assert (relay.node, relay.reachable, relay.others) == (nodes[1], Reachable.UNKNOWN, ())


def test_a_relay_that_is_not_there_is_said_by_its_name() -> None:
    relay = choose_relay(OWN.seen_from(SEOUL, None), [node("i-1", name="web-0", vpc="vpc-1")], Terrain())
    assert (relay.node, relay.reachable) == (None, Reachable.NO)
    assert "web-1" in relay.why


def test_without_a_relay_the_vpc_decides() -> None:
    database = OwnDatabase(name="a", host="h", port=1, vpc="vpc-1").seen_from(SEOUL, None)
    nodes = [node("i-1", vpc="vpc-1"), node("i-2", vpc="vpc-2")]
    relay = choose_relay(database, nodes, Terrain())
    assert relay.node is nodes[0]
    assert relay.reachable is not Reachable.YES, "nobody knows which groups guard it"


@pytest.mark.parametrize("engine", [each for each in PORTS if each != OTHER])
def test_every_engine_that_may_be_named_has_a_protocol(engine: str) -> None:
    own = OwnDatabase(name="a", host="h", port=1, engine=engine).seen_from(SEOUL, None)
    assert own.family is not Family.OTHER
