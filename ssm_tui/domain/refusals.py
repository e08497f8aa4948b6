"""What AWS's refusals tell: the action, the resource, and what stands in the way. Pure.

Source: IAM user guide, "Troubleshoot access denied error messages". The sentence is the same for all services that
have it: who, the action, the resource, then `because no … policy allows …` or `with an explicit deny in …`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ssm_tui.domain.access import Answer, Cause, Verdict

_NOT_AUTHORIZED = re.compile(
    r"(?:User: (?P<user>\S+) )?is not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+))?(?: (?:because )?(?P<reason>[^.]*))?"
)
# The kinds of policies that are an organization's; "permissions boundary" and the others are told by their own words.
_ORGANIZATION = ("service control policy", "resource control policy")
_BOUNDARY = "permissions boundary"


class Refusal(NamedTuple):
    """AWS's words taken apart; empty is what it did not say. `resource` is an ARN."""

    action: str
    resource: str = ""
    reason: str = ""

    @property
    def cause(self) -> Cause | None:
        """What stands in the way, where that is told."""
        if any(words in self.reason for words in _ORGANIZATION):
            return Cause.ORGANIZATION
        if _BOUNDARY in self.reason:
            return Cause.BOUNDARY
        if "explicit deny" in self.reason:
            return Cause.EXPLICIT
        return Cause.IMPLICIT if re.search(r"\bno \S+(?: \S+)? policy allows", self.reason) else None

    @property
    def answer(self) -> Answer:
        """As a verdict on what was tried."""
        why = f": {self.reason}" if self.reason else ""
        return Answer(Verdict.DENIED, f"AWS refused it when it was tried{why}", self.cause, self.resource)


def read_refusal(message: str) -> Refusal | None:
    """The refusal that a message of AWS's is; None where it is another."""
    said = _NOT_AUTHORIZED.search(message)
    if said is None:
        return None
    return Refusal(said["action"], (said["resource"] or "").rstrip(".,"), (said["reason"] or "").strip())
