"""The verdict before Enter is what StartSession then does: policy cases, each on several nodes and for every kind.

The demo cloud decides by its own evaluator, the tool reads IAM's simulation, and neither imports the other's code
(`tests/test_layers.py`); what must come out is written in `policy_cases` by hand.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from ssm_tui.aws.live import AwsCloud, AwsClouds
from ssm_tui.aws.prompts import CodeDesk
from ssm_tui.demo.callers import MFA_CODE, mfa_serial
from ssm_tui.demo.order_client import OrderClient
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain import sessions
from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.nodes import Node
from ssm_tui.domain.sessions import SessionSpec
from ssm_tui.errors import AccessDeniedError
from tests.aws import policy_cases
from tests.aws.conftest import REGION, SIMULATING, Administrator, allow, cloud_of, document
from tests.aws.policy_cases import ALL, NODES, Case

ADMINISTRATOR = "administrator"
MFA_SERIAL = mfa_serial("123456789012")
_KEYS = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
_LETTERS = dict(zip(ALL, SessionKind, strict=True))
_READING = allow(*SIMULATING, "iam:GetUser", "iam:ListUserTags", "iam:ListRoleTags")


@pytest.fixture(scope="module")
def found(demo_cloud: DemoProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], list[Node]]]:
    """The nodes of a region that the cases are about, read once; abroad one is made for it."""
    environment = demo_cloud.environment
    keys = (environment[f"DEMO_ADMIN_{each}"] for each in _KEYS)
    admin = Administrator(environment, tmp_path_factory.mktemp("administrator"))
    admin.write_profile(ADMINISTRATOR, *keys)
    known: dict[str, list[Node]] = {}
    with ExitStack() as ends:

        def nodes(region: str) -> list[Node]:
            if region not in known:
                if region != REGION:
                    _make_node(admin, region, ends)
                known[region] = _read(admin, region)
            return known[region]

        yield nodes


def _read(admin: Administrator, region: str) -> list[Node]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in admin.variables().items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        named = {node.name: node for page in cloud_of(ADMINISTRATOR, region).node_pages() for node in page.nodes}
    return [named[name] for name in NODES if name in named]


def _make_node(admin: Administrator, region: str, ends: ExitStack) -> None:
    """An instance with a way to Systems Manager, in the region's default VPC."""
    iam, ec2, name = admin.client("iam", region), admin.client("ec2", region), f"node-{region}"
    trust = [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="core", PolicyDocument=document([allow("ssm:*", "ssmmessages:*")]))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    table = ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    tags = [{"Key": "Name", "Value": NODES[0]}, {"Key": "team", "Value": "pay"}]
    made = ec2.run_instances(
        ImageId="ami-0a1a2a3a4a5a6a7a8",
        MinCount=1,
        MaxCount=1,
        SubnetId=ec2.describe_subnets(Filters=mine)["Subnets"][0]["SubnetId"],
        IamInstanceProfile={"Name": name},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    ends.callback(ec2.terminate_instances, InstanceIds=[made["Instances"][0]["InstanceId"]])


class Callers:
    """Makes the caller of a case, and takes it away again."""

    def __init__(self, admin: Administrator, environment: Mapping[str, str], case: Case, nodes: Sequence[Node]) -> None:
        self._admin, self._environment, self._case, self._nodes = admin, environment, case, nodes
        self._iam = admin.client("iam", case.region)
        self._ends = ExitStack()

    def __enter__(self) -> AwsCloud:
        with ExitStack() as beginning:
            beginning.push(self._ends)
            name = self._role() if self._case.role else self._user()
            if self._case.organization is not None:
                self._restrict(self._case.organization)
            beginning.pop_all()
        desk = CodeDesk()
        desk.attend(lambda _question, answer: answer(MFA_CODE), "")
        return AwsClouds([name], [self._case.region], desk=desk).open(Context(name, self._case.region))

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def _user(self) -> str:
        case, iam, ends = self._case, self._iam, self._ends
        name = case.name or f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name, Path=case.path, Tags=self._tags(case.tags))
        ends.callback(iam.delete_user, UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="Own", PolicyDocument=self._document(*case.own, _READING))
        ends.callback(iam.delete_user_policy, UserName=name, PolicyName="Own")
        if case.boundary is not None:
            iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=self._policy(case.boundary))
        if case.group is not None:
            self._join(name, case.group)
        if case.managed is not None:
            arn = case.managed if isinstance(case.managed, str) else self._policy(case.managed)
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
            ends.callback(iam.detach_user_policy, UserName=name, PolicyArn=arn)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        ends.callback(iam.delete_access_key, UserName=name, AccessKeyId=key["AccessKeyId"])
        self._admin.write_profile(name, key["AccessKeyId"], key["SecretAccessKey"])
        return name

    def _role(self) -> str:
        case, iam, ends = self._case, self._iam, self._ends
        name = f"role-{uuid.uuid4().hex[:8]}"
        trusting = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
        limit = {"PermissionsBoundary": self._policy(case.boundary)} if case.boundary is not None else {}
        made = iam.create_role(
            RoleName=name,
            Path=case.path,
            AssumeRolePolicyDocument=document([trusting]),
            Tags=self._tags(case.tags),
            **limit,
        )["Role"]
        ends.callback(iam.delete_role, RoleName=name)
        iam.put_role_policy(RoleName=name, PolicyName="Own", PolicyDocument=self._document(*case.own, _READING))
        ends.callback(iam.delete_role_policy, RoleName=name, PolicyName="Own")
        if case.profile:
            self._admin.write_role_profile(name, made["Arn"], ADMINISTRATOR, MFA_SERIAL if case.code else "")
            return name
        how: dict[str, Any] = {"Tags": self._tags(case.session_tags)} if case.session_tags else {}
        if case.session is not None:
            how["Policy"] = self._document(*case.session)
        sts = self._admin.client("sts", case.region)
        answer = sts.assume_role(RoleArn=made["Arn"], RoleSessionName="ann", **how)["Credentials"]
        self._admin.write_profile(name, answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
        return name

    def _join(self, user: str, statements: Sequence[Mapping[str, Any]]) -> None:
        iam, ends, name = self._iam, self._ends, f"group-{uuid.uuid4().hex[:8]}"
        iam.create_group(GroupName=name)
        ends.callback(iam.delete_group, GroupName=name)
        iam.put_group_policy(GroupName=name, PolicyName="Ours", PolicyDocument=self._document(*statements))
        ends.callback(iam.delete_group_policy, GroupName=name, PolicyName="Ours")
        iam.add_user_to_group(GroupName=name, UserName=user)
        ends.callback(iam.remove_user_from_group, GroupName=name, UserName=user)

    def _policy(self, statements: Sequence[Mapping[str, Any]]) -> str:
        name = f"policy-{uuid.uuid4().hex[:8]}"
        made = self._iam.create_policy(PolicyName=name, PolicyDocument=self._document(*statements))["Policy"]["Arn"]
        self._ends.callback(self._iam.delete_policy, PolicyArn=made)
        return str(made)

    def _restrict(self, statements: Sequence[Mapping[str, Any]]) -> None:
        orders = OrderClient(self._environment, self._case.region, command="a test")
        attached = {"Limit": statements}
        if all(each["Effect"] == "Deny" for each in statements):
            attached["FullAWSAccess"] = (allow("*"),)
        for name, each in attached.items():
            orders.call("PutServiceControlPolicy", {"Name": name, "Document": self._document(*each)})
            self._ends.callback(orders.call, "PutServiceControlPolicy", {"Name": name})

    def _document(self, *statements: Mapping[str, Any]) -> str:
        return self._filled(document(statements))

    def _tags(self, tags: Mapping[str, str]) -> list[dict[str, str]]:
        return [{"Key": key, "Value": self._filled(value)} for key, value in tags.items()]

    def _filled(self, text: str) -> str:
        """`{2}` is the id of the third node."""
        for place, node in enumerate(self._nodes):
            text = text.replace(f"{{{place}}}", node.id)
        return text


def _spec(node: Node, kind: SessionKind) -> SessionSpec:
    match kind:
        case SessionKind.SHELL:
            return sessions.shell_on(node)
        case SessionKind.FORWARD:
            return sessions.forward(node.context, node.id, 22)
        case SessionKind.REMOTE:
            return sessions.forward(node.context, node.id, 5432, host="db.internal")
        case SessionKind.SSH:
            return sessions.ssh(node.context, node.id, 22)


def _starts(cloud: AwsCloud, admin: Administrator, spec: SessionSpec) -> bool:
    """StartSession's own answer; what it starts is ended."""
    try:
        started = cloud.start_session(spec)
    except AccessDeniedError:
        return False
    admin.client("ssm", spec.context.region).terminate_session(SessionId=started.session_id)
    return True


def _verdicts(cloud: AwsCloud, nodes: Sequence[Node]) -> tuple[list[str], set[str]]:
    """What is known before, in the letters of the cases, and the reasons of what is not."""
    access = {key: each for portion in cloud.access(nodes) for key, each in portion.items()}
    texts, open_reasons = [], set()
    for node in nodes:
        answers = {letter: access[node.key].of(kind) for letter, kind in _LETTERS.items()}
        unknown = {answer.reason for answer in answers.values() if answer.verdict is Verdict.UNKNOWN}
        open_reasons |= unknown
        allowed = "".join(letter for letter, answer in answers.items() if answer.verdict is Verdict.ALLOWED)
        texts.append("?" if unknown else allowed)
    return texts, open_reasons


def _afterwards(cloud: AwsCloud, admin: Administrator, nodes: Sequence[Node]) -> list[str]:
    return [
        "".join(letter for letter, kind in _LETTERS.items() if _starts(cloud, admin, _spec(node, kind)))
        for node in nodes
    ]


@pytest.mark.parametrize("name", policy_cases.KNOWN)
def test_the_verdict_is_what_start_session_then_does(
    admin: Administrator, demo_cloud: DemoProcess, found: Callable[[str], list[Node]], name: str
) -> None:
    case, environment = policy_cases.KNOWN[name], demo_cloud.environment
    nodes = found(case.region)
    if case.profile:
        keys = (environment[f"DEMO_ADMIN_{each}"] for each in _KEYS)
        admin.write_profile(ADMINISTRATOR, *keys)
    assert len(nodes) == len(case.expected)
    with Callers(admin, environment, case, nodes) as cloud:
        assert _verdicts(cloud, nodes) == (list(case.expected), set())
        assert _afterwards(cloud, admin, nodes) == list(case.expected)


@pytest.mark.parametrize("name", policy_cases.OPEN)
def test_what_only_aws_can_know_is_said_to_be_unknown(
    admin: Administrator, demo_cloud: DemoProcess, found: Callable[[str], list[Node]], name: str
) -> None:
    case = policy_cases.OPEN[name]
    nodes = found(case.region)
    with Callers(admin, demo_cloud.environment, case, nodes) as cloud:
        verdicts, reasons = _verdicts(cloud, nodes)
    assert verdicts == list(case.expected)
    (reason,) = {each.removeprefix(f"the document {SessionKind.SHELL.document}: ") for each in reasons}
    assert case.why in reason


@pytest.mark.parametrize("name", policy_cases.BEYOND)
def test_what_the_simulation_leaves_out_is_told_by_the_refusal(
    admin: Administrator, demo_cloud: DemoProcess, found: Callable[[str], list[Node]], name: str
) -> None:
    case = policy_cases.BEYOND[name]
    nodes = found(case.region)
    with Callers(admin, demo_cloud.environment, case, nodes) as cloud:
        assert _verdicts(cloud, nodes) == (list(policy_cases.EVERY), set())
        assert _afterwards(cloud, admin, nodes) == list(case.expected)


def test_there_are_enough_of_them() -> None:
    assert len(policy_cases.KNOWN) >= 40
    assert {letter for case in policy_cases.KNOWN.values() for text in case.expected for letter in text} == set(ALL)
