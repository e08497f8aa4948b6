"""The texts of the policies that IAM's simulation names, read only when somebody wants to see them.

The simulation names a policy, not its ARN, and an inline one as `user_NAME_POLICY` or by its own name; what kind it is
may be told in words that the API reference does not have. So the likely places are tried, one call or two each.
Source: API reference of GetUserPolicy, GetRolePolicy, GetGroupPolicy, GetPolicy, GetPolicyVersion.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ssm_tui.aws import decode
from ssm_tui.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.access import Decider

_MANAGED = ("aws-managed", "user-managed")
_GONE, _NO_SUCH = "no policy was found by that name", "NoSuchEntity"


class PolicyReader:
    """Reads policies of one principal: `arn:PARTITION:iam::ACCOUNT:user/PATH/NAME`, or a role's."""

    def __init__(self, gateway: Gateway, principal: str) -> None:
        self._gateway = gateway
        self._partition, self._account = principal.split(":")[1], principal.split(":")[4]
        self._kind, _, path = principal.rsplit(":", 1)[-1].partition("/")
        self._name = path.rsplit("/", 1)[-1]
        self._known: dict[tuple[str, str], str | AwsError] = {}

    def text(self, decider: Decider) -> str:
        """The policy's document as it was written. Raises AwsError: where it was refused the refusal, of several the
        first."""
        key = decider.policy, decider.kind
        if key not in self._known:
            self._known[key] = self._read(decider)
        found = self._known[key]
        if isinstance(found, AwsError):
            raise found
        return found

    def _read(self, decider: Decider) -> str | AwsError:
        refused: AwsError | None = None
        for read in self._places(decider):
            try:
                document = read()
            except AwsError as error:
                if refused is None and error.code != _NO_SUCH:
                    refused = error
            else:
                if isinstance(document, str):
                    return unquote(document)
        return refused or AwsError(_GONE, code=_NO_SUCH)

    def _places(self, decider: Decider) -> Iterator[Callable[[], object]]:
        name, kind = decider.policy, decider.kind
        if kind not in (*_MANAGED, "group"):
            for each in _spellings(name, self._kind, self._name):
                yield partial(self._inline, self._kind, self._name, each)
        if self._kind == "user" and kind not in (*_MANAGED, "user"):
            for group in self._groups(name):
                for each in _spellings(name, "group", group):
                    yield partial(self._inline, "group", group, each)
        if kind not in ("user", "role", "group"):
            # By the ARN that it has where it stands under no path; else by the one that it is attached by.
            owners = {"aws-managed": ("aws",), "user-managed": (self._account,)}.get(kind, (self._account, "aws"))
            for owner in owners:
                yield partial(self._managed, f"arn:{self._partition}:iam::{owner}:policy/{name}")
            for arn in self._attached(name):
                yield partial(self._managed, arn)

    def _inline(self, kind: str, holder: str, policy: str) -> object:
        told = self._gateway.call("iam", f"get_{kind}_policy", PolicyName=policy, **_named(kind, holder))
        return told.get("PolicyDocument")

    def _managed(self, arn: str) -> object:
        told = self._gateway.call("iam", "get_policy", PolicyArn=arn)
        version = decode.text(decode.entry(told.get("Policy")).get("DefaultVersionId")) or "v1"
        told = self._gateway.call("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        return decode.entry(told.get("PolicyVersion")).get("Document")

    def _attached(self, name: str) -> Iterator[str]:
        holders = [(self._kind, self._name)]
        if self._kind == "user":
            holders += [("group", group) for group in self._groups(name)]
        for kind, holder in holders:
            try:
                told = self._gateway.pages(
                    "iam", f"list_attached_{kind}_policies", page_size=None, **_named(kind, holder)
                )
                attached = [each for page in told for each in decode.entries(page.get("AttachedPolicies"))]
            except AwsError:
                continue
            for each in attached:
                arn = decode.text(each.get("PolicyArn"))
                if arn and each.get("PolicyName") == name:
                    yield arn
        limit = self._boundary()
        if limit.rsplit("/", 1)[-1] == name:
            yield limit

    def _boundary(self) -> str:
        """The ARN of the permissions boundary, or nothing."""
        try:
            told = self._gateway.call("iam", f"get_{self._kind}", **_named(self._kind, self._name))
        except AwsError:
            return ""
        holder = decode.entry(told.get(self._kind.capitalize()))
        return decode.text(decode.entry(holder.get("PermissionsBoundary")).get("PermissionsBoundaryArn")) or ""

    def _groups(self, policy: str) -> list[str]:
        """The user's groups, the one that the policy's name begins with first; where they are not told, every
        beginning that might be one."""
        try:
            pages = self._gateway.pages("iam", "list_groups_for_user", UserName=self._name)
            told = [each.get("GroupName") for page in pages for each in decode.entries(page.get("Groups"))]
            groups = [name for name in told if isinstance(name, str)]
        except AwsError:
            parts = policy.removeprefix("group_").split("_") if policy.startswith("group_") else []
            groups = ["_".join(parts[:end]) for end in range(1, len(parts))]
        return sorted(groups, key=lambda group: not policy.startswith(f"group_{group}_"))


def _named(kind: str, name: str) -> dict[str, str]:
    return {f"{kind.capitalize()}Name": name}


def _spellings(policy: str, kind: str, holder: str) -> dict[str, None]:
    return dict.fromkeys((policy.removeprefix(f"{kind}_{holder}_"), policy))


def trouble(error: AwsError) -> str:
    """Why a text could not be read, in a few words."""
    return f"{error.action} is denied" if isinstance(error, AccessDeniedError) else error.message
