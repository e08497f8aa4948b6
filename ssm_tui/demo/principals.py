"""Who is calling: access keys and ARNs to principals with their live IAM policies. Reads moto's IAM and STS state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from ssm_tui.demo.policy import Policy, PolicyError, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ssm_tui.demo.policy_conditions import Values

PARTITION = "aws"


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
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def session_prefix(self) -> str:
        """What session ids begin with: the user's name, or the role session's."""
        return self.session_name or self.name

    def context(self, region: str) -> dict[str, Values]:
        """The context keys that every request of this principal carries."""
        now = datetime.now(UTC)
        keys: dict[str, Values] = {
            "aws:PrincipalArn": (self.arn,),
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
        keys.update({f"aws:PrincipalTag/{key}": (value,) for key, value in self.tags.items()})
        return keys


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key's secret half, for checking signatures. Never shown."""

    principal: Principal
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires: datetime | None = None


def find_credential(access_key: str) -> Credential | None:
    """The credential behind an access key, whichever account holds it; None when nobody does."""
    for account, backend in _iam_accounts():
        for user in list(backend.users.values()):
            for key in user.access_keys:
                if key.access_key_id == access_key and key.status == "Active":
                    return Credential(_user(account, backend, user), key.secret_access_key)
        for session in sts_backends[account][PARTITION].assumed_roles:
            if session.access_key_id == access_key:
                role = next((each for each in backend.roles.values() if each.arn == session.role_arn), None)
                if role is None:
                    return None
                expires = session.expiration.replace(tzinfo=session.expiration.tzinfo or UTC)
                principal = _role(account, backend, role, session)
                return Credential(principal, session.secret_access_key, session.session_token, expires)
    return None


def find_principal(arn: str) -> Principal | None:
    """The user, role or group with this ARN, or the role behind an assumed role's session ARN."""
    for account, backend in _iam_accounts():
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


def role_policies(account: str, role_name: str) -> tuple[Policy, ...]:
    """The policies of a role, for what a node's own role may do."""
    role = next((each for each in _backend(account).roles.values() if each.name == role_name), None)
    return tuple(_attached(role, "role", role.name)) if role is not None else ()


def set_user_boundary(account: str, user_name: str, policy_arn: str | None) -> None:
    """Remembers a user's permissions boundary, which moto does not keep; raises KeyError for an unknown user."""
    user = _backend(account).users[user_name]
    user.permissions_boundary_arn = policy_arn


def _backend(account: str) -> Any:
    return iam_backends[account][PARTITION]


def _iam_accounts() -> Iterator[tuple[str, Any]]:
    for account in list(iam_backends.keys()):
        yield account, iam_backends[account][PARTITION]


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
        tags=_tags(backend.tagger.list_tags_for_resource(user.arn)["Tags"]),
    )


def _role(account: str, backend: Any, role: Any, session: Any) -> Principal:
    arn = session.arn if session is not None else role.arn
    name = session.session_name if session is not None else ""
    return Principal(
        arn,
        account,
        "role",
        role.name,
        f"{role.id}:{name}" if name else role.id,
        session_name=name,
        policies=tuple(_attached(role, "role", role.name)),
        boundary=_boundary(backend, role.permissions_boundary_arn),
        tags=_tags(role.tags or []),
    )


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
