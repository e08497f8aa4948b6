"""Who is calling: access keys and ARNs to principals with their live IAM policies. Reads moto's IAM and STS state.

Each of AWS's partitions has users, roles and keys of its own; a region's partition is what its name begins with.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from ssm_tui.demo.policy import Limit, Policy, PolicyError, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ssm_tui.demo.policy import Limits
    from ssm_tui.demo.policy_conditions import Values

PARTITION = "aws"
"""The one that the demo's fleet and people are in."""
PARTITIONS = (PARTITION, "aws-cn", "aws-us-gov")


def partition_of(region: str) -> str:
    """`aws`, `aws-cn`, `aws-us-gov`, …: what the ARNs of a region begin with."""
    return str(get_partition(region))


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, a role, a group (for simulation alone) or a role's session, with everything that decides what it may."""

    arn: str
    account: str
    kind: str
    """`user`, `role` or `group`."""
    name: str
    user_id: str
    session_name: str = ""
    role_arn: str = ""
    """The role's, for its sessions."""
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session_policies: tuple[Policy, ...] | None = None
    """What was said to narrow a session when it was begun; None where nothing was."""
    guardrails: tuple[Policy, ...] = ()
    """The service control policies that the account's organization has for it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    with_code: bool | None = None
    """Whether an MFA code stands behind temporary credentials; None for long-term keys."""

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]

    @property
    def limits(self) -> Limits:
        """What caps the principal's own policies."""
        found: dict[Limit, tuple[Policy, ...]] = {}
        if self.guardrails:
            found[Limit.ORGANIZATION] = self.guardrails
        if self.boundary is not None:
            found[Limit.BOUNDARY] = (self.boundary,)
        if self.session_policies is not None:
            found[Limit.SESSION] = self.session_policies
        return found

    @property
    def session_prefix(self) -> str:
        """What session ids begin with: the user's name, or the role session's."""
        return self.session_name or self.name

    def context(self, region: str) -> dict[str, Values]:
        """The context keys that every request of this principal carries.

        Source: "AWS global condition context keys" in the IAM user guide: a session's aws:PrincipalArn is its role's,
        and aws:MultiFactorAuthPresent comes with temporary credentials alone.
        """
        now = datetime.now(UTC)
        keys: dict[str, Values] = {
            "aws:PrincipalArn": (self.role_arn or self.arn,),
            "aws:PrincipalAccount": (self.account,),
            "aws:PrincipalType": ("AssumedRole" if self.session_name else "User",),
            "aws:userid": (self.user_id,),
            "aws:CurrentTime": (now.isoformat(timespec="seconds").replace("+00:00", "Z"),),
            "aws:EpochTime": (str(int(now.timestamp())),),
            "aws:SourceIp": ("127.0.0.1",),
            # The loopback stands for AWS's TLS endpoints, so that policies which insist on TLS work here too.
            "aws:SecureTransport": ("true",),
            "aws:ViaAWSService": ("false",),
            "aws:RequestedRegion": (region,),
        }
        if self.kind == "user":
            keys["aws:username"] = (self.name,)
        if self.with_code is not None:
            keys["aws:MultiFactorAuthPresent"] = (str(self.with_code).lower(),)
        keys.update({f"aws:PrincipalTag/{key}": (value,) for key, value in self.tags.items()})
        return keys


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key's secret half, for checking signatures. Never shown."""

    principal: Principal
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserSession:
    """What GetSessionToken gives a user."""

    access_key: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    expires: datetime
    with_code: bool


def find_credential(access_key: str, partition: str) -> Credential | None:
    """The credential behind an access key, whichever account of the partition holds it; None when nobody does."""
    for account, backend in _iam_accounts(partition):
        for user in list(backend.users.values()):
            for key in user.access_keys:
                if key.access_key_id == access_key and key.status == "Active":
                    return Credential(_user(account, backend, user), key.secret_access_key)
            for each in user_sessions(user):
                if each.access_key == access_key:
                    principal = replace(_user(account, backend, user), with_code=each.with_code)
                    return Credential(principal, each.secret, each.token, each.expires)
        for session in sts_backends[account][partition].assumed_roles:
            if session.access_key_id == access_key:
                role = next((each for each in backend.roles.values() if each.arn == session.role_arn), None)
                if role is None:
                    return None
                expires = session.expiration.replace(tzinfo=session.expiration.tzinfo or UTC)
                principal = _role(account, backend, role, session)
                return Credential(principal, session.secret_access_key, session.session_token, expires)
    return None


def find_principal(arn: str) -> Principal | None:
    """The user, role or group with this ARN."""
    partition = arn.split(":")[1] if arn.startswith("arn:") else PARTITION
    for account, backend in _iam_accounts(partition):
        for user in list(backend.users.values()):
            if user.arn == arn:
                return _user(account, backend, user)
        for role in list(backend.roles.values()):
            if role.arn == arn:
                return _role(account, backend, role, None)
        for group in list(backend.groups.values()):
            if group.arn == arn:
                return Principal(
                    arn, account, "group", group.name, group.id, policies=tuple(_attached(group, "group", group.name))
                )
    return None


