"""Access as simulated is what StartSession then answers; and what cannot be known is said to be unknown."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from contextlib import nullcontext, suppress

import pytest

from ssm_tui.aws.live import AwsCloud, AwsClouds
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain import sessions
from ssm_tui.domain.access import Access, Cause, SessionKind, Verdict
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.nodes import Node, NodeKey
from ssm_tui.domain.sessions import SessionSpec
from ssm_tui.errors import AccessDeniedError, AwsError
from tests.aws.conftest import LISTING, REGION, SIMULATING, Administrator, allow, cloud_of, deny, document
from tests.aws.test_nodes import Recorder

START = "ssm:StartSession"
NODES = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:managed-instance/*"]
DOCUMENTS = ["arn:aws:ssm:*::document/AWS-*", "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"]
END = allow("ssm:TerminateSession")


def nodes_of(cloud: AwsCloud) -> list[Node]:
    inventory = Inventory()
    for page in cloud.node_pages():
        inventory.add(page.nodes)
    return list(inventory)


def access_of(cloud: AwsCloud, nodes: list[Node]) -> dict[NodeKey, Access]:
    return {key: access for portion in cloud.access(nodes) for key, access in portion.items()}


def one_of_each(nodes: Iterable[Node]) -> list[Node]:
    """A node for each team, frozen or not, of each kind: what the fleet's policies tell apart."""
    kinds = {(node.tags.get("team"), node.tags.get("frozen"), node.kind): node for node in nodes if node.online}
    return list(kinds.values())


def spec(node: Node, kind: SessionKind) -> SessionSpec:
    match kind:
        case SessionKind.SHELL:
            return sessions.shell_on(node)
        case SessionKind.FORWARD:
            return sessions.forward(node.context, node.id, 22)
        case SessionKind.REMOTE:
            return sessions.forward(node.context, node.id, 5432, host="db.internal")
        case SessionKind.SSH:
            return sessions.ssh(node.context, node.id, 22)


def may_start(cloud: AwsCloud, wanted: SessionSpec) -> bool:
    """StartSession's own answer; what it starts is ended."""
    try:
        started = cloud.start_session(wanted)
    except AccessDeniedError:
        return False
    assert started.token not in repr(started)
    # The sessions of ECS Exec do not bear the user's name, by which people may end their own.
    with nullcontext() if not wanted.command else suppress(AccessDeniedError):
        cloud.terminate_session(started.session_id)
    return True


def assert_simulation_agrees_with_service(cloud: AwsCloud) -> set[Verdict]:
    chosen = one_of_each(nodes_of(cloud))
    access = access_of(cloud, chosen)
    verdicts: set[Verdict] = set()
    for node in chosen:
        for kind in SessionKind:
            answer = access[node.key].of(kind)
            assert answer.verdict is not Verdict.UNKNOWN
            assert may_start(cloud, spec(node, kind)) is (answer.verdict is Verdict.ALLOWED), (node.label, kind, answer)
            assert answer.reason
            verdicts.add(answer.verdict)
    return verdicts


