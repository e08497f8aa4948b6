"""Why, on the demo cloud: what is said to be missing is what StartSession refuses, and what is asked for mends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ssm_tui.aws.live import AwsCloud
from ssm_tui.domain.access import Cause, SessionKind, Verdict
from ssm_tui.domain.credentials import PasswordMeans, usual_user
from ssm_tui.domain.grants import Explanation, Place, of_database, on_node
from ssm_tui.domain.kinds import NodeKind
from ssm_tui.domain.nodes import Node
from tests.aws.conftest import LISTING, REGION, SIMULATING, Administrator, allow, cloud_of, deny, document
from tests.aws.test_access import DOCUMENTS, END, NODES, START, access_of, may_start, nodes_of, spec

OWN_SESSIONS = ("ssmmessages:OpenDataChannel", "ssm:ResumeSession", "ssm:TerminateSession")
TEXTS = ("iam:GetUserPolicy", "iam:GetRolePolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListGroupsForUser")
BASE = allow(*LISTING, *SIMULATING, *TEXTS)
TASKS = ["arn:aws:ecs:*:*:task/*", "arn:aws:ecs:*:*:cluster/*"]


def a_node(cloud: AwsCloud, kind: NodeKind = NodeKind.EC2, **tags: str) -> Node:
    """An online node of the kind that has these tags."""
    return some_nodes(cloud, kind, **tags)[0]


def some_nodes(cloud: AwsCloud, kind: NodeKind, **tags: str) -> list[Node]:
    """All such nodes."""
    return [n for n in nodes_of(cloud) if n.online and n.kind is kind and tags.items() <= n.tags.items()]


def verdicts(found: Explanation) -> dict[str, Verdict]:
    return {each.name: each.answer.verdict for each in found.undertakings}


def attach(admin: Administrator, user: str, policy: dict[str, Any] | None) -> Callable[[], None]:
    """Gives the user the policy that was asked for; what takes it away again."""
    iam = admin.client("iam")
    if policy is None:
        return lambda: None
    iam.put_user_policy(UserName=user, PolicyName="AskedFor", PolicyDocument=json.dumps(policy))
    return lambda: iam.delete_user_policy(UserName=user, PolicyName="AskedFor")


EC2, HYBRID, ECS = NodeKind
TEAM = {"StringEquals": {"ssm:resourceTag/team": "nobody"}}


@pytest.mark.parametrize(
    ("kind", "statements"),
    [
        pytest.param(EC2, [], id="nothing is allowed"),
        pytest.param(EC2, [allow(START, resource=NODES)], id="documents are missing"),
        pytest.param(EC2, [allow(START, resource=DOCUMENTS)], id="the node is missing"),
        pytest.param(EC2, [allow(START, resource=[*NODES, DOCUMENTS[0]])], id="the shell's document is missing"),
        pytest.param(HYBRID, [allow(START, resource=DOCUMENTS)], id="the hybrid node is missing"),
        pytest.param(HYBRID, [allow(START, resource=[*NODES, *DOCUMENTS], Condition=TEAM)], id="it has another tag"),
        pytest.param(ECS, [], id="nothing is allowed on the task"),
        pytest.param(ECS, [allow("ecs:ExecuteCommand", resource=TASKS[0])], id="the cluster is missing"),
    ],
)
def test_what_is_asked_for_is_what_was_missing(
    admin: Administrator, kind: NodeKind, statements: list[dict[str, Any]]
) -> None:
    user = admin.profile(BASE, END, *statements)
    cloud = cloud_of(user)
    node, other = some_nodes(cloud, kind)[:2]
    before = cloud.explain(on_node(node))
    refused = {name for name, verdict in verdicts(before).items() if verdict is not Verdict.ALLOWED}
    assert refused
    for each in SessionKind:
        assert may_start(cloud, spec(node, each)) is (each.value not in refused), each
    policy = before.request().document()
    detach = attach(admin, user, policy)
    try:
        after = cloud_of(user).explain(on_node(node))
        assert set(verdicts(after).values()) == {Verdict.ALLOWED}
        assert after.request().document() is None
        assert all(may_start(cloud, spec(node, each)) for each in SessionKind)
        assert {k.value for k in SessionKind if not may_start(cloud, spec(other, k))} >= narrow(before, kind)
    finally:
        detach()


def narrow(before: Explanation, kind: NodeKind) -> set[str]:
    """What was refused on the node itself: on another one it still must be. Containers of one task are one resource."""
    if kind is NodeKind.ECS:
        return set()
    return {u.name for u in before.undertakings if u.points[0].answer.verdict is not Verdict.ALLOWED}


@pytest.mark.parametrize("kind", list(SessionKind))
def test_one_kind_is_asked_for_alone(admin: Administrator, kind: SessionKind) -> None:
    user = admin.profile(BASE, END)
    cloud = cloud_of(user)
    node = a_node(cloud)
    detach = attach(admin, user, cloud.explain(on_node(node)).request(kind.value).document())
    try:
        assert {each for each in SessionKind if may_start(cloud, spec(node, each))} == {kind}
    finally:
        detach()


def test_the_statement_that_decided_is_quoted(admin: Administrator) -> None:
    freeze = deny(START, Condition={"StringEquals": {"ssm:resourceTag/frozen": "yes"}})
    user = admin.profile(BASE, allow(START, resource=[*NODES, *DOCUMENTS]), freeze)
    cloud = cloud_of(user)
    found = cloud.explain(on_node(a_node(cloud, frozen="yes")))
    assert set(verdicts(found).values()) == {Verdict.DENIED}
    assert {each.answer.cause for each in found.undertakings} == {Cause.EXPLICIT}
    assert ("frozen", "yes") in found.tags
    assert freeze in [json.loads(quote.text) for quote in found.quotes]
    assert found.request().document(Place.IDENTITY) == found.request().document()
    (obstacle,) = found.request().obstacles
    assert "policy Own" in obstacle
    assert "frozen=yes" in obstacle


def test_without_the_right_to_read_policies_that_is_said(admin: Administrator) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING, *SIMULATING), allow(START, resource=[*NODES, *DOCUMENTS])))
    found = cloud.explain(on_node(a_node(cloud)))
    assert {(quote.text, quote.trouble) for quote in found.quotes} == {("", "iam:GetUserPolicy is denied")}


def test_a_role_under_a_path(admin: Administrator) -> None:
    role = admin.role_profile("/teams/pay/", BASE, allow(START, resource=[*NODES, *DOCUMENTS]))
    cloud = cloud_of(role)
    found = cloud.explain(on_node(a_node(cloud)))
    assert found.caller is not None
    assert found.caller.session == "tests"
    assert set(verdicts(found).values()) == {Verdict.ALLOWED}
    assert allow(START, resource=[*NODES, *DOCUMENTS]) in [json.loads(quote.text) for quote in found.quotes]
    patterns = str(found.request().document())
    assert "session/tests-*" in patterns
    assert "session/${aws:userid}-*" in patterns


def test_own_sessions_that_may_be_ended_are_not_asked_for(admin: Administrator) -> None:
    own = allow(*OWN_SESSIONS, resource="arn:aws:ssm:*:*:session/${aws:username}-*")
    tagged = {"StringLike": {"ssm:resourceTag/aws:ssmmessages:session-id": ["${aws:userid}"]}}
    for statement in (own, allow(*OWN_SESSIONS, resource="arn:aws:ssm:*:*:session/*", Condition=tagged)):
        cloud = cloud_of(admin.profile(BASE, allow(START, resource=[*NODES, *DOCUMENTS]), statement))
        found = cloud.explain(on_node(a_node(cloud)))
        assert {point.answer.verdict for point in found.sessions} == {Verdict.ALLOWED}
        assert found.request().document() is None


@pytest.mark.parametrize("own", [True, False])
def test_a_boundary_wants_the_statement_itself(admin: Administrator, own: bool) -> None:
    """And one's own policies too, where they do not allow it either."""
    user = admin.profile(BASE, allow(*OWN_SESSIONS, *([START] if own else [])))
    iam = admin.client("iam")
    limit = iam.create_policy(PolicyName=f"limit-{user}", PolicyDocument=document([BASE, allow(*OWN_SESSIONS)]))
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=limit["Policy"]["Arn"])
    try:
        cloud = cloud_of(user)
        found = cloud.explain(on_node(a_node(cloud)))
    finally:
        iam.delete_user_permissions_boundary(UserName=user)
        iam.delete_policy(PolicyArn=limit["Policy"]["Arn"])
    assert {each.answer.cause for each in found.undertakings} == {Cause.BOUNDARY}
    assert list(found.request().grants) == ([] if own else [Place.IDENTITY]) + [Place.BOUNDARY]
    assert not found.request().doubtful


