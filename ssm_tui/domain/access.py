"""May this caller start this kind of session on this node: allowed, denied or unknown, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SessionKind(StrEnum):
    """The kinds of session that IAM tells apart, by the document they use."""

    SHELL = "shell"
    FORWARD = "forward"
    REMOTE = "remote"

    @property
    def document(self) -> str:
        """The SSM document that StartSession is authorised against."""
        return DOCUMENTS[self]


DOCUMENTS = {
    # What StartSession uses when no document is named.
    SessionKind.SHELL: "SSM-SessionManagerRunShell",
    SessionKind.FORWARD: "AWS-StartPortForwardingSession",
    SessionKind.REMOTE: "AWS-StartPortForwardingSessionToRemoteHost",
}


class Verdict(StrEnum):
    """Three-valued: where AWS does not say, the answer is neither yes nor no."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """One verdict, and why in words that a user can act on."""

    verdict: Verdict
    reason: str = ""


NOT_ASKED = Answer(Verdict.UNKNOWN, "not asked yet")


@dataclass(frozen=True, slots=True)
class Access:
    """The verdict for each kind of session."""

    shell: Answer = NOT_ASKED
    forward: Answer = NOT_ASKED
    remote: Answer = NOT_ASKED

    def of(self, kind: SessionKind) -> Answer:
        """The answer for one kind."""
        match kind:
            case SessionKind.SHELL:
                return self.shell
            case SessionKind.FORWARD:
                return self.forward
            case SessionKind.REMOTE:
                return self.remote

    @property
    def known(self) -> bool:
        """None of the answers is unknown."""
        return Verdict.UNKNOWN not in (self.shell.verdict, self.forward.verdict, self.remote.verdict)

    def terms(self) -> tuple[str, ...]:
        """What `access:` in a filter compares with: each allowed kind, and `denied` or `unknown` where any is."""
        answers = {kind: self.of(kind).verdict for kind in SessionKind}
        allowed = tuple(kind.value for kind, verdict in answers.items() if verdict is Verdict.ALLOWED)
        others = tuple(v.value for v in (Verdict.DENIED, Verdict.UNKNOWN) if v in answers.values())
        return allowed + others


NO_ANSWERS = Access()


def everywhere(answer: Answer) -> Access:
    """The same answer for every kind."""
    return Access(answer, answer, answer)
