"""The one tree of errors: each says what happened (message) and what to do next (hint).

    SsmTuiError
    ├── UsageError               wrong arguments; exit status 2
    │   ├── FilterError          a filter that does not parse; knows the column
    │   └── ConfigError          a settings file that cannot be used
    ├── TargetError              no node or database, or several, by that name
    ├── AwsError                 AWS, or the way to it, said no
    │   ├── CredentialsError     none, expired, or an unknown profile
    │   ├── RegionError          no region, or an unknown one
    │   │   └── RegionNotEnabledError  the account has not enabled it; knows whether anybody named it
    │   ├── NetworkError         the endpoint was not reached
    │   ├── AccessDeniedError    the caller may not; names the action
    │   └── ThrottledError       too many calls, after retries
    └── SessionError             a session or tunnel that did not start, or ended
        ├── SessionClosedError   the service ended it in order: idle for too long, open for too long, or unsaid
        ├── PortError            the local port is taken or out of range
        ├── PrerequisiteError    a program that the chosen launcher needs is missing
        └── FarEndError          the relay could not reach the target: refused, unknown name, forbidden

Errors are caught at the seam where they arise and translated there, once. The command line prints message and hint on
one line each and exits with `exit_status`; the interface shows the same words. Neither may hold a secret.
"""

from __future__ import annotations


class SsmTuiError(Exception):
    """What happened, and what to do next: one line each."""

    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SsmTuiError):
    """The command was given wrong arguments."""

    exit_status = 2


class FilterError(UsageError):
    """A filter that does not parse; what is wrong stands in the text from `column` (0-based) to before `end`, which is
    the same where something is missing."""

    def __init__(self, message: str, hint: str = "", *, column: int = 0, end: int | None = None) -> None:
        super().__init__(message, hint)
        self.column = column
        self.end = column if end is None else end


class ConfigError(UsageError):
    """A settings file that cannot be read or holds a wrong value."""


class TargetError(SsmTuiError):
    """No node or database by that name, or several."""


class AwsError(SsmTuiError):
    """AWS, or the way to it, said no. `code` is AWS's error code where there was an answer."""

    def __init__(self, message: str, hint: str = "", *, code: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class CredentialsError(AwsError):
    """No credentials, expired ones, or a profile that does not exist."""


class RegionError(AwsError):
    """No region is set, or it is not one that AWS has."""


class RegionNotEnabledError(RegionError):
    """The account has not enabled the region. Where the user did not name it (`named`), it is none of his concern."""

    def __init__(self, message: str, hint: str = "", *, code: str = "", named: bool = True) -> None:
        super().__init__(message, hint, code=code)
        self.named = named


class NetworkError(AwsError):
    """The endpoint was not reached."""


class AccessDeniedError(AwsError):
    """The caller may not make this call; `action` is the IAM action where AWS or the call names it, `resource` the ARN
    and `reason` AWS's words for what stands in the way, where it tells them."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        code: str = "",
        action: str = "",
        resource: str = "",
        reason: str = "",
    ) -> None:
        super().__init__(message, hint, code=code)
        self.action, self.resource, self.reason = action, resource, reason


class ThrottledError(AwsError):
    """AWS asked for fewer calls, and went on asking after retries."""


class SessionError(SsmTuiError):
    """A session or tunnel that did not start, or ended by itself."""


class SessionClosedError(SessionError):
    """The service ended the session in order. `idle`: for want of traffic; None where it did not say why."""

    def __init__(self, message: str, hint: str = "", *, idle: bool | None = None) -> None:
        super().__init__(message, hint)
        self.idle = idle


class PortError(SessionError):
    """A local port that is taken, or is not a port."""


class PrerequisiteError(SessionError):
    """A program that the chosen launcher or plugin needs is not installed."""


class FarEndError(SessionError):
    """The session stands but its far end was not reached: refused, unknown host name, forbidden address."""