def test_the_developers_access_is_what_the_service_says(
    admin: Administrator, demo_cloud: DemoProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, demo_cloud.environment[name])
    cloud = AwsCloud(Context(None, REGION))
    assert assert_simulation_agrees_with_service(cloud) == {Verdict.ALLOWED, Verdict.DENIED}


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(
            [
                allow(START, resource=NODES, Condition={"StringLike": {"ssm:resourceTag/team": ["pay", "w*"]}}),
                allow(START, resource=DOCUMENTS),
                deny(START, Condition={"StringEquals": {"aws:ResourceTag/frozen": "yes"}}),
            ],
            id="tags",
        ),
        pytest.param([allow(START, resource=[*NODES, DOCUMENTS[1]])], id="shells alone"),
        pytest.param([allow(START, resource=[*NODES, DOCUMENTS[0]])], id="no default document"),
        pytest.param(
            [
                allow(
                    START,
                    resource=[*NODES, DOCUMENTS[0]],
                    Condition={"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}},
                )
            ],
            id="the default document is checked, and missing",
        ),
        pytest.param(
            [allow(START, Condition={"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}})],
            id="everything is checked, and granted",
        ),
        pytest.param(
            [allow(START, Condition={"StringLike": {"ssm:resourceTag/team": "pay"}})],
            id="a tag condition over documents, which have no tags",
        ),
        pytest.param([allow(START, resource=["arn:aws:ssm:*:*:managed-instance/*", *DOCUMENTS])], id="hybrid alone"),
    ],
)
def test_simulation_and_service_agree(admin: Administrator, statements: list[dict[str, object]]) -> None:
    profile = admin.profile(allow(*LISTING, *SIMULATING), END, *statements)
    assert_simulation_agrees_with_service(cloud_of(profile))


def test_policies_that_name_single_nodes(admin: Administrator) -> None:
    profile = admin.profile(allow(*LISTING, *SIMULATING))
    cloud = cloud_of(profile)
    web = sorted(node.id for node in nodes_of(cloud) if node.tags.get("team") == "web" and not node.hybrid)
    mine = f"arn:aws:ec2:{REGION}:123456789012:instance/{web[0]}"
    admin.put_policy(profile, allow(*LISTING, *SIMULATING), allow(START, resource=[mine, *DOCUMENTS]))
    access = access_of(cloud, nodes_of(cloud))
    allowed = {key.id for key, each in access.items() if each.shell.verdict is Verdict.ALLOWED}
    assert allowed == {web[0]}


def test_calls_are_few(admin: Administrator) -> None:
    """One simulation for the documents and one for each set of tags that a policy looks at, whatever else differs."""
    by_team = allow(START, resource=NODES, Condition={"StringEquals": {"ssm:resourceTag/team": "pay"}})
    gateway = Recorder(admin.profile(allow(*LISTING, *SIMULATING), by_team, allow(START, resource=DOCUMENTS)))
    cloud = AwsCloud(Context(None, REGION), gateway)
    nodes = nodes_of(cloud)
    groups = {(node.container, node.tags.get("team")) for node in nodes}
    assert len(access_of(cloud, nodes)) == len(nodes) > 40
    asked = [operation for operation, _ in gateway.asked]
    assert asked.count("simulate_principal_policy") == len(groups) + 1
    assert asked.count("get_context_keys_for_principal_policy") == 1


def test_reasons_name_policy_and_tag(admin: Administrator) -> None:
    profile = admin.profile(
        allow(*LISTING, *SIMULATING),
        allow(START, resource=NODES, Condition={"StringEquals": {"ssm:resourceTag/team": "pay"}}),
        allow(START, resource=DOCUMENTS[1:]),
        deny(START, Condition={"StringEquals": {"ssm:resourceTag/frozen": "yes"}}),
    )
    cloud = cloud_of(profile)
    nodes = {node.name: node for node in nodes_of(cloud)}
    access = access_of(cloud, list(nodes.values()))
    assert access[nodes["결제-api-1"].key].shell.reason == "policy Own, tag team=pay"
    assert "no policy of yours allows it" in access[nodes["web-1"].key].shell.reason
    assert "forbidden by policy Own" in access[nodes["결제-정산-1"].key].shell.reason
    assert "AWS-StartPortForwardingSession" in access[nodes["결제-api-1"].key].forward.reason


def test_a_permissions_boundary_is_named(admin: Administrator) -> None:
    profile = admin.profile(allow(*LISTING, *SIMULATING, START))
    iam = admin.client("iam")
    boundary = iam.create_policy(PolicyName=f"limit-{profile}", PolicyDocument=document([allow(*LISTING, *SIMULATING)]))
    iam.put_user_permissions_boundary(UserName=profile, PermissionsBoundary=boundary["Policy"]["Arn"])
    try:
        cloud = cloud_of(profile)
        answer = access_of(cloud, nodes := nodes_of(cloud))[nodes[0].key].shell
    finally:
        iam.delete_user_permissions_boundary(UserName=profile)
        iam.delete_policy(PolicyArn=boundary["Policy"]["Arn"])
    assert (answer.verdict, answer.reason) == (Verdict.DENIED, "your permissions boundary does not allow it")
    assert (answer.cause, answer.deciders) == (Cause.BOUNDARY, ())


@pytest.mark.parametrize("missing", SIMULATING[:2])
def test_without_simulation_access_is_unknown(admin: Administrator, missing: str) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING, *SIMULATING), deny(missing), allow(START)))
    nodes = nodes_of(cloud)
    answers = {access.shell for access in access_of(cloud, nodes).values()}
    assert {answer.verdict for answer in answers} == {Verdict.UNKNOWN}
    assert {answer.reason for answer in answers} == {f"{missing} is denied"}


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([allow(START, Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], id="allowed from there"),
        pytest.param(
            [allow(START), deny(START, Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], id="forbidden else"
        ),
    ],
)
def test_a_condition_that_only_aws_can_judge_is_unknown(
    admin: Administrator, statements: list[dict[str, object]]
) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING, *SIMULATING), *statements))
    answer = access_of(cloud, nodes := nodes_of(cloud))[nodes[0].key].shell
    assert answer.verdict is Verdict.UNKNOWN
    assert "aws:SourceIp" in answer.reason