def role_policies(account: str, region: str, role_name: str) -> tuple[Policy, ...]:
    """The policies of a role, for what a node's own role may do."""
    backend = _backend(account, partition_of(region))
    role = next((each for each in backend.roles.values() if each.name == role_name), None)
    return tuple(_attached(role, "role", role.name)) if role is not None else ()


def set_user_boundary(account: str, partition: str, user_name: str, policy_arn: str | None) -> None:
    """Remembers a user's permissions boundary, which moto does not keep; raises KeyError for an unknown user."""
    user = _backend(account, partition).users[user_name]
    user.permissions_boundary_arn = policy_arn


def user_sessions(user: Any) -> list[UserSession]:
    """The sessions of a user of moto's, which moto does not keep."""
    if not hasattr(user, "sessions"):
        user.sessions = []
    kept: list[UserSession] = user.sessions
    return kept


def find_user(account: str, partition: str, name: str) -> Any:
    """Moto's user; None where there is none."""
    return _backend(account, partition).users.get(name)


def guardrails(account: str, partition: str) -> dict[str, str]:
    """The account's service control policies, document by name: what its organization's management account, which
    this cloud has not, would attach to it."""
    backend = _backend(account, partition)
    if not hasattr(backend, "guardrails"):
        backend.guardrails = {}
    kept: dict[str, str] = backend.guardrails
    return kept


def _guardrails(account: str, partition: str) -> tuple[Policy, ...]:
    return tuple(_readable(name, "none", document) for name, document in guardrails(account, partition).items())


def _backend(account: str, partition: str) -> Any:
    return iam_backends[account][partition]


def _iam_accounts(partition: str) -> Iterator[tuple[str, Any]]:
    for account in list(iam_backends.keys()):
        if partition in iam_backends[account].regions:
            yield account, iam_backends[account][partition]


def _user(account: str, backend: Any, user: Any) -> Principal:
    policies = list(_attached(user, "user", user.name))
    for group in backend.groups.values():
        if user in group.users:
            policies += _attached(group, "group", group.name)
    boundary = getattr(user, "permissions_boundary_arn", None)
    return Principal(
        user.arn,
        account,
        "user",
        user.name,
        user.id,
        policies=tuple(policies),
        boundary=_boundary(backend, boundary),
        guardrails=_guardrails(account, backend.partition),
        tags=_tags(backend.tagger.list_tags_for_resource(user.arn)["Tags"]),
    )


def _role(account: str, backend: Any, role: Any, session: Any) -> Principal:
    arn = session.arn if session is not None else role.arn
    name = session.session_name if session is not None else ""
    own_tags = _tags(role.tags or [])
    return Principal(
        arn,
        account,
        "role",
        role.name,
        f"{role.id}:{name}" if name else role.id,
        session_name=name,
        role_arn=role.arn if session is not None else "",
        policies=tuple(_attached(role, "role", role.name)),
        boundary=_boundary(backend, role.permissions_boundary_arn),
        session_policies=_session_policies(backend, session) if session is not None else None,
        guardrails=_guardrails(account, backend.partition),
        # A session's tags stand before its role's of the same key.
        tags={**own_tags, **getattr(session, "session_tags", {})},
        with_code=getattr(session, "with_code", False) if session is not None else None,
    )


def _session_policies(backend: Any, session: Any) -> tuple[Policy, ...] | None:
    """The inline one and the managed ones: what any of them allows is allowed, and no more than the role allows."""
    arns = getattr(session, "policy_arns", ())
    if not session.policy and not arns:
        return None
    inline = (_readable("session", "none", session.policy),) if session.policy else ()
    managed = (policy for arn in arns if (policy := _boundary(backend, arn)) is not None)
    return (*inline, *managed)


def _attached(holder: Any, kind: str, name: str) -> Iterator[Policy]:
    for policy_name, document in list(holder.policies.items()):
        yield _readable(f"{kind}_{name}_{policy_name}", kind, document)
    for arn, policy in list(holder.managed_policies.items()):
        kind_of_managed = "aws-managed" if ":iam::aws:policy/" in arn else "user-managed"
        yield _readable(policy.name, kind_of_managed, _default_document(policy))


def _readable(name: str, kind: str, document: str) -> Policy:
    """A document that IAM would have refused grants nothing and breaks nothing."""
    try:
        return parse_policy(name, kind, document)
    except PolicyError:
        return Policy(name, kind, ())


def _default_document(policy: Any) -> str:
    current = next(each for each in policy.versions if each.version_id == policy.default_version_id)
    return str(current.document)


def _boundary(backend: Any, arn: str | None) -> Policy | None:
    if not arn:
        return None
    policy = backend.managed_policies.get(arn)
    if policy is None:
        # A boundary that is gone allows nothing.
        return Policy(arn, "user-managed", ())
    return _readable(policy.name, "user-managed", _default_document(policy))


def _tags(raw: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in raw}
