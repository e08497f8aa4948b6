"""Where nodes and databases are read from: one profile in one region, and who the caller is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssm_tui.domain.lacks import Lack


@dataclass(frozen=True, slots=True)
class Context:
    """One (profile, region). `profile` is None where the SDK's own default chain decides."""

    profile: str | None
    region: str

    @property
    def label(self) -> str:
        """For people: `prod·ap-northeast-2`."""
        return f"{self.profile or 'default'}·{self.region}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who AWS says we are (STS GetCallerIdentity)."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.arn.split(":", 2)[1]

    @property
    def principal(self) -> str:
        """The ARN whose policies decide: of an assumed-role session, the role's; else the caller's own.

        `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION` does not carry the role's path; a role with a path is looked up
        by name where this ARN must be exact (IAM GetRole).
        """
        kind, _, rest = self.arn.split(":", 5)[5].partition("/")
        if kind != "assumed-role":
            return self.arn
        return f"arn:{self.partition}:iam::{self.account}:role/{rest.split('/')[0]}"

    @property
    def session(self) -> str | None:
        """The name of the role's session; None for who is none."""
        return self.arn.rpartition("/")[2] if ":assumed-role/" in self.arn else None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be read, for the user: what, and what would mend it."""

    message: str
    hint: str = ""
    partial: bool = True
    """Rows, or facts of rows, may be missing: nothing is taken to be gone because it was not shown."""
    failed: bool = False
    """It should have worked and may the next time, unlike what is not allowed."""
    lack: Lack | None = None
    """What it was that could not be read, where less than everything is known to be missing for it."""
