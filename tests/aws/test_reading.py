"""Nodes read from a stubbed wire: what is waited for, what breaks off, what is denied, what is asked for."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from ssm_tui.aws import hybrid, nodes, throttling
from ssm_tui.aws.live import AwsCloud
from ssm_tui.domain.access import Verdict
from ssm_tui.domain.contexts import Context, Note
from ssm_tui.domain.filters import parse
from ssm_tui.domain.narrowing import NOTHING_NARROWED, Narrowing, narrowing
from ssm_tui.domain.nodes import NODE_FIELDS, Node, NodePage, Ping
from ssm_tui.errors import AccessDeniedError, CredentialsError, ThrottledError
from tests.wire import Fleet, Trouble, Wire
from tests.wire.fleet import ACCOUNT, REGION

FLEET = 90
EC2, SSM = "ec2:DescribeInstances", "ssm:DescribeInstanceProperties"
Stand = Callable[[Fleet], Wire]


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """Stands up a stub whose lists come 30 a page, with this process's environment leading there."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(throttling, "SHORTEST", 0.02)
    wires: list[Wire] = []

    def stand(fleet: Fleet) -> Wire:
        wire = Wire(fleet).__enter__()
        wires.append(wire)
        wire.plan.page_bounds = {EC2: 30, SSM: 30}
        for name, value in wire.environment().items():
            monkeypatch.setenv(name, value)
        return wire

    yield stand
    for wire in wires:
        wire.__exit__(None, None, None)


def cloud() -> AwsCloud:
    return AwsCloud(Context(None, REGION))


class Read:
    """What a consumer holds in the end."""

    def __init__(self, pages: Iterator[NodePage]) -> None:
        self.nodes: dict[str, Node] = {}
        self.notes: list[Note] = []
        self.waits: list[str] = []
        self.error: Exception | None = None
        try:
            for page in pages:
                self.nodes.update((node.id, node) for node in page.nodes)
                self.notes += page.notes
                if page.waiting != (self.waits[-1] if self.waits else ""):
                    self.waits.append(page.waiting)
        except (CredentialsError, AccessDeniedError, ThrottledError) as error:
            self.error = error


def test_what_aws_makes_us_wait_for_is_said_while_it_lasts(stand: Stand) -> None:
    stand(Fleet(FLEET)).plan.add(Trouble.THROTTLED, SSM, first=2, times=2)
    read = Read(cloud().node_pages())
    assert read.waits[0] == "throttled: ssm DescribeInstanceProperties, next try in 1 s"
    assert read.waits[-1] == ""
    assert (len(read.nodes), read.notes) == (FLEET, [])


@pytest.mark.parametrize("trouble", [Trouble.ERROR, Trouble.CUT])
def test_that_a_page_is_asked_for_again_is_said_too(stand: Stand, trouble: Trouble) -> None:
    stand(Fleet(FLEET)).plan.add(trouble, EC2, first=2, times=1)
    read = Read(cloud().node_pages())
    assert read.waits == ["no good answer to ec2 DescribeInstances yet, trying again", ""]
    assert (len(read.nodes), read.notes) == (FLEET, [])


def test_two_who_wait_are_both_said(stand: Stand) -> None:
    wire = stand(Fleet(FLEET))
    wire.plan.add(Trouble.THROTTLED, SSM, times=4)
    wire.plan.add(Trouble.THROTTLED, EC2, times=4)
    read = Read(cloud().node_pages())
    assert any("ssm Describe" in words and "ec2 Describe" in words for words in read.waits)
    assert read.waits[-1] == ""


def test_a_storm_that_does_not_end_is_given_up(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "LONGEST", 0.1)
    wire = stand(Fleet(FLEET))
    wire.plan.add(Trouble.THROTTLED, SSM, first=2)
    read = Read(cloud().node_pages())
    assert wire.plan.counted()[SSM] == 1 + throttling.ATTEMPTS
    assert read.waits[-1] == ""
    assert "beyond the first 30 are online is not known" in read.notes[0].message
    assert read.notes[0].failed
    assert {node.ping for node in read.nodes.values()} == {Ping.ONLINE, Ping.UNKNOWN}


