"""Assumed roles that want an MFA code: one question for all contexts of a profile, asked where somebody can answer.

botocore would ask on the terminal, from whatever thread makes the first call, for each of its sessions. Here the desk
is asked; sessions that the AWS CLI has already are used, and ours are kept in memory alone.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.signing import CodeQuestion, is_code
from ssm_tui.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[CodeQuestion, Callable[[str | None], None]], None]

# botocore takes what ends sooner than this for expired.
_TOO_SHORT = timedelta(minutes=15)


class CodeDesk:
    """Where MFA codes are asked for; implements domain.services.Codes. Without anybody there every question is refused.

    A profile's code is asked for once; after that only when the user has asked to be asked (`invite`), so that what
    reads again by itself does not come between him and his work.
    """

    def __init__(self) -> None:
        self._tell: Tell | None = None
        self._again = ""
        self._state = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._asked: set[str | None] = set()
        self._kept: dict[str | None, KeptSessions] = {}
        self._open: threading.Event | None = None  # set once the open question has its answer

    def attend(self, tell: Tell, again: str) -> None:
        """From now on `tell` is told of each question."""
        self._tell, self._again = tell, again

    def leave(self) -> None:
        """Nobody answers any more; the open question ends without a code."""
        with self._state:
            self._tell = None
            if self._open is not None:
                self._open.set()

    def invite(self, profile: str | None) -> None:
        """The user wants to be asked for this profile's code."""
        with self._state:
            self._asked.discard(profile)

    def kept(self, profile: str | None) -> KeptSessions:
        """What the profile's codes have bought."""
        with self._state:
            return self._kept.setdefault(profile, KeptSessions())

    def renew(self, profile: str | None) -> None:
        """The profile's credentials are looked up anew. What a code has bought stays, unless the user wants to be
        asked for another."""
        with self._state:
            if profile not in self._asked:
                self._kept.pop(profile, None)

    def ask(self, question: CodeQuestion) -> str:
        """The code. Blocks. Raises CredentialsError where nobody gives one."""
        with self._one_at_a_time:
            return self._ask(question)

    def _ask(self, question: CodeQuestion) -> str:
        given: list[str | None] = []
        answered = threading.Event()
        with self._state:
            tell = self._tell
            # The question after a wrong code is the same question.
            unwanted = question.profile in self._asked and not question.trouble
            if tell is None or unwanted:
                raise self._refusal(question.profile)
            self._asked.add(question.profile)
            self._open = answered

        def answer(code: str | None) -> None:
            given.append(code)
            answered.set()

        tell(question, answer)
        answered.wait()
        with self._state:
            self._open = None
        code = given[0] if given else None
        if code is None or not is_code(code):
            raise self._refusal(question.profile)
        return code

    def _refusal(self, profile: str | None) -> CredentialsError:
        named = f" --profile {profile}" if profile else ""
        elsewhere = f"give it to the AWS CLI, whose session is then used here: aws sts get-caller-identity{named}"
        return CredentialsError(f"profile {profile or 'default'!r} needs an MFA code", self._again or elsewhere)


class KeptSessions:
    """Sessions of assumed roles for one profile, as botocore's cache: ours in memory, the AWS CLI's from its files.

    Nothing is written to files: we put no credentials there.
    """

    def __init__(self) -> None:
        self._memory: dict[str, dict[str, Any]] = {}

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def __getitem__(self, key: str) -> dict[str, Any]:
        found = self._find(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: str, value: dict[str, Any]) -> None:
        self._memory[key] = value

    def _find(self, key: str) -> dict[str, Any] | None:
        from botocore.utils import JSONFileCache

        kept = self._memory.get(key)
        if kept is not None and _lasts(kept):
            return kept
        theirs = JSONFileCache(str(Path.home() / ".aws" / "cli" / "cache"))
        with suppress(KeyError):
            found = theirs[key]
            if isinstance(found, dict):
                return found
        return kept


def _lasts(session: dict[str, Any]) -> bool:
    ends = session["Credentials"]["Expiration"]
    moment = ends if isinstance(ends, datetime) else datetime.fromisoformat(str(ends).replace("UTC", "+00:00"))
    return moment - datetime.now(UTC) > _TOO_SHORT


class _AskingSts:
    """STS as botocore's provider of assumed roles sees it: where an MFA device is named, its code is asked for here,
    and again after a wrong one, which botocore would not do."""

    def __init__(self, client: Any, profile: str | None, desk: CodeDesk) -> None:
        self._client, self._profile, self._desk = client, profile, desk

    def assume_role(self, **parameters: Any) -> Any:
        from botocore.exceptions import ClientError

        serial, trouble = parameters.get("SerialNumber"), ""
        while serial:
            parameters["TokenCode"] = self._desk.ask(CodeQuestion(self._profile, serial, trouble))
            try:
                return self._client.assume_role(**parameters)
            except ClientError as error:
                trouble = _wrong_code(error.response)
                if not trouble:
                    raise
        return self._client.assume_role(**parameters)


def _wrong_code(response: Any) -> str:
    """AWS's words where it was the code that it did not like; empty where it was something else."""
    error = response.get("Error", {})
    message = " ".join(str(error.get("Message", "")).split())
    return message if error.get("Code") == "AccessDenied" and "MultiFactorAuthentication" in message else ""


def settle(session: Any, profile: str | None, desk: CodeDesk) -> None:
    """Settles who is asked, and what is kept, for one botocore session before its first client is made."""
    provider = session.get_component("credential_provider").get_provider("assume-role")
    provider.cache = desk.kept(profile)
    # botocore has no public way to say who is asked. Its own question comes before the call, and is not wanted.
    provider._prompter = lambda _question: ""  # noqa: SLF001
    create = provider._client_creator  # noqa: SLF001
    provider._client_creator = lambda *names, **options: _AskingSts(create(*names, **options), profile, desk)  # noqa: SLF001