def test_an_access_key_of_long_standing_shows_no_mfa(admin: Administrator) -> None:
    by_mfa = allow(START, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    profile = admin.profile(allow(*LISTING, *SIMULATING), END, by_mfa)
    assert assert_simulation_agrees_with_service(cloud_of(profile)) == {Verdict.DENIED}


def test_tags_of_the_user_are_known(admin: Administrator) -> None:
    own = allow(START, resource=NODES, Condition={"StringEquals": {"ssm:resourceTag/team": "${aws:PrincipalTag/team}"}})
    statements = (allow(*LISTING, *SIMULATING, "iam:GetUser"), END, own, allow(START, resource=DOCUMENTS))
    profile = admin.profile(*statements)
    admin.client("iam").tag_user(UserName=profile, Tags=[{"Key": "team", "Value": "web"}])
    # Containers are entered by ECS's action, which this user has not.
    cloud = cloud_of(profile)
    nodes = [node for node in nodes_of(cloud) if not node.container]
    allowed = {key for key, each in access_of(cloud, nodes).items() if each.shell.verdict is Verdict.ALLOWED}
    assert allowed == {node.key for node in nodes if node.tags.get("team") == "web"} != set()
    assert assert_simulation_agrees_with_service(cloud) == {Verdict.ALLOWED, Verdict.DENIED}


def test_what_iam_has_said_is_asked_for_again_once_it_does_not_hold(admin: Administrator) -> None:
    """The keys and the documents are the same: only a node of a group shows that the policy has changed."""

    def by_team(team: str) -> list[dict[str, object]]:
        mine = allow(START, resource=NODES, Condition={"StringEquals": {"ssm:resourceTag/team": team}})
        return [allow(*LISTING, *SIMULATING), mine, allow(START, resource=DOCUMENTS)]

    def allowed() -> set[str | None]:
        access = access_of(cloud, nodes)
        return {node.tags.get("team") for node in nodes if access[node.key].forward.verdict is Verdict.ALLOWED}

    gateway = Recorder(profile := admin.profile(*by_team("pay")))
    cloud = AwsCloud(Context(None, REGION), gateway)
    nodes = nodes_of(cloud)
    assert allowed() == {"pay"}
    asked_about = [resources for resources in simulated(gateway) if len(resources) > len(SessionKind)]
    assert asked_about
    gateway.asked.clear()
    assert allowed() == {"pay"}
    assert max(map(len, simulated(gateway))) == len(SessionKind)  # the documents, and else a node of each group
    admin.put_policy(profile, *by_team("web"))
    assert allowed() == {"web"}


def simulated(gateway: Recorder) -> list[list[str]]:
    """The resources of each simulation so far."""
    return [asked["ResourceArns"] for operation, asked in gateway.asked if operation == "simulate_principal_policy"]


def test_tags_that_could_not_be_read_leave_access_unknown(admin: Administrator) -> None:
    by_team = allow(START, Condition={"StringEquals": {"ssm:resourceTag/team": "pay"}})
    cloud = cloud_of(admin.profile(allow("ssm:Describe*", *SIMULATING), by_team))
    access = access_of(cloud, nodes_of(cloud))
    assert {each.shell.verdict for each in access.values()} == {Verdict.UNKNOWN}
    assert "tags could not be read" in next(iter(access.values())).shell.reason


def test_without_tag_conditions_unread_tags_do_not_matter(admin: Administrator) -> None:
    cloud = cloud_of(admin.profile(allow("ssm:Describe*", *SIMULATING), allow(START)))
    access = access_of(cloud, nodes_of(cloud))
    assert {each.shell.verdict for each in access.values()} == {Verdict.ALLOWED}


def test_policy_variables_of_the_caller_are_known(admin: Administrator) -> None:
    own = allow(START, resource=NODES, Condition={"StringNotEquals": {"ssm:resourceTag/team": "${aws:username}"}})
    cloud = cloud_of(admin.profile(allow(*LISTING, *SIMULATING), own, allow(START, resource=DOCUMENTS)))
    access = access_of(cloud, nodes := nodes_of(cloud))
    assert access[nodes[0].key].shell.verdict is Verdict.ALLOWED


@pytest.mark.parametrize("path", ["/", "/teams/pay/"])
def test_a_roles_session_is_judged_by_its_role(admin: Administrator, path: str) -> None:
    cloud = cloud_of(admin.role_profile(path, allow(*LISTING, *SIMULATING), END, allow(START, "ecs:ExecuteCommand")))
    assert ":assumed-role/" in cloud.identify().arn
    assert assert_simulation_agrees_with_service(cloud) == {Verdict.ALLOWED}


def test_a_node_that_does_not_answer(admin: Administrator) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING), allow(START)))
    lost = next(node for node in nodes_of(cloud) if node.name == "web-lost")
    with pytest.raises(AwsError) as caught:
        cloud.start_session(sessions.shell(lost.context, lost.id))
    assert caught.value.code == "TargetNotConnected"
    assert lost.id in caught.value.message