def test_with_both_lists_throttled_it_is_an_error(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "LONGEST", 0.1)
    wire = stand(Fleet(FLEET))
    wire.plan.add(Trouble.THROTTLED, SSM)
    wire.plan.add(Trouble.THROTTLED, EC2)
    assert isinstance(Read(cloud().node_pages()).error, ThrottledError)


@pytest.mark.parametrize("operation", [SSM, EC2])
def test_credentials_that_expire_in_the_middle_leave_what_has_come(stand: Stand, operation: str) -> None:
    stand(Fleet(FLEET, hybrid=0, unmanaged=0)).plan.add(Trouble.EXPIRED, operation, first=3)
    read = Read(cloud().node_pages())
    assert isinstance(read.error, CredentialsError)
    assert len(read.nodes) == FLEET
    if operation == SSM:
        assert Ping.UNMANAGED not in {node.ping for node in read.nodes.values()}


def test_who_may_not_ask_who_he_is_has_the_list_and_knows_no_access(stand: Stand) -> None:
    stand(Fleet(FLEET)).plan.add(Trouble.DENIED, "sts:GetCallerIdentity")
    seen = cloud()
    read = Read(seen.node_pages())
    assert len(read.nodes) == FLEET
    assert {node.account for node in read.nodes.values()} == {ACCOUNT}, "EC2 tells it"
    (note,) = read.notes
    assert "sts:GetCallerIdentity" in note.message
    assert "sts:GetCallerIdentity" in note.hint
    assert not note.partial
    access = {key: found for portion in seen.access(list(read.nodes.values())) for key, found in portion.items()}
    assert len(access) == FLEET
    assert {found.shell.verdict for found in access.values()} == {Verdict.UNKNOWN}
    assert {found.shell.reason for found in access.values()} == {"sts:GetCallerIdentity is denied"}


def test_without_sts_and_ec2_ssms_list_is_whole(stand: Stand) -> None:
    wire = stand(Fleet(FLEET, unmanaged=0))
    wire.plan.add(Trouble.DENIED, "sts:GetCallerIdentity")
    wire.plan.add(Trouble.DENIED, EC2)
    read = Read(cloud().node_pages())
    assert len(read.nodes) == FLEET
    assert {node.account for node in read.nodes.values()} == {None}
    assert len(read.notes) == 2


def test_rows_wait_until_it_is_known_whose_they_are(stand: Stand) -> None:
    wire = stand(Fleet(FLEET, hybrid=0))
    identity, instances = wire.plan.hold("sts:GetCallerIdentity"), wire.plan.hold(EC2)
    others = wire.plan.hold("ecs:ListClusters")
    pages: queue.Queue[NodePage] = queue.Queue()

    def read() -> None:
        for page in cloud().node_pages():
            pages.put(page)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    # SSM's list is whole when the others have not yet answered.
    assert identity.reached.wait(10)
    while wire.plan.counted()[SSM] < 3:
        others.reached.wait(10)
    assert pages.empty()
    identity.open()
    assert {node.account for node in pages.get(timeout=10).nodes} == {ACCOUNT}
    instances.open()
    others.open()
    reading.join(10)
    assert not reading.is_alive()


def test_a_filter_is_applied_where_the_nodes_are(stand: Stand) -> None:
    fleet = Fleet(FLEET, hybrid=0.1)
    wire = stand(fleet)
    wanted = parse("env=prod ping:online", NODE_FIELDS)
    whole = Read(cloud().node_pages())
    wire.plan.reset()
    narrowed = Read(cloud().node_pages(narrowing(wanted)))
    match = {each for each, node in whole.nodes.items() if wanted.matches(node)}
    assert match
    assert {each for each, node in narrowed.nodes.items() if wanted.matches(node)} == match
    assert len(narrowed.nodes) < len(whole.nodes)
    calls = {call.operation: call.parameters for call in wire.plan.calls}
    assert calls[SSM]["InstancePropertyFilterList"] == [{"key": "PingStatus", "valueSet": ["Online"]}]
    assert calls[EC2]["Filter.1.Name"] == "tag-key"


