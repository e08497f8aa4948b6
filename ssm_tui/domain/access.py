"""May this caller start this kind of session on this node: allowed, denied or unknown, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class SessionKind(StrEnum):
    """The kinds of session that IAM tells apart, by the document they use."""

    SHELL = "shell"
    FORWARD = "forward"
    REMOTE = "remote"
    SSH = "ssh"

    @property
    def document(self) -> str:
        """The SSM document that StartSession is authorised against."""
        return DOCUMENTS[self]


DOCUMENTS = {
    # What StartSession uses when no document is named.
    SessionKind.SHELL: "SSM-SessionManagerRunShell",
    SessionKind.FORWARD: "AWS-StartPortForwardingSession",
    SessionKind.REMOTE: "AWS-StartPortForwardingSessionToRemoteHost",
    SessionKind.SSH: "AWS-StartSSHSession",
}


def documents(shell: str = "") -> dict[SessionKind, str]:
    """The same where shells use a document of the user's choice, by name or ARN; empty for the usual one."""
    return {**DOCUMENTS, SessionKind.SHELL: shell or SessionKind.SHELL.document}


class Verdict(StrEnum):
    """Three-valued: where AWS does not say, the answer is neither yes nor no."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """What a denial comes from, as IAM tells them apart."""

    EXPLICIT = "explicit"  # a statement forbids it
    IMPLICIT = "implicit"  # no statement allows it
    BOUNDARY = "boundary"  # the permissions boundary does not allow it
    ORGANIZATION = "organization"  # a policy of the organization does not allow it


@dataclass(frozen=True, slots=True)
class Decider:
    """A policy that a verdict comes from. `kind` is IAM's PolicySourceType (user, group, role, aws-managed,
    user-managed, …), `lines` the first and the last of the statement in the policy's text, where they were told."""

    policy: str
    kind: str = ""
    lines: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One verdict, and why in words that a user can act on.

    `resource` is the ARN whose evaluation decided, the node's or the document's; `tags` are those that the policies
    look at, with the node's values.
    """

    verdict: Verdict
    reason: str = ""
    cause: Cause | None = None
    resource: str = ""
    deciders: tuple[Decider, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


NOT_ASKED = Answer(Verdict.UNKNOWN, "not asked yet")


@dataclass(frozen=True, slots=True)
class Access:
    """The verdict for each kind of session."""

    shell: Answer = NOT_ASKED
    forward: Answer = NOT_ASKED
    remote: Answer = NOT_ASKED
    ssh: Answer = NOT_ASKED

    def of(self, kind: SessionKind) -> Answer:
        """The answer for one kind."""
        match kind:
            case SessionKind.SHELL:
                return self.shell
            case SessionKind.FORWARD:
                return self.forward
            case SessionKind.REMOTE:
                return self.remote
            case SessionKind.SSH:
                return self.ssh

    def having(self, kind: SessionKind, answer: Answer) -> Access:
        """The same with another answer for one kind."""
        match kind:
            case SessionKind.SHELL:
                return replace(self, shell=answer)
            case SessionKind.FORWARD:
                return replace(self, forward=answer)
            case SessionKind.REMOTE:
                return replace(self, remote=answer)
            case SessionKind.SSH:
                return replace(self, ssh=answer)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Those of all kinds, in the kinds' order."""
        return self.shell.verdict, self.forward.verdict, self.remote.verdict, self.ssh.verdict

    @property
    def known(self) -> bool:
        """None of the answers is unknown."""
        return Verdict.UNKNOWN not in self.verdicts

    def terms(self) -> tuple[str, ...]:
        """What `access:` in a filter compares with: see `terms_of`."""
        return terms_of(self.verdicts)


def terms_of(verdicts: tuple[Verdict, ...]) -> tuple[str, ...]:
    """Each allowed kind by its name, `denied-KIND` and `unknown-KIND` for the others, `denied` and `unknown` where any
    kind is. Who wants the doubtful with the allowed asks for both: `access:shell|unknown-shell`."""
    each = tuple(zip(SessionKind, verdicts, strict=True))
    allowed = tuple(kind.value for kind, verdict in each if verdict is Verdict.ALLOWED)
    any_of = tuple(v.value for v in (Verdict.DENIED, Verdict.UNKNOWN) if v in verdicts)
    others = tuple(f"{verdict.value}-{kind.value}" for kind, verdict in each if verdict is not Verdict.ALLOWED)
    return allowed + any_of + others


NO_ANSWERS = Access()


def everywhere(answer: Answer) -> Access:
    """The same answer for every kind."""
    return Access(answer, answer, answer, answer)
