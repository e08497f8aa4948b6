"""Who may make this call: credentials checked, the call turned into an IAM action and resource, refusals worded.

Every call of every service passes here. Calls that only list are authorised on the resource their service names for
them where the table knows it, and on `*` otherwise; StartSession is authorised on node and document (`sessions`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moto.secretsmanager.models import secretsmanager_backends

from ssm_tui.demo import kms
from ssm_tui.demo.answers import AwsFault
from ssm_tui.demo.landscape import known_region
from ssm_tui.demo.policy import Decision, Limit, Request, Verdict, evaluate
from ssm_tui.demo.principals import Credential, Principal, find_credential, partition_of
from ssm_tui.demo.wire import signature_holds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.policy_conditions import Values
    from ssm_tui.demo.wire import WireRequest

# AWS answers these whatever the policies say.
_ALWAYS = frozenset({"sts:GetCallerIdentity"})

# Resources of calls that name none in their parameters, as the Service Authorization Reference lists them.
_RESOURCES = {
    "ssm:DescribeInstanceInformation": "arn:{partition}:ssm:{region}:{account}:*",
    "ssm:DescribeInstanceProperties": "arn:{partition}:ssm:{region}:{account}:*",
    "ssm:DescribeSessions": "arn:{partition}:ssm:{region}:{account}:*",
    "ssm:ListDocuments": "arn:{partition}:ssm:{region}:{account}:*",
    "rds:DescribeDBInstances": "arn:{partition}:rds:{region}:{account}:db:*",
    "rds:DescribeDBClusters": "arn:{partition}:rds:{region}:{account}:cluster:*",
    "rds:DescribeDBProxies": "arn:{partition}:rds:{region}:{account}:db-proxy:*",
    "elasticache:DescribeCacheClusters": "arn:{partition}:elasticache:{region}:{account}:cluster:*",
    "elasticache:DescribeReplicationGroups": "arn:{partition}:elasticache:{region}:{account}:replicationgroup:*",
    "elasticache:DescribeServerlessCaches": "arn:{partition}:elasticache:{region}:{account}:serverlesscache:*",
    "memorydb:DescribeClusters": "arn:{partition}:memorydb:{region}:{account}:cluster/*",
}

_NO_MATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)


def authenticate(request: WireRequest) -> Principal:
    """The principal that signed the request; raises AwsFault in the words of the service that was called."""
    credential = find_credential(request.access_key, partition_of(request.region))
    if credential is None or request.token != credential.token:
        raise _unknown_token(request)
    if credential.expires is not None and credential.expires <= datetime.now(UTC):
        raise expired_token(request)
    if not known_region(credential.principal.account, request.region):
        raise _wrong_signature(request, "Credential should be scoped to a valid region.")
    if not _signed(request, credential):
        raise _wrong_signature(request, _NO_MATCH)
    return credential.principal


def _signed(request: WireRequest, credential: Credential) -> bool:
    # REST services sign in ways of their own (chunked payloads, double encoding); nothing here depends on them.
    return request.protocol == "rest" or signature_holds(request, credential.secret)


def _unknown_token(request: WireRequest) -> AwsFault:
    if request.service == "ec2":
        return AwsFault("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    code = "UnrecognizedClientException" if request.protocol == "json" else "InvalidClientTokenId"
    status = 400 if request.protocol == "json" else 403
    return AwsFault(code, "The security token included in the request is invalid.", status)


def expired_token(request: WireRequest) -> AwsFault:
    """The refusal of credentials whose time is over."""
    if request.service == "ec2":
        return AwsFault("RequestExpired", "Request has expired.", 400)
    code = "ExpiredTokenException" if request.protocol == "json" else "ExpiredToken"
    return AwsFault(code, "The security token included in the request is expired", 400 if request.token else 403)


def _wrong_signature(request: WireRequest, message: str) -> AwsFault:
    if request.service == "ec2":
        return AwsFault("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    code = "InvalidSignatureException" if request.protocol == "json" else "SignatureDoesNotMatch"
    return AwsFault(code, message, 400 if request.protocol == "json" else 403)


def authorize(request: WireRequest, principal: Principal) -> None:
    """Raises AwsFault unless the principal's policies allow the call."""
    if request.action not in _ALWAYS:
        extra = kms.context_keys(request.json()) if request.service == "kms" else {}
        check(request, principal, request.action, resource_of(request, principal), extra)


def check(request: WireRequest, principal: Principal, action: str, resource: str, extra: Mapping[str, Values]) -> None:
    """Raises AwsFault unless the principal may do `action` on `resource`."""
    verdict = decide(principal, action, resource, request.region, extra)
    if not verdict.allowed:
        raise refusal(request, principal, action, resource, verdict)


def decide(principal: Principal, action: str, resource: str, region: str, extra: Mapping[str, Values]) -> Verdict:
    """The verdict on one action and resource, with `extra` beside the context every request carries."""
    context = {**principal.context(region), **extra}
    limits = principal.limits
    if action.startswith("demo:"):
        # Orders to the cloud itself stand above the account, as its organization's management account does.
        limits = {limit: policies for limit, policies in limits.items() if limit is not Limit.ORGANIZATION}
    return evaluate(principal.policies, Request(action, resource, context), limits)


