"""What sources tell and how they end, in any order: rows, notes and errors that follow from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.aws.assembly import (
    AccountTold,
    Assembly,
    Ended,
    Event,
    InstancesTold,
    ManagedTold,
    Overdue,
    Source,
    TagsTold,
    Waiting,
)
from ssm_tui.aws.join import NodeJoin
from ssm_tui.domain.nodes import Node, NodePage, Ping
from ssm_tui.errors import AccessDeniedError, AwsError, CredentialsError, NetworkError
from tests.builders import SEOUL

LOST = NetworkError("https://ssm could not be reached", "check the network")
DENIED = AccessDeniedError("you may not call it", "ask for it", code="AccessDenied", action="ssm:It")
EXPIRED = CredentialsError("the credentials have expired", "renew them")
CONTAINER = Node(id="ecs:c_t_r", context=SEOUL, account="1", ping=Ping.ONLINE)


def managed(*ids: str) -> ManagedTold:
    return ManagedTold({"InstanceProperties": [{"InstanceId": each, "PingStatus": "Online"} for each in ids]})


def instances(*ids: str, owner: str | None = "1") -> InstancesTold:
    found: list[dict[str, Any]] = [{"InstanceId": each, "VpcId": "vpc-1"} for each in ids]
    return InstancesTold({"Reservations": [{"OwnerId": owner, "Instances": found}]})


class Taken:
    """All pages that some events lead to, in the end with the notes."""

    def __init__(self, *events: Event) -> None:
        assembly = Assembly(NodeJoin(SEOUL, None))
        self.pages = [page for event in events for page in assembly.take(event)]
        self.error: AwsError | None = None
        try:
            self.pages += assembly.end()
        except AwsError as error:
            self.error = error

    @property
    def nodes(self) -> dict[str, Node]:
        return {node.id: node for page in self.pages for node in page.nodes}

    @property
    def notes(self) -> list[str]:
        return [note.message for page in self.pages for note in page.notes]


Lists = dict[Source, list[Event]]
WHOLE: Lists = {
    Source.STS: [AccountTold("1"), Ended(Source.STS)],
    Source.SSM: [managed("i-1", "mi-1"), managed("i-2"), Ended(Source.SSM), TagsTold({"mi-1": {"Name": "desk"}})],
    Source.EC2: [instances("i-3"), instances("i-1"), Ended(Source.EC2)],
    Source.ECS: [NodePage((CONTAINER,)), Ended(Source.ECS)],
}


def shuffled(data: st.DataObject, told: Lists) -> list[Event]:
    """The sources' events in any order that leaves each source its own."""
    rest = {source: list(events) for source, events in told.items()}
    whose = data.draw(st.permutations([source for source, events in told.items() for _ in events]))
    return [rest[source].pop(0) for source in whose]


@given(st.data(), st.booleans())
def test_rows_do_not_wait_for_ever_for_their_account_and_have_it_in_the_end(data: st.DataObject, denied: bool) -> None:
    told: Lists = {**WHOLE}
    if denied:
        told[Source.EC2] = [Ended(Source.EC2, DENIED)]
    events = shuffled(data, told)
    events.insert(data.draw(st.integers(0, len(events))), Overdue())
    assert Taken(*events).nodes == Taken(*(event for events in told.values() for event in events)).nodes


def test_rows_come_though_sts_hangs_and_ec2_is_denied() -> None:
    events: list[Event] = [managed("i-1"), Ended(Source.SSM), Ended(Source.EC2, DENIED)]
    assert not Taken(*events).nodes
    (row,) = Taken(*events, Overdue()).nodes.values()
    assert row.account is None
    (row,) = Taken(*events, Overdue(), AccountTold("1")).nodes.values()
    assert row.account == "1"