def test_ending_a_session_twice_is_no_error(admin: Administrator) -> None:
    cloud = cloud_of(admin.profile(allow(*LISTING), allow(START), END))
    node = next(node for node in nodes_of(cloud) if node.online)
    started = cloud.start_session(sessions.shell(node.context, node.id, reason="a test"))
    assert started.endpoint.startswith("http://127.0.0.1:")
    cloud.terminate_session(started.session_id)
    cloud.terminate_session(started.session_id)
    cloud.terminate_session("user-0123456789abcdef0")


def test_a_shell_by_a_document_of_the_settings(admin: Administrator) -> None:
    ssm, name = admin.client("ssm"), f"Team{uuid.uuid4().hex[:6]}"
    content = {"schemaVersion": "1.0", "description": "ours", "sessionType": "Standard_Stream", "inputs": {}}
    ssm.create_document(Name=name, Content=json.dumps(content), DocumentType="Session", DocumentFormat="JSON")
    try:
        named = allow(START, resource=[*NODES, f"arn:aws:ssm:*:*:document/{name}"])
        profile = admin.profile(allow(*LISTING, *SIMULATING), END, named)
        for document, verdict in ((name, Verdict.ALLOWED), ("", Verdict.DENIED)):
            cloud = AwsClouds([profile], [REGION], shell_document=document).open(Context(profile, REGION))
            node = next(node for node in nodes_of(cloud) if node.online and not node.container)
            answer = access_of(cloud, [node])[node.key].shell
            assert answer.verdict is verdict
            assert may_start(cloud, sessions.shell_on(node, document=document)) is (verdict is Verdict.ALLOWED)
    finally:
        ssm.delete_document(Name=name)
    assert (answer.cause, answer.resource.rpartition("/")[2]) == (Cause.IMPLICIT, SessionKind.SHELL.document)
