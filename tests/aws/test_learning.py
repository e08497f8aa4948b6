"""Where IAM's simulation is denied, sessions that were started or refused tell; and what contradicts it is believed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ssm_tui.aws.live import AwsCloud, AwsClouds
from ssm_tui.domain import sessions
from ssm_tui.domain.access import Access, Answer, Cause, SessionKind, Verdict
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.grants import on_node
from ssm_tui.domain.nodes import Node
from ssm_tui.errors import AccessDeniedError
from ssm_tui.store.lessons import KeptLessons
from tests.aws.conftest import LISTING, REGION, SIMULATING, Administrator, allow, deny
from tests.aws.test_access import DOCUMENTS, END, NODES, START, access_of, nodes_of, simulated
from tests.aws.test_nodes import Recorder


def clouds_of(profile: str, folder: Path) -> AwsClouds:
    return AwsClouds([profile], [REGION], lessons=KeptLessons(folder))


def attempt(cloud: AwsCloud, node: Node, kind: SessionKind = SessionKind.SHELL) -> None:
    spec = sessions.shell_on(node) if kind is SessionKind.SHELL else sessions.forward(node.context, node.id, 22)
    cloud.terminate_session(cloud.start_session(spec).session_id)


def of_team(nodes: list[Node], team: str) -> list[Node]:
    return [n for n in nodes if n.tags.get("team") == team and n.online and not n.container and not n.hybrid]


def test_without_simulation_sessions_teach_from_run_to_run(
    admin: Administrator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    by_team = allow(START, resource=NODES, Condition={"StringEquals": {"ssm:resourceTag/team": "pay"}})
    profile = admin.profile(allow(*LISTING), END, by_team, allow(START, resource=DOCUMENTS[1:]))
    clouds = clouds_of(profile, tmp_path)
    cloud = clouds.open(Context(profile, REGION))
    told: list[Context] = []
    clouds.attend(told.append)
    nodes = nodes_of(cloud)
    (pay, other, *_), (web, *_) = of_team(nodes, "pay"), of_team(nodes, "web")
    assert {each.verdict for access in access_of(cloud, nodes).values() for each in all_of(access)} == {Verdict.UNKNOWN}

    attempt(cloud, pay)
    with pytest.raises(AccessDeniedError):
        attempt(cloud, web)
    with pytest.raises(AccessDeniedError):
        attempt(cloud, pay, SessionKind.FORWARD)
    assert told == [Context(profile, REGION)] * 3

    again = clouds_of(profile, tmp_path).open(Context(profile, REGION))
    access = access_of(again, nodes)
    assert access[pay.key].shell.verdict is Verdict.ALLOWED
    assert access[other.key].shell.verdict is Verdict.UNKNOWN
    refused = access[web.key].shell
    assert (refused.verdict, refused.cause) == (Verdict.DENIED, Cause.IMPLICIT)
    assert refused.resource == f"arn:aws:ec2:{REGION}:123456789012:instance/{web.id}"
    # It was the document that was refused, and so it is on every node.
    assert {each.forward.verdict for each in access.values()} == {Verdict.DENIED}
    assert access[other.key].forward.resource == f"arn:aws:ssm:{REGION}::document/AWS-StartPortForwardingSession"

    file = tmp_path / "lessons.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "oken" not in file.read_text(encoding="utf-8") + caplog.text


def all_of(access: Access) -> list[Answer]:
    return [access.of(kind) for kind in SessionKind]


def test_lessons_are_one_principals(admin: Administrator, tmp_path: Path) -> None:
    one, two = (admin.profile(allow(*LISTING), END, allow(START)) for _ in range(2))
    cloud = clouds_of(one, tmp_path).open(Context(one, REGION))
    node = next(node for node in nodes_of(cloud) if node.online and not node.container)
    attempt(cloud, node)
    cloud.identify()  # what was learned behind the session's back is known by now
    access = access_of(clouds_of(two, tmp_path).open(Context(two, REGION)), [node])
    assert access[node.key].shell.verdict is Verdict.UNKNOWN


def test_a_refusal_overturns_what_iam_said_of_the_like(admin: Administrator) -> None:
    """The policy changes after it was asked about: the refusal of one node speaks against the others of its kind."""

    def by_team(*teams: str) -> list[dict[str, object]]:
        mine = allow(START, resource=NODES, Condition={"StringEquals": {"ssm:resourceTag/team": list(teams)}})
        return [allow(*LISTING, *SIMULATING), END, mine, allow(START, resource=DOCUMENTS)]

    gateway = Recorder(profile := admin.profile(*by_team("pay", "web")))
    cloud = AwsCloud(Context(None, REGION), gateway)
    nodes = nodes_of(cloud)
    web = of_team(nodes, "web")
    access = access_of(cloud, nodes)
    assert {access[node.key].shell.verdict for node in web} == {Verdict.ALLOWED}
    admin.put_policy(profile, *by_team("pay"))
    with pytest.raises(AccessDeniedError):
        attempt(cloud, web[0])
    gateway.asked.clear()
    access = access_of(cloud, nodes)
    assert {access[node.key].shell.verdict for node in web} == {Verdict.DENIED}
    assert {node.id for node in web} <= {arn.rpartition("/")[2] for arns in simulated(gateway) for arn in arns}


def test_a_session_overturns_a_stale_denial(admin: Administrator) -> None:
    profile = admin.profile(allow(*LISTING, *SIMULATING), END, allow(START), deny(START, resource=NODES))
    clouds = AwsClouds([profile], [REGION])
    cloud = clouds.open(Context(profile, REGION))
    nodes = [node for node in nodes_of(cloud) if node.online and not node.container]
    assert {each.shell.cause for each in access_of(cloud, nodes).values()} == {Cause.EXPLICIT}
    told: list[Context] = []
    clouds.attend(told.append)
    admin.put_policy(profile, allow(*LISTING, *SIMULATING), END, allow(START))
    attempt(cloud, nodes[0])
    assert told == [cloud.context]
    assert {each.shell.verdict for each in access_of(cloud, nodes).values()} == {Verdict.ALLOWED}


def test_what_iam_cannot_see_is_kept_against_its_word(admin: Administrator) -> None:
    """A refusal that no policy of the caller's explains, as a resource control policy's: one node stands against the
    simulation, which goes on saying what it said."""
    profile = admin.profile(allow(*LISTING, *SIMULATING), END, allow(START))
    cloud = AwsClouds([profile], [REGION]).open(Context(profile, REGION))
    node, other = [node for node in nodes_of(cloud) if node.online and not node.container][:2]
    assert access_of(cloud, [node, other])[node.key].shell.verdict is Verdict.ALLOWED
    reason = "with an explicit deny in a resource control policy"
    error = AccessDeniedError("no", action=START, resource="arn:aws:ec2:::instance/" + node.id, reason=reason)
    cloud.learn(sessions.shell_on(node), error)
    access = access_of(cloud, [node, other])
    assert (access[node.key].shell.verdict, access[node.key].shell.cause) == (Verdict.DENIED, Cause.ORGANIZATION)
    assert access[other.key].shell.verdict is Verdict.ALLOWED
    # Whoever asks why is told the same.
    shell = next(each for each in cloud.explain(on_node(node)).undertakings if each.name == "shell")
    assert shell.answer == access[node.key].shell
