"""Assumed roles that want an MFA code: sessions that the AWS CLI already has are used, and nobody is asked where nobody
can answer.

botocore asks on the terminal, from whatever thread makes the first call. Under the interface that terminal is taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssm_tui.errors import CredentialsError

if TYPE_CHECKING:
    from ssm_tui.domain.contexts import Context


def settle(session: Any, context: Context, *, may_ask: bool) -> None:
    """Settles both for one botocore session, before its first client is made."""
    from botocore.credentials import JSONFileCache

    class AwsCliSessions(JSONFileCache):  # type: ignore[misc]  # botocore is published without types
        """What the AWS CLI keeps in ~/.aws/cli/cache: read, never written, for we put no credentials into files."""

        def __setitem__(self, key: str, value: object) -> None:
            return

    def refuse(_question: str) -> str:
        profile = f" --profile {context.profile}" if context.profile else ""
        raise CredentialsError(
            f"profile {context.profile or 'default'!r} needs an MFA code",
            f"give it to the AWS CLI, whose session is then used here: aws sts get-caller-identity{profile}",
        )

    provider = session.get_component("credential_provider").get_provider("assume-role")
    provider.cache = AwsCliSessions(str(Path.home() / ".aws" / "cli" / "cache"))
    if not may_ask:
        # botocore has no public way to say who is asked.
        provider._prompter = refuse  # noqa: SLF001