def refusal(request: WireRequest, principal: Principal, action: str, resource: str, verdict: Verdict) -> AwsFault:
    """The refusal in the code and sentence of the service that was called."""
    where = verdict.limit.value if verdict.limit is not None else "identity-based policy"
    if verdict.decision is Decision.EXPLICIT_DENY:
        reason = f"with an explicit deny in {'an' if verdict.limit is None else 'a'} {where}"
    else:
        reason = f"because no {where} allows the {action} action"
    on = "" if resource == "*" else f" on resource: {resource}"
    message = f"User: {principal.arn} is not authorized to perform: {action}{on} {reason}"
    if request.service == "ec2":
        return AwsFault("UnauthorizedOperation", f"You are not authorized to perform this operation. {message}", 403)
    if request.protocol in ("json", "rest"):
        return AwsFault("AccessDeniedException", message, 400 if request.protocol == "json" else 403)
    return AwsFault("AccessDenied", message, 403)


def resource_of(request: WireRequest, principal: Principal) -> str:
    """The resource that the call is about, as far as its parameters name one."""
    place = {"partition": principal.partition, "region": request.region, "account": principal.account}
    known = _RESOURCES.get(request.action)
    if known is not None:
        return known.format(**place)
    if request.service == "ssm":
        return _ssm_resource(request, place)
    if request.service == "ecs":
        return _ecs_resource(request, place)
    if request.service == "kms":
        return kms.key_arn(request.json(), principal.account, request.region)
    if request.service == "secretsmanager":
        return _secret(str(request.json().get("SecretId", "*")), place)
    return _form_resource(request.form, principal)


def _ssm_resource(request: WireRequest, place: Mapping[str, str]) -> str:
    parameters = request.json()
    prefix = "arn:{partition}:ssm:{region}:{account}:".format(**place)
    if "SessionId" in parameters:
        return f"{prefix}session/{parameters['SessionId']}"
    if "Target" in parameters:
        return node_arn(str(parameters["Target"]), place["region"], place["account"])
    if "ResourceId" in parameters:
        return f"{prefix}{_resource_kind(str(parameters.get('ResourceType', '')))}/{parameters['ResourceId']}"
    if request.operation in ("DescribeDocument", "GetDocument"):
        return f"{prefix}document/{parameters.get('Name', '*')}"
    return f"{prefix}*"


def _ecs_resource(request: WireRequest, place: Mapping[str, str]) -> str:
    """Source: Service Authorization Reference, "Amazon Elastic Container Service"."""
    parameters = request.json()
    prefix = "arn:{partition}:ecs:{region}:{account}:".format(**place)
    cluster = str(parameters.get("cluster") or "default").rpartition("/")[2]
    if request.operation == "ListTasks":
        return f"{prefix}container-instance/{cluster}/*"
    if request.operation == "DescribeTasks":
        return f"{prefix}task/{cluster}/{str((parameters.get('tasks') or ['*'])[0]).rpartition('/')[2]}"
    return "*"


def _secret(named: str, place: Mapping[str, str]) -> str:
    """A secret's whole ARN, which ends in letters that its name has not; of one that is not there what it is called."""
    found = secretsmanager_backends[place["account"]][place["region"]].secrets.get(named)
    if found is not None:
        return str(found.arn)
    arn = "arn:{partition}:secretsmanager:{region}:{account}:secret:".format(**place) + named
    return named if named.startswith("arn:") or named == "*" else arn


def _resource_kind(resource_type: str) -> str:
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in resource_type).lstrip("-")


def node_arn(target: str, region: str, account: str) -> str:
    """A node as a resource: instances belong to EC2, hybrid nodes to SSM, containers to their task of ECS."""
    partition = partition_of(region)
    if target.startswith("ecs:"):
        cluster, _, task = target.removeprefix("ecs:").rpartition("_")[0].rpartition("_")
        return f"arn:{partition}:ecs:{region}:{account}:task/{cluster}/{task}"
    if target.startswith("mi-"):
        return f"arn:{partition}:ssm:{region}:{account}:managed-instance/{target}"
    return f"arn:{partition}:ec2:{region}:{account}:instance/{target}"


def _form_resource(form: Mapping[str, str], principal: Principal) -> str:
    for name in ("PolicySourceArn", "RoleArn", "PolicyArn"):
        if form.get(name, "").startswith("arn:"):
            return form[name]
    for name, kind in (("UserName", "user"), ("RoleName", "role"), ("GroupName", "group")):
        if form.get("Version") == "2010-05-08" and name in form:
            return f"arn:{principal.partition}:iam::{principal.account}:{kind}/{form[name]}"
    if form.get("Version") == "2010-05-08" and form.get("Action") == "GetUser" and principal.kind == "user":
        return principal.arn
    return "*"
