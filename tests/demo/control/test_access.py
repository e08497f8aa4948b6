"""Who may: simulation and StartSession agree, refusals are AWS's, a change takes effect at once."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.demo.control.conftest import refusal
from tests.demo_cloud import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssm_tui.demo.runner import DemoProcess

REGION = "ap-northeast-2"
ACCOUNT = "123456789012"
DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"


def simulated(caller: Caller, source: str, node: str, document: str | None, tags: dict[str, str]) -> bool:
    """What IAM's simulation says when it is told the node's tags."""
    kind = f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance" if node.startswith("mi-") else _instances()
    resources = [f"{kind}/{node}"]
    if document is not None:
        resources.append(f"arn:aws:ssm:{REGION}::document/{document}")
    answer = caller.client("iam").simulate_principal_policy(
        PolicySourceArn=source,
        ActionNames=["ssm:StartSession"],
        ResourceArns=resources,
        ContextEntries=[
            {"ContextKeyName": f"ssm:resourceTag/{key}", "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in tags.items()
        ],
    )
    (result,) = answer["EvaluationResults"]
    specific = result["ResourceSpecificResults"]
    assert [each["EvalResourceName"] for each in specific] == resources
    return all(each["EvalResourceDecision"] == "allowed" for each in specific)


def started(caller: Caller, node: str, document: str | None) -> bool:
    """What StartSession says; a session that starts is ended again."""
    ssm = caller.client("ssm")
    named: dict[str, Any] = {"DocumentName": document} if document is not None else {}
    try:
        session = ssm.start_session(Target=node, **named)
    except ssm.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    ssm.terminate_session(SessionId=session["SessionId"])
    return True


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        ("결제-api-1", None, True),
        ("결제-api-1", DOCUMENT, True),
        ("결제-api-1", "AWS-StartSSHSession", True),
        ("결제-api-1", "AWS-StartInteractiveCommand", False),
        ("🚀-deploy", "AWS-StartPortForwardingSession", True),
        ("검색-index-1", None, False),
        ("검색-index-1", DOCUMENT, False),
        ("결제-정산-1", None, False),
        ("legacy-batch-1", None, False),
    ],
)
def test_simulation_and_start_agree(
    developer: Caller, instance: Callable[..., str], name: str, document: str | None, expected: bool
) -> None:
    node = instance(name)
    tags = {each["Key"]: each["Value"] for each in _tags(developer, node)}
    source = developer.client("sts").get_caller_identity()["Arn"]
    assert simulated(developer, source, node, document, tags) is expected
    assert started(developer, node, document) is expected


def test_hybrid_nodes_are_judged_by_their_own_tags(developer: Caller) -> None:
    assert started(developer, "mi-0f9e8d7c6b5a43210", None)


def test_simulation_without_the_tags_names_them(developer: Caller) -> None:
    source = developer.client("sts").get_caller_identity()["Arn"]
    iam = developer.client("iam")
    answer = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=["ssm:StartSession"])
    (result,) = answer["EvaluationResults"]
    assert (result["EvalResourceName"], result["EvalDecision"]) == ("*", "implicitDeny")
    assert "ssm:resourceTag/frozen" in result["MissingContextValues"]
    keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=source)["ContextKeyNames"]
    assert {"ssm:resourceTag/team", "ssm:SessionDocumentAccessCheck", "aws:username"} <= set(keys)


def test_simulation_pages(administrator: Caller) -> None:
    source = administrator.client("sts").get_caller_identity()["Arn"]
    iam = administrator.client("iam")
    actions = [f"ssm:Action{number}" for number in range(5)]
    first = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=actions, MaxItems=3)
    assert first["IsTruncated"]
    rest = iam.simulate_principal_policy(
        PolicySourceArn=source, ActionNames=actions, MaxItems=3, Marker=first["Marker"]
    )
    results = first["EvaluationResults"] + rest["EvaluationResults"]
    assert [each["EvalActionName"] for each in results] == actions
    assert {each["EvalDecision"] for each in results} == {"allowed"}
    assert not rest["IsTruncated"]


def test_simulation_of_others_is_refused_or_unknown(developer: Caller, administrator: Caller) -> None:
    other = f"arn:aws:iam::{ACCOUNT}:user/administrator"
    arguments: dict[str, Any] = {"PolicySourceArn": other, "ActionNames": ["ssm:StartSession"]}
    code, message = refusal(developer.client("iam").simulate_principal_policy, **arguments)
    assert code == "AccessDenied"
    assert f"is not authorized to perform: iam:SimulatePrincipalPolicy on resource: {other}" in message
    arguments["PolicySourceArn"] = f"arn:aws:iam::{ACCOUNT}:user/nobody"
    assert refusal(administrator.client("iam").simulate_principal_policy, **arguments)[0] == "NoSuchEntity"


def test_refusals_say_whom_what_and_why(developer: Caller, instance: Callable[..., str]) -> None:
    me = f"User: arn:aws:iam::{ACCOUNT}:user/developer is not authorized to perform: ssm:StartSession on resource: "
    ssm = developer.client("ssm")
    node = instance("검색-index-1")
    code, message = refusal(ssm.start_session, Target=node)
    assert code == "AccessDeniedException"
    why = "because no identity-based policy allows the ssm:StartSession action"
    assert message == f"{me}{_instances()}/{node} {why}"
    frozen = instance("결제-정산-1")
    message = refusal(ssm.start_session, Target=frozen)[1]
    assert message == f"{me}{_instances()}/{frozen} with an explicit deny in an identity-based policy"
    message = refusal(ssm.start_session, Target=instance("web-1"), DocumentName="AWS-StartInteractiveCommand")[1]
    assert message == f"{me}arn:aws:ssm:{REGION}::document/AWS-StartInteractiveCommand {why}"


@contextlib.contextmanager
def _caller_with(cloud: DemoProcess, administrator: Caller, name: str, *statements: dict[str, Any]) -> Iterator[Caller]:
    """Another user with a policy of its own."""
    iam = administrator.client("iam")
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield Caller(cloud.environment, key["AccessKeyId"], key["SecretAccessKey"])
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="only")
        iam.delete_user(UserName=name)


def allow(*actions: str, **parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **parts}


def test_each_service_refuses_in_its_own_words(demo_cloud: DemoProcess, administrator: Caller) -> None:
    with _caller_with(demo_cloud, administrator, "blind", allow("s3:ListAllMyBuckets")) as blind:
        assert blind.client("sts").get_caller_identity()["Arn"].endswith(":user/blind")
        assert refusal(blind.client("ec2").describe_instances)[0] == "UnauthorizedOperation"
        assert refusal(blind.client("rds").describe_db_instances)[0] == "AccessDenied"
        assert refusal(blind.client("elasticache").describe_replication_groups)[0] == "AccessDenied"
        assert refusal(blind.client("iam").list_users)[0] == "AccessDenied"
        assert refusal(blind.client("ssm").describe_instance_properties)[0] == "AccessDeniedException"


def test_a_change_of_policy_tag_or_boundary_takes_effect_at_once(
    demo_cloud: DemoProcess, administrator: Caller, instance: Callable[..., str]
) -> None:
    node = instance("검색-index-2")
    iam, ec2 = administrator.client("iam"), administrator.client("ec2")
    condition = {"StringEquals": {"ssm:resourceTag/shift": "night"}}
    documents = allow("ssm:StartSession", Resource="arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell")
    statements = allow("ssm:StartSession", Condition=condition), documents, allow("ssm:TerminateSession")
    with _caller_with(demo_cloud, administrator, "nightly", *statements) as nightly:
        assert not started(nightly, node, None)
        ec2.create_tags(Resources=[node], Tags=[{"Key": "shift", "Value": "night"}])
        assert started(nightly, node, None)
        ec2.delete_tags(Resources=[node], Tags=[{"Key": "shift"}])
        assert not started(nightly, node, None)
        document = json.dumps({"Version": "2012-10-17", "Statement": allow("ssm:StartSession", "ssm:TerminateSession")})
        iam.put_user_policy(UserName="nightly", PolicyName="only", PolicyDocument=document)
        assert started(nightly, node, "AWS-StartSSHSession")
        boundary = iam.create_policy(
            PolicyName="no-ssm",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allow("ec2:*")}),
        )["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName="nightly", PermissionsBoundary=boundary)
        code, message = refusal(nightly.client("ssm").start_session, Target=node)
        assert code == "AccessDeniedException"
        assert "because no permissions boundary allows the ssm:StartSession action" in message
        iam.delete_user_permissions_boundary(UserName="nightly")
        iam.delete_policy(PolicyArn=boundary)
        assert started(nightly, node, None)


@pytest.mark.parametrize("condition", [{}, {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}])
def test_a_shell_needs_the_default_document(
    demo_cloud: DemoProcess, administrator: Caller, instance: Callable[..., str], condition: dict[str, object]
) -> None:
    node = instance("web-2")
    default = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/SSM-SessionManagerRunShell"
    nodes = allow("ssm:StartSession", Resource=f"{_instances()}/*", **({"Condition": condition} if condition else {}))
    with _caller_with(demo_cloud, administrator, "nodes-alone", nodes) as caller:
        code, message = refusal(caller.client("ssm").start_session, Target=node)
        assert code == "AccessDeniedException"
        assert f"on resource: {default} because no identity-based policy" in message
    document = allow("ssm:StartSession", Resource=default)
    with _caller_with(demo_cloud, administrator, "both", nodes, document, allow("ssm:TerminateSession")) as caller:
        assert started(caller, node, None)
        assert not started(caller, node, "AWS-StartPortForwardingSession")


def test_groups_and_roles_count(demo_cloud: DemoProcess, administrator: Caller, instance: Callable[..., str]) -> None:
    iam, node = administrator.client("iam"), instance("web-3")
    document = json.dumps({"Version": "2012-10-17", "Statement": allow("ssm:StartSession", "ssm:TerminateSession")})
    with _caller_with(demo_cloud, administrator, "member", allow("sts:AssumeRole")) as member:
        iam.create_group(GroupName="operators")
        iam.put_group_policy(GroupName="operators", PolicyName="sessions", PolicyDocument=document)
        assert not started(member, node, None)
        iam.add_user_to_group(GroupName="operators", UserName="member")
        assert started(member, node, None)
        iam.remove_user_from_group(GroupName="operators", UserName="member")
        iam.delete_group_policy(GroupName="operators", PolicyName="sessions")
        iam.delete_group(GroupName="operators")

        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(
            RoleName="on-call",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        iam.put_role_policy(RoleName="on-call", PolicyName="sessions", PolicyDocument=document)
        keys = member.client("sts").assume_role(RoleArn=role, RoleSessionName="ann")["Credentials"]
        ann = Caller(demo_cloud.environment, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        session = ann.client("ssm").start_session(Target=node)["SessionId"]
        assert session.startswith("ann-")
        ann.client("ssm").terminate_session(SessionId=session)
        wrong = Caller(demo_cloud.environment, keys["AccessKeyId"], keys["SecretAccessKey"], "another token")
        assert refusal(wrong.client("ssm").describe_instance_properties)[0] == "UnrecognizedClientException"
        iam.delete_role_policy(RoleName="on-call", PolicyName="sessions")
        iam.delete_role(RoleName="on-call")


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "unknown", "unsigned"),
    [
        ("ssm", "describe_sessions", {"State": "Active"}, "UnrecognizedClientException", "InvalidSignatureException"),
        ("ec2", "describe_vpcs", {}, "AuthFailure", "AuthFailure"),
        ("iam", "list_users", {}, "InvalidClientTokenId", "SignatureDoesNotMatch"),
    ],
)
def test_unknown_keys_and_wrong_secrets(
    demo_cloud: DemoProcess, service: str, operation: str, arguments: dict[str, Any], unknown: str, unsigned: str
) -> None:
    nobody = Caller(demo_cloud.environment, "AKIAZZZZZZZZZZZZZZZZ", "x").client(service)
    assert refusal(getattr(nobody, operation), **arguments)[0] == unknown
    wrong = Caller(demo_cloud.environment, demo_cloud.environment["AWS_ACCESS_KEY_ID"], "wrong").client(service)
    assert refusal(getattr(wrong, operation), **arguments)[0] == unsigned


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ssm", "describe_instance_properties", "InvalidSignatureException"),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
        ("ec2", "describe_instances", "AuthFailure"),
    ],
)
def test_a_region_that_does_not_exist(administrator: Caller, service: str, operation: str, code: str) -> None:
    assert refusal(getattr(administrator.client(service, "nowhere-1"), operation))[0] == code


def test_ec2_does_not_know_the_ids_of_hybrid_nodes(administrator: Caller) -> None:
    ec2, node = administrator.client("ec2"), "mi-0a1b2c3d4e5f60718"
    assert refusal(ec2.describe_instances, InstanceIds=[node]) == (
        "InvalidInstanceID.Malformed",
        f'Invalid id: "{node}"',
    )


def _instances() -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance"


def _tags(caller: Caller, node: str) -> list[dict[str, str]]:
    listed = caller.client("ec2").describe_instances(InstanceIds=[node])
    tags: list[dict[str, str]] = listed["Reservations"][0]["Instances"][0]["Tags"]
    return tags
