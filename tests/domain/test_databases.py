"""The relay that is chosen for a database, and the words that say why."""

from __future__ import annotations

import pytest

from ssm_tui.domain.access import NO_ANSWERS, Access
from ssm_tui.domain.databases import Family, Reachable, choose_relay
from ssm_tui.domain.networks import Ingress, SecurityGroup
from ssm_tui.domain.nodes import Ping
from tests.builders import NO, VIRGINIA, YES, database, node

GUARD = {"sg-db": SecurityGroup("sg-db", (Ingress("tcp", 5432, 5432, groups=("sg-app",)),))}
APP = node("i-app", name="app", vpc="vpc-1", ip="10.1.0.5", security_groups=("sg-app",))
OTHER = node("i-other", name="other", vpc="vpc-1", ip="10.1.0.6", security_groups=("sg-other",))


def test_the_admitted_relay_is_chosen_and_the_rule_named() -> None:
    relay = choose_relay(database(), [OTHER, APP], GUARD)
    assert relay.node is APP
    assert relay.reachable is Reachable.YES
    assert "sg-db admits sg-app on port 5432" in relay.why


def test_without_an_admitted_relay_the_answer_is_no() -> None:
    relay = choose_relay(database(), [OTHER], GUARD)
    assert relay.reachable is Reachable.NO
    assert "sg-db" in relay.why


def test_unread_groups_leave_it_unknown() -> None:
    relay = choose_relay(database(), [OTHER], {})
    assert (relay.node, relay.reachable) == (OTHER, Reachable.UNKNOWN)


@pytest.mark.parametrize(
    ("nodes", "word"),
    [
        ([], "no node"),
        ([node("i-x", vpc="vpc-2")], "no node"),
        ([node("i-x", vpc="vpc-1", context=VIRGINIA)], "no node"),
        ([node("i-x", vpc="vpc-1", ping=Ping.LOST)], "online"),
        ([node("i-x", vpc="vpc-1", access=Access(YES, YES, NO, YES))], "may not forward"),
    ],
)
def test_no_relay_says_why(nodes: list[object], word: str) -> None:
    relay = choose_relay(database(), nodes, GUARD)  # type: ignore[arg-type] # parametrize loses the type
    assert (relay.node, relay.reachable) == (None, Reachable.NO)
    assert word in relay.why


def test_unknown_access_stands_behind_known() -> None:
    unasked = node("i-a", vpc="vpc-1", security_groups=("sg-app",), access=NO_ANSWERS)
    assert choose_relay(database(), [unasked], GUARD).reachable is Reachable.UNKNOWN
    assert choose_relay(database(), [unasked, APP], GUARD).node is APP


def test_the_choice_among_equals_does_not_depend_on_the_order() -> None:
    twins = [node(id_, name="app", vpc="vpc-1", security_groups=("sg-app",)) for id_ in ("i-b", "i-a")]
    assert choose_relay(database(), twins, GUARD).node is choose_relay(database(), twins[::-1], GUARD).node


def test_a_relay_of_the_same_env_and_team_goes_first() -> None:
    stranger = node("i-a", name="a", vpc="vpc-1", security_groups=("sg-app",), tags={"env": "dev", "team": "pay"})
    friend = node("i-b", name="b", vpc="vpc-1", security_groups=("sg-app",), tags={"env": "prod", "team": "pay"})
    orders = database(tags={"env": "prod", "team": "pay"})
    assert choose_relay(orders, [stranger, friend], GUARD).node is friend


@pytest.mark.parametrize(
    ("version", "chosen"),
    [("3.1.1374.0", True), ("3.1.1080.0", False), ("3.3.987.0", True), (None, True), ("odd", True)],
)
def test_an_agent_too_old_for_remote_hosts_is_no_relay(version: str | None, chosen: bool) -> None:
    old = node("i-a", vpc="vpc-1", security_groups=("sg-app",), agent_version=version)
    relay = choose_relay(database(), [old], GUARD)
    assert (relay.node is old) is chosen
    assert chosen or "3.1.1374.0" in relay.why


def test_the_vpc_must_be_known() -> None:
    assert choose_relay(database(vpc=None), [APP], GUARD).reachable is Reachable.UNKNOWN


@pytest.mark.parametrize(
    ("rule", "admits"),
    [
        (Ingress("tcp", 5432, 5432, cidrs=("10.1.0.0/16",)), True),
        (Ingress("tcp", 5432, 5432, cidrs=("10.2.0.0/16", "::/0")), False),
        (Ingress("tcp", 1, 5431, cidrs=("0.0.0.0/0",)), False),
        (Ingress("udp", 5432, 5432, cidrs=("0.0.0.0/0",)), False),
        (Ingress("-1", None, None, groups=("sg-app",)), True),
        (Ingress("6", 5000, 6000, groups=("sg-app",)), True),
    ],
)
def test_ingress(rule: Ingress, admits: bool) -> None:
    assert bool(SecurityGroup("sg-db", (rule,)).admits(APP, 5432)) is admits


@pytest.mark.parametrize(
    ("engine", "family"),
    [
        ("postgres", Family.POSTGRES),
        ("aurora-postgresql", Family.POSTGRES),
        ("POSTGRESQL", Family.POSTGRES),
        ("aurora-mysql", Family.MYSQL),
        ("mariadb", Family.MYSQL),
        ("redis", Family.REDIS),
        ("valkey", Family.REDIS),
        ("OpenSearch_2.19", Family.HTTPS),
        ("Elasticsearch_7.10", Family.HTTPS),
        ("neptune", Family.HTTPS),
        ("https", Family.HTTPS),
        ("memcached", Family.MEMCACHED),
        ("docdb", Family.MONGO),
        ("sqlserver-ex", Family.SQLSERVER),
        ("custom-oracle-ee", Family.ORACLE),
        ("redshift", Family.REDSHIFT),
        ("db2-se", Family.OTHER),
    ],
)
def test_families(engine: str, family: Family) -> None:
    assert database(engine=engine).family is family


def test_the_next_best_stand_by_and_none_that_is_known_not_to_reach_it() -> None:
    able = [node(f"i-{at}", name=f"app-{at}", vpc="vpc-1", security_groups=("sg-app",)) for at in range(6)]
    relay = choose_relay(database(), [OTHER, *reversed(able)], GUARD)
    assert relay.node is able[0]
    assert relay.others == tuple(able[1:4])
    assert choose_relay(database(), [OTHER, APP], GUARD).others == ()
