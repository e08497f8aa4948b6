"""The relay that is chosen for a database, the order of those that might be, and the words that say why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ssm_tui.domain.access import NO_ANSWERS, Access
from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.networks import LOCAL, NetworkAcl, Peering, Permission, Route, RouteTable, Source, Subnet
from ssm_tui.domain.nodes import Node, Ping
from ssm_tui.domain.reachability.terrain import Terrain
from ssm_tui.domain.reachability.verdict import reaches
from ssm_tui.domain.relays import Preferences, Relays, choose_relay
from tests.builders import NO, OPEN, VIRGINIA, YES, admits, database, group, network, node

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FACTS = network(group("sg-db", admits("sg-app")), group("sg-app"), group("sg-other"))
TERRAIN = Terrain(FACTS)


def near(id_: str, **fields: Any) -> Node:
    """A node beside the database, in a group that it admits."""
    defaults: dict[str, Any] = {"vpc": "vpc-1", "subnet": "subnet-1", "ip": "10.1.0.5", "security_groups": ("sg-app",)}
    return node(id_, **(defaults | fields))


APP = near("i-app", name="app")
OTHER = near("i-other", name="other", ip="10.1.0.6", security_groups=("sg-other",))


def order(nodes: list[Node], preferences: Preferences | None = None, **of_database: Any) -> list[str]:
    ranked = Relays(nodes, TERRAIN, preferences or Preferences()).ranked(database(**of_database))
    return [candidate.node.id for candidate in ranked]


def test_the_admitted_relay_is_chosen_and_the_rule_named() -> None:
    relay = choose_relay(database(), [OTHER, APP], TERRAIN)
    assert relay.node is APP
    assert relay.reachable is Reachable.YES
    assert "sg-db admits sg-app on port 5432" in relay.why


def test_without_an_admitted_relay_the_answer_is_no_and_the_change_named() -> None:
    relay = choose_relay(database(), [OTHER], TERRAIN)
    assert relay.reachable is Reachable.NO
    assert relay.why == "other (i-other): sg-db does not admit sg-other on port 5432"
    assert relay.change == (
        "aws ec2 authorize-security-group-ingress --group-id sg-db --protocol tcp --port 5432 --source-group sg-other"
    )


def test_unread_networks_leave_it_unknown() -> None:
    relay = choose_relay(database(), [OTHER], Terrain())
    assert (relay.node, relay.reachable) == (OTHER, Reachable.UNKNOWN)
    assert relay.permission in relay.why


@pytest.mark.parametrize(
    ("nodes", "word"),
    [
        ([], "no node"),
        ([near("i-x", vpc="vpc-2")], "no node"),
        ([near("i-x", context=VIRGINIA)], "no node"),
        ([near("i-x", ping=Ping.LOST)], "online"),
        ([near("i-x", access=Access(YES, YES, NO, YES))], "may not forward"),
    ],
)
def test_no_relay_says_why(nodes: list[Node], word: str) -> None:
    relay = choose_relay(database(), nodes, TERRAIN)
    assert (relay.node, relay.reachable) == (None, Reachable.NO)
    assert word in relay.why


def test_unknown_access_stands_behind_known() -> None:
    unasked = near("i-a", access=NO_ANSWERS)
    assert choose_relay(database(), [unasked], TERRAIN).reachable is Reachable.UNKNOWN
    assert choose_relay(database(), [unasked, APP], TERRAIN).node is APP


def test_unknown_access_does_not_hide_a_missing_rule() -> None:
    unasked = replace(OTHER, access=NO_ANSWERS)
    assert choose_relay(database(), [unasked], TERRAIN).reachable is Reachable.NO


@pytest.mark.parametrize(
    ("version", "chosen"),
    [("3.1.1374.0", True), ("3.1.1080.0", False), ("3.3.987.0", True), (None, True), ("odd", True)],
)
def test_an_agent_too_old_for_remote_hosts_is_no_relay(version: str | None, chosen: bool) -> None:
    old = near("i-a", agent_version=version)
    relay = choose_relay(database(), [old], TERRAIN)
    assert (relay.node is old) is chosen
    assert chosen or "3.1.1374.0" in relay.why


def test_each_candidate_that_is_out_of_the_question_says_so() -> None:
    out = [
        near("i-old", agent_version="3.0.1.0"),
        near("i-off", ping=Ping.LOST),
        near("i-no", access=Access(YES, YES, NO, YES)),
    ]
    found = {each.node.id: each.finding for each in Relays(out, TERRAIN).ranked(database())}
    assert {each.reachable for each in found.values()} == {Reachable.NO}
    assert "AWS-UpdateSSMAgent --instance-ids i-old" in found["i-old"].change
    assert "ConnectionLost" in found["i-off"].why
    assert NO.reason in found["i-no"].why


def test_the_vpc_must_be_known_or_a_relay_preferred() -> None:
    ours = database(vpc=None)
    assert choose_relay(ours, [APP], TERRAIN).node is None
    assert choose_relay(ours, [APP], TERRAIN).reachable is Reachable.UNKNOWN
    chosen = choose_relay(ours, [OTHER, APP], TERRAIN, Preferences(("app",)))
    assert (chosen.node, chosen.reachable) == (APP, Reachable.UNKNOWN)


def test_the_next_best_stand_by_and_none_that_is_known_not_to_reach_it() -> None:
    able = [near(f"i-{at}", name=f"app-{at}") for at in range(6)]
    relay = choose_relay(database(), [OTHER, *reversed(able)], TERRAIN)
    assert relay.node is able[0]
    assert relay.others == tuple(able[1:4])
    assert choose_relay(database(), [OTHER, APP], TERRAIN).others == ()


# -- the order --------------------------------------------------------------------------------------------------------


def test_known_comes_before_unknown_and_unknown_before_no() -> None:
    unasked = near("i-a", access=NO_ANSWERS)
    assert order([OTHER, unasked, APP]) == ["i-app", "i-a", "i-other"]


def test_a_verdict_stands_above_every_preference() -> None:
    assert order([OTHER, APP], Preferences(("other",))) == ["i-app", "i-other"]


def test_the_settings_order_their_relays() -> None:
    nodes = [near("i-a", name="web"), near("i-b", name="bastion-2"), near("i-0c", name="Bastion-1")]
    assert order(nodes) == ["i-0c", "i-b", "i-a"]
    assert order(nodes, Preferences(("i-a", "bastion-*"))) == ["i-a", "i-0c", "i-b"]
    assert order(nodes, Preferences(("bastion-2", "bastion-*"))) == ["i-b", "i-0c", "i-a"]


def test_the_same_zone_comes_before_a_fresher_ping() -> None:
    far = near("i-a", az="ap-northeast-2b", last_ping=NOW)
    here = near("i-b", az="ap-northeast-2a", last_ping=NOW - timedelta(hours=1))
    assert order([far, here], az="ap-northeast-2a") == ["i-b", "i-a"]
    assert order([far, here]) == ["i-a", "i-b"], "the database's zone is not known"


def test_pings_a_few_minutes_apart_are_alike() -> None:
    stale = near("i-a", last_ping=NOW - timedelta(hours=1))
    fresh = near("i-c", last_ping=NOW)
    as_fresh = near("i-b", last_ping=NOW - timedelta(minutes=6))
    assert order([stale, fresh, as_fresh]) == ["i-b", "i-c", "i-a"]


def test_what_led_there_last_goes_first_among_equals() -> None:
    nodes = [near("i-a"), near("i-b"), near("i-c")]
    used = {database().endpoint: ("i-c", "i-gone", "i-b")}
    assert order(nodes, Preferences(used=used)) == ["i-c", "i-b", "i-a"]
    assert order(nodes, Preferences(used={"another": ("i-c",)})) == ["i-a", "i-b", "i-c"]


def test_a_relay_of_the_same_env_and_team_goes_before_one_of_another_name() -> None:
    stranger = near("i-a", name="a", tags={"env": "dev", "team": "pay"})
    friend = near("i-b", name="b", tags={"env": "prod", "team": "pay"})
    assert order([stranger, friend], tags={"env": "prod", "team": "pay"}) == ["i-b", "i-a"]


def test_the_choice_among_equals_does_not_depend_on_the_order() -> None:
    twins = [near("i-b", name="app"), near("i-a", name="app")]
    assert order(twins) == order(twins[::-1]) == ["i-a", "i-b"]


# -- other VPCs -------------------------------------------------------------------------------------------------------

PEERED = network(
    group("sg-db", admits("sg-app")), group("sg-app"),
    vpcs=("vpc-1", "vpc-2"),
    acls=(NetworkAcl("acl-1", ("subnet-1", "subnet-2"), OPEN, OPEN),),
    tables=(
        RouteTable("rtb-1", "vpc-1", (Route("10.1.0.0/16", LOCAL), Route("10.2.0.0/16", "pcx-1")), main=True),
        RouteTable("rtb-2", "vpc-2", (Route("10.2.0.0/16", LOCAL), Route("10.1.0.0/16", "pcx-1")), main=True),
    ),
    subnets=(
        Subnet("subnet-1", "vpc-1", "ap-northeast-2a", ("10.1.0.0/16",)),
        Subnet("subnet-2", "vpc-2", "ap-northeast-2a", ("10.2.0.0/16",)),
    ),
    peerings=(Peering("pcx-1", ("vpc-1", "vpc-2"), "active"),),
)  # fmt: skip


def test_a_node_of_a_peered_vpc_is_a_relay_behind_those_of_the_same() -> None:
    beside = near("i-a", vpc="vpc-2", subnet="subnet-2", ip="10.2.0.5")
    relay = choose_relay(database(), [beside], Terrain(PEERED))
    assert (relay.node, relay.reachable) == (beside, Reachable.YES)
    assert "in vpc-2" in relay.why
    assert choose_relay(database(), [beside, APP], Terrain(PEERED)).node is APP


def test_a_node_of_a_vpc_that_nothing_joins_is_none() -> None:
    beside = near("i-a", vpc="vpc-3", subnet="subnet-3", ip="10.3.0.5")
    assert Relays([beside], Terrain(PEERED)).ranked(database()) == []
    assert "nothing joins vpc-3 to vpc-1" in reaches(Terrain(PEERED), beside, database()).why


def test_much_is_asked_once() -> None:
    terrain = Terrain(FACTS)
    many = [near(f"i-{at:04}", ip=f"10.1.{at // 250}.{at % 250 + 1}") for at in range(2000)]
    assert len(Relays(many, terrain).ranked(database())) == len(many)
    # One verdict, one way, and what joins the VPC.
    assert len(terrain.answers) == 3
    assert Source.GROUPS in FACTS.read


def test_an_address_that_alone_is_admitted_is_told_from_its_neighbours() -> None:
    only = Permission("tcp", 5432, 5432, cidrs=("10.1.0.6/32",))
    terrain = Terrain(network(group("sg-db", only), group("sg-app")))
    nodes = [near(f"i-{at}", ip=f"10.1.0.{at}") for at in (5, 6, 7)]
    ranked = Relays(nodes, terrain).ranked(database())
    assert [(each.node.id, each.reachable.value) for each in ranked] == [("i-6", "yes"), ("i-5", "no"), ("i-7", "no")]
