"""Whom IAM's policies judge, and what they see of him: the principal's ARN, its tags, and keys of every request.

Sources: IAM user guide, "AWS global condition context keys" and "IAM and AWS STS condition context keys"; API reference
of GetRole, GetUser and ListUserTags. What requests of ours never carry is told apart from what only AWS knows: the
first is absent, by which a condition is judged for good, the second leaves a verdict open.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ssm_tui.aws import decode
from ssm_tui.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.aws.signature import Signature
    from ssm_tui.domain.contexts import Caller

PRINCIPAL_TAG = "aws:PrincipalTag/"
# Keys that neither StartSession nor ExecuteCommand of a person's has: nobody calls for him, and nothing is tagged.
_NEVER = frozenset({
    "aws:assumedroot", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:principalservicename",
    "aws:principalservicenameslist", "aws:referer", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid",
    "aws:sourceorgpaths", "aws:tagkeys",
})  # fmt: skip
# Keys that only sessions have.
_OF_SESSIONS = frozenset({
    "aws:ec2instancesourceprivateipv4", "aws:ec2instancesourcevpc", "aws:federatedprovider", "aws:multifactorauthage",
    "aws:multifactorauthpresent", "aws:signinsessionarn", "aws:sourceidentity", "aws:tokenissuetime",
    "identitystore:userid",
})  # fmt: skip
# IAM Identity Center keeps its roles under a path of its own, in some regions with the region's name.
_IDENTITY_CENTER = "AWSReservedSSO_"

Fact = tuple[str, str]  # the type of a context entry and its value


class Principal(NamedTuple):
    """`facts` are what requests are known to carry, by key; `absent` are keys, folded, that they are known not to."""

    arn: str
    facts: Mapping[str, Fact]
    absent: frozenset[str]
    all_tags: bool  # a tag that is not among the facts is not there
    boundary: str  # the name of its permissions boundary, as far as that was told with something else

    def lacks(self, key: str) -> bool:
        """Whether it is known that requests do not carry the key, rather than not known what they carry."""
        folded = key.casefold()
        if folded in self.absent or folded.startswith("aws:requesttag/"):
            return True
        if folded.startswith(PRINCIPAL_TAG.casefold()):
            return self.all_tags
        # Those of other services are none of StartSession's.
        return not folded.startswith(("aws:", "identitystore:"))


class Entity(NamedTuple):
    """A user or role as IAM tells of it; of one that it does not tell of, the ARN alone. `tags` is None where they are
    not known."""

    arn: str
    tags: Mapping[str, str] | None = None
    boundary: str = ""


def entities(gateway: Gateway, caller: Caller, region: str) -> Iterator[Entity]:
    """Those that may be the principal, the likeliest first.

    An assumed role's session does not tell its role's path; IAM tells it, to who may ask. The path of a role of IAM
    Identity Center is known without.
    """
    arn = caller.principal
    if arn == caller.arn:
        yield Entity(arn)
        return
    name = arn.rsplit("/", 1)[-1]
    if (told := _told(gateway, "role", name)) is not None:
        yield told
    elif name.startswith(_IDENTITY_CENTER):
        for folder in ("", f"{region}/"):
            yield Entity(arn.replace(f":role/{name}", f":role/aws-reserved/sso.amazonaws.com/{folder}{name}"))
    yield Entity(arn)


def known_principal(gateway: Gateway, caller: Caller, user_id: str, entity: Entity, keys: Iterable[str]) -> Principal:
    """What is known of the principal; its tags are read only where one of the `keys`, folded, is about them."""
    signature = gateway.signature()
    if entity.tags is None and any(key.startswith(PRINCIPAL_TAG.casefold()) for key in keys):
        entity = _with_tags(gateway, entity)
    facts = _facts(caller, entity.arn, user_id, signature)
    # Tags that a session may have of its own stand before its role's: then no tag is known.
    all_tags = entity.tags is not None and signature.tagged is False
    if all_tags:
        facts |= {f"{PRINCIPAL_TAG}{key}": ("string", value) for key, value in (entity.tags or {}).items()}
    absent = _NEVER if signature.temporary is not False else _NEVER | _OF_SESSIONS
    return Principal(entity.arn, facts, absent, all_tags, entity.boundary)


def _with_tags(gateway: Gateway, entity: Entity) -> Entity:
    """The same, as far as somebody tells its tags."""
    kind, _, path = entity.arn.rsplit(":", 1)[-1].partition("/")
    name = path.rsplit("/", 1)[-1]
    if kind not in ("user", "role"):
        return entity
    if (told := _told(gateway, kind, name)) is not None:
        return told
    try:
        tags = gateway.call("iam", f"list_{kind}_tags", **{f"{kind.capitalize()}Name": name})
    except AwsError:
        return entity
    return entity._replace(tags=decode.tags(tags.get("Tags")))


def _told(gateway: Gateway, kind: str, name: str) -> Entity | None:
    """By GetUser or GetRole; None where that is denied."""
    word = kind.capitalize()
    try:
        found = decode.entry(gateway.call("iam", f"get_{kind}", **{f"{word}Name": name}).get(word))
    except AwsError:
        return None
    arn = decode.text(found.get("Arn"))
    boundary = decode.text(decode.entry(found.get("PermissionsBoundary")).get("PermissionsBoundaryArn")) or ""
    return Entity(arn, decode.tags(found.get("Tags")), boundary.rpartition("/")[2]) if arn else None


def _facts(caller: Caller, arn: str, user_id: str, signature: Signature) -> dict[str, Fact]:
    now = datetime.now(UTC)
    session = arn != caller.arn
    facts: dict[str, Any] = {
        "aws:PrincipalArn": ("string", arn),
        "aws:PrincipalAccount": ("string", caller.account),
        "aws:PrincipalIsAWSService": ("boolean", "false"),
        "aws:PrincipalType": ("string", "AssumedRole" if session else "User"),
        "aws:userid": ("string", user_id),
        "aws:CurrentTime": ("date", now.isoformat(timespec="seconds").replace("+00:00", "Z")),
        "aws:EpochTime": ("numeric", str(int(now.timestamp()))),
        "aws:SecureTransport": ("boolean", "true"),
        "aws:ViaAWSService": ("boolean", "false"),
    }
    if not session:
        facts["aws:username"] = ("string", arn.rsplit("/", 1)[-1])
    if signature.temporary and signature.mfa is not None:
        facts["aws:MultiFactorAuthPresent"] = ("boolean", "true" if signature.mfa else "false")
    return facts