@pytest.mark.parametrize("denied", [SSM, EC2])
def test_a_denied_list_does_not_narrow_the_other(stand: Stand, denied: str) -> None:
    wire = stand(Fleet(FLEET, hybrid=0))
    wire.plan.add(Trouble.DENIED, denied)
    wire.plan.add(Trouble.DENIED, "ssm:DescribeInstanceInformation")
    asked = Narrowing(ssm=(("PingStatus", ("Online",)),)) if denied == SSM else Narrowing(ec2=(("vpc-id", ("no",)),))
    narrowed, whole = Read(cloud().node_pages(asked)), Read(cloud().node_pages(NOTHING_NARROWED))
    assert narrowed.nodes.keys() == whole.nodes.keys()


def test_information_takes_the_filter_that_properties_would_have(stand: Stand) -> None:
    wire = stand(Fleet(FLEET, hybrid=0))
    wire.plan.add(Trouble.DENIED, SSM)
    read = Read(cloud().node_pages(Narrowing(ssm=(("PingStatus", ("ConnectionLost",)),))))
    assert {node.ping for node in read.nodes.values()} <= {Ping.LOST}
    assert not read.notes


def test_of_hybrid_nodes_whose_tags_were_not_come_to_the_access_is_not_judged(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "LONGEST", 0.1)
    stand(Fleet(FLEET, hybrid=0.5)).plan.add(Trouble.THROTTLED, SSM, first=2)
    seen = cloud()
    read = Read(seen.node_pages())
    hybrids = [node for node in read.nodes.values() if node.hybrid]
    assert hybrids
    assert any(f"the tags of {len(hybrids)} hybrid nodes are not known" in note.message for note in read.notes)
    assert all(not seen._tags_known(node) for node in hybrids)


def test_rows_do_not_wait_for_an_sts_that_hangs(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "PATIENCE", 0.05)
    stand(Fleet(FLEET, hybrid=0, unmanaged=0)).plan.add(Trouble.DENIED, EC2)
    seen = cloud()
    known = threading.Event()

    def identify() -> str:
        assert known.wait(20)
        return ACCOUNT

    found: dict[str, Node] = {}
    for page in nodes.read_nodes(seen._gateway, seen.context, identify, print):
        found.update((node.id, node) for node in page.nodes)
        if len(found) == FLEET and not known.is_set():
            assert {node.account for node in found.values()} == {None}
            known.set()
    assert known.is_set()
    assert {node.account for node in found.values()} == {ACCOUNT}


def test_hybrid_tags_come_a_hundred_a_call(stand: Stand) -> None:
    wire = stand(Fleet(250, hybrid=1.0))
    read = Read(cloud().node_pages())
    assert wire.plan.counted()["tagging:GetResources"] == 3
    assert wire.plan.counted()["ssm:ListTagsForResource"] == 0
    assert all(node.tags for node in read.nodes.values())


def test_hybrid_tags_one_by_one_have_a_bound(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hybrid, "ONE_BY_ONE", 10)
    wire = stand(Fleet(40, hybrid=1.0))
    wire.plan.add(Trouble.DENIED, "tagging:GetResources")
    seen = cloud()
    read = Read(seen.node_pages())
    assert wire.plan.counted()["ssm:ListTagsForResource"] == 10
    assert len([node for node in read.nodes.values() if node.tags]) == 10
    (note,) = read.notes
    assert "the tags of 30 hybrid nodes are not known" in note.message
    assert "tag:GetResources" in note.hint