def test_what_the_simulation_does_not_see_is_learned_by_trying(admin: Administrator) -> None:
    """A policy of the session allows less than the role's."""
    everything = allow(START, *OWN_SESSIONS)
    role = admin.role_profile("/", BASE, everything, session=[BASE, allow(*OWN_SESSIONS)])
    cloud = cloud_of(role)
    node = a_node(cloud)
    assert access_of(cloud, [node])[node.key].shell.verdict is Verdict.ALLOWED
    assert verdicts(cloud.explain(on_node(node)))["shell"] is Verdict.ALLOWED
    assert not may_start(cloud, spec(node, SessionKind.SHELL))
    found = cloud.explain(on_node(node))
    assert verdicts(found)["shell"] is Verdict.DENIED
    assert found.request("shell").document() is None
    (obstacle,) = found.request("shell").obstacles
    assert node.id in obstacle
    assert "a policy of your session" in obstacle


def test_without_simulation_everything_that_may_be_missing_is_asked_for(admin: Administrator) -> None:
    user = admin.profile(allow(*LISTING))
    cloud = cloud_of(user)
    node = a_node(cloud)
    found = cloud.explain(on_node(node))
    assert set(verdicts(found).values()) == {Verdict.UNKNOWN}
    assert found.doubt == "iam:GetContextKeysForPrincipalPolicy is denied"
    request = found.request()
    assert request.doubtful
    detach = attach(admin, user, request.document())
    try:
        assert all(may_start(cloud, spec(node, each)) for each in SessionKind)
    finally:
        detach()