@given(st.data(), st.booleans())
def test_the_same_in_any_order_and_no_row_before_it_is_known_whose(data: st.DataObject, sts_fails: bool) -> None:
    told: Lists = {**WHOLE, Source.STS: [Ended(Source.STS, DENIED)]} if sts_fails else WHOLE
    taken = Taken(*shuffled(data, told))
    assert {node.id: (node.ping, node.vpc, node.name) for node in taken.nodes.values()} == {
        "i-1": (Ping.ONLINE, "vpc-1", ""),
        "i-2": (Ping.ONLINE, None, ""),
        "i-3": (Ping.UNMANAGED, "vpc-1", ""),
        "mi-1": (Ping.ONLINE, None, "desk"),
        CONTAINER.id: (Ping.ONLINE, None, ""),
    }
    assert {node.account for page in taken.pages for node in page.nodes} == {"1"}
    assert len(taken.notes) == (1 if sts_fails else 0)
    assert taken.error is None


@given(st.data())
def test_where_nobody_tells_whose_they_are_rows_come_all_the_same(data: st.DataObject) -> None:
    told: Lists = {
        Source.STS: [Ended(Source.STS, DENIED)],
        Source.SSM: WHOLE[Source.SSM],
        Source.EC2: [Ended(Source.EC2, DENIED)],
    }
    taken = Taken(*shuffled(data, told))
    assert set(taken.nodes) == {"i-1", "i-2", "mi-1"}
    assert len(taken.notes) == 2


@pytest.mark.parametrize(
    ("error", "failed"),
    [(LOST, True), (AwsError("ssm:It: Internal failure", "", code="InternalFailure"), True), (DENIED, False)],
)
def test_a_list_that_breaks_off_leaves_what_came_and_says_how_far_it_came(error: AwsError, failed: bool) -> None:
    of_ssm = Taken(AccountTold("1"), managed("i-1"), instances("i-1", "i-2"), Ended(Source.SSM, error))
    assert {node.id: node.ping for node in of_ssm.nodes.values()} == {"i-1": Ping.ONLINE, "i-2": Ping.UNKNOWN}
    (note,) = of_ssm.pages[-1].notes
    assert note.message == f"which nodes beyond the first 1 are online is not known: {error.message}"
    assert (note.hint, note.partial, note.failed) == (error.hint, True, failed)
    of_ec2 = Taken(managed("i-1", "i-2"), Ended(Source.SSM), instances("i-1"), Ended(Source.EC2, error))
    assert {node.id: node.vpc for node in of_ec2.nodes.values()} == {"i-1": "vpc-1", "i-2": None}
    assert "EC2 instances beyond the first 1 are not known" in of_ec2.notes[0]


@pytest.mark.parametrize(
    ("sts", "ssm", "ec2", "raised"),
    [
        (None, DENIED, DENIED, DENIED),
        (None, DENIED, LOST, LOST),
        (None, EXPIRED, None, EXPIRED),
        (None, None, EXPIRED, EXPIRED),
        (EXPIRED, LOST, LOST, EXPIRED),
        (DENIED, LOST, None, None),
    ],
)
def test_what_is_an_error(
    sts: AwsError | None, ssm: AwsError | None, ec2: AwsError | None, raised: AwsError | None
) -> None:
    taken = Taken(Ended(Source.STS, sts), managed("i-1"), Ended(Source.SSM, ssm), Ended(Source.EC2, ec2))
    assert taken.error is raised
    assert set(taken.nodes) == {"i-1"}, "what came is there all the same"


def test_who_may_only_see_containers_sees_them() -> None:
    nothing = (AccountTold("1"), Ended(Source.SSM, DENIED), Ended(Source.EC2, DENIED))
    taken = Taken(*nothing, NodePage((CONTAINER,)))
    assert set(taken.nodes) == {CONTAINER.id}
    assert len(taken.notes) == 2
    assert Taken(*nothing).error is DENIED


def test_waiting_is_told_with_every_page_until_it_ends() -> None:
    taken = Taken(
        AccountTold("1"),
        Waiting(Source.SSM, "slow"),
        instances("i-1"),
        Waiting(Source.EC2, "slower"),
        managed("i-1"),
        Waiting(Source.SSM, ""),
        Waiting(Source.EC2, ""),
    )
    assert [page.waiting for page in taken.pages] == ["slow", "slow", "slow; slower", "slow; slower", "slower", ""]