def test_it_costs_few_calls(admin: Administrator) -> None:
    from tests.aws.test_nodes import Recorder

    gateway = Recorder(admin.profile(BASE, allow(START, resource=[*NODES, *DOCUMENTS])))
    cloud = AwsCloud(cloud_of("x").context, gateway)
    node = a_node(cloud)
    gateway.asked.clear()
    cloud.explain(on_node(node))
    asked = [operation for operation, _ in gateway.asked]
    assert asked.count("simulate_principal_policy") == 3
    assert len(asked) <= 8
    assert node.context.region == REGION


def test_a_login_by_iam_is_asked_for_with_the_forward(admin: Administrator) -> None:
    user = admin.profile(BASE, END, allow(START, resource=NODES))
    cloud = cloud_of(user)
    database = next(each for page in cloud.database_pages() for each in page.databases if each.id == "orders")
    relay = next(n for n in some_nodes(cloud, EC2) if n.vpc == database.vpc)
    target = of_database(database, relay)
    before = cloud.explain(target)
    assert verdicts(before) == {"remote": Verdict.DENIED, "connect": Verdict.DENIED}
    policy = before.request().document()
    assert policy is not None
    login = f"arn:aws:rds-db:{REGION}:123456789012:dbuser:{database.resource_id}/{usual_user(database)}"
    assert {"Effect": "Allow", "Action": "rds-db:connect", "Resource": login} in policy["Statement"]
    detach = attach(admin, user, policy)
    try:
        fresh = cloud_of(user)
        assert set(verdicts(fresh.explain(target)).values()) == {Verdict.ALLOWED}
        assert may_start(fresh, spec(relay, SessionKind.REMOTE))
        assert fresh.credentials(database, PasswordMeans.TOKEN).doubt == ""
    finally:
        detach()
