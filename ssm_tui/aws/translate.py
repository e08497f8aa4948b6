"""botocore's exceptions as ours, once: what happened in a line, and what to do about it in another.

Messages repeat what AWS says about names and actions, never a key, a token or a signed text.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.aws.profiles import profile_names
from ssm_tui.domain.access import Cause
from ssm_tui.domain.refusals import Refusal, read_refusal
from ssm_tui.domain.secrets import redacted
from ssm_tui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    NetworkError,
    RegionError,
    RegionNotEnabledError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssm_tui.domain.contexts import Context

DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess", "AuthorizationError"}
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
NOT_ACCEPTED = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, for the words of its failure: the context, the IAM action and the session's target if any."""

    context: Context
    action: str
    target: str = ""

    @property
    def whose(self) -> str:
        """Where the credentials come from: `profile 'prod'`, the environment, or the default profile."""
        if self.context.profile:
            return f"profile {self.context.profile!r}"
        return "the environment" if os.environ.get("AWS_ACCESS_KEY_ID") else "the default profile"

    @property
    def login(self) -> str:
        """The command that signs in again."""
        return "aws sso login" + (f" --profile {self.context.profile}" if self.context.profile else "")


@contextmanager
def translated(request: Request) -> Iterator[None]:
    """Raises what botocore raises as AwsError and its kinds."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise answer_error(request, error.response) from None
    except BotoCoreError as error:
        raise library_error(request, error) from None
    except (ResponseParserError, KeyError, AttributeError):
        # The last two are how botocore's parsers fail on well-formed XML or JSON that is not the service's.
        raise not_aws(request.action) from None


def answer_error(request: Request, response: Any) -> AwsError:
    """The error for an answer of AWS that says no."""
    error = response.get("Error", {}) if isinstance(response, dict) else {}
    # Query services prefix some codes with who is at fault; JSON ones may put a namespace in front.
    code = str(error.get("Code", "")).rsplit("#", 1)[-1].removeprefix("Client.")
    message = _one_line(str(error.get("Message", "")))
    if request.action in _GRANTING and "not enabled" in message:
        return AwsError(
            "just-in-time node access is not set up in this account and region",
            "whoever keeps the account sets it up in Systems Manager; or ask for a policy that allows the session",
            code=code,
        )
    if code in DENIED:
        return _denied(request, code, message)
    if code in EXPIRED:
        return CredentialsError(
            f"the credentials of {request.whose} have expired",
            f"renew them; with single sign-on: {request.login}",
            code=code,
        )
    if code in NOT_ACCEPTED:
        return CredentialsError(
            f"AWS does not accept the credentials of {request.whose} ({code})",
            "check the access key and this machine's clock, and that the account has enabled the region "
            f"{request.context.region}",
            code=code,
        )
    if code in THROTTLED:
        return ThrottledError(
            f"AWS asked for fewer calls ({request.action}: {code})",
            "that passes by itself, mostly within a minute",
            code=code,
        )
    if code == "OptInRequired":
        return not_enabled(request.context, code)
    if code in _SESSION:
        said, hint = _SESSION[code]
        return AwsError(said.format(target=request.target or "the target"), hint, code=code)
    return AwsError(f"{request.action}: {message or code}", f"AWS answered {code}" if code else "", code=code)


# Told apart by AWS's sentence ("Just-In-Time Node Access service is not enabled in this account."): its code is in no
# public source we know.
_GRANTING = frozenset({"ssm:StartAccessRequest", "ssm:GetAccessToken"})

_SESSION = {
    "TargetNotConnected": (
        "{target} is not connected to Systems Manager",
        "its SSM agent does not answer: is the node running, the agent too, and can it reach the ssmmessages endpoint?",
    ),
    # ECS's word for it (ExecuteCommand).
    "TargetNotConnectedException": (
        "the container is not connected to Systems Manager",
        "its ExecuteCommandAgent does not answer: does its task role allow the four ssmmessages calls of ECS Exec?",
    ),
    "InvalidTarget": ("Systems Manager knows no node {target} here", "list the nodes with: ssm-tui ls"),
    "InvalidInstanceId": ("Systems Manager knows no node {target} here", "list the nodes with: ssm-tui ls"),
    "InvalidDocument": (
        "the session document does not exist in this region",
        "an administrator may have removed or renamed it; ask which document to use",
    ),
}


def _denied(request: Request, code: str, message: str) -> AccessDeniedError:
    said = read_refusal(message) or Refusal(request.action)
    action, resource, reason = said
    where = f" on {resource}" if resource and resource != "*" else ""
    because = f": {reason}" if reason else ""
    if said.cause is Cause.EXPLICIT:
        hint = f"a policy forbids it; ask whoever keeps the account's policies to lift that for {action}"
    elif said.cause in (Cause.BOUNDARY, Cause.ORGANIZATION):
        hint = f"the limit stands above your own policies; ask whoever keeps the account for {action}"
    elif action == "ssm:TerminateSession":
        hint = "your policies let you end other sessions than this one, most likely those of your own name alone"
    else:
        hint = f"ask for a policy that allows {action}{where}"
    return AccessDeniedError(
        f"you may not call {action}{where}{because}", hint, code=code, action=action, resource=resource, reason=reason
    )


def library_error(request: Request, error: Any) -> AwsError:
    """The error for what botocore itself found wrong, before an answer or without one."""
    # By name, with the bases': some of these came with later versions of botocore than the oldest we work with.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "ProfileNotFound" in kinds:
        return unknown_profile(str(error.kwargs.get("profile", request.context.profile)))
    if "NoRegionError" in kinds:
        return no_region(request.context.profile)
    if kinds & {"InvalidRegionError", "UnknownRegionError"}:
        return RegionError(f"{request.context.region!r} is not a region", "name one with --region, such as us-east-1")
    if kinds & _CREDENTIALS:
        return _credentials_error(request, error, kinds)
    if "SSLError" in kinds:
        return NetworkError(
            f"the secure connection to {_host(error)} failed",
            "behind a proxy that opens TLS, name its certificates in AWS_CA_BUNDLE",
        )
    if kinds & {"HTTPClientError", "ConnectionError"}:
        return NetworkError(
            f"{_host(error)} could not be reached",
            "check the network, a proxy or VPN, the region's name, and AWS_ENDPOINT_URL if it is set",
        )
    return AwsError(f"{request.action}: {_one_line(str(error))}", f"reported by the AWS SDK ({type(error).__name__})")


_SIGN_IN = frozenset({"SSOError", "TokenRetrievalError", "LoginError"})
_CREDENTIALS = _SIGN_IN | {
    "ConfigParseError",
    "CredentialRetrievalError",
    "InfiniteLoopConfigError",
    "InvalidConfigError",
    "MetadataRetrievalError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "RefreshWithMFAUnsupportedError",
}


def _credentials_error(request: Request, error: Any, kinds: set[str]) -> CredentialsError:
    if "NoCredentialsError" in kinds:
        return CredentialsError(
            "no AWS credentials were found" + (f" for {request.whose}" if request.context.profile else ""),
            "sign in with `aws configure sso` or `aws configure`, name a profile with --profile, or try --demo",
        )
    if kinds & _SIGN_IN:
        console = "LoginError" in kinds
        login = request.login.replace("sso login", "login") if console else request.login
        hint = f"run: {login}" + ("" if console else ", or sign in with i in ssm-tui")
        return CredentialsError(f"the sign-in of {request.whose} has expired or is missing", hint)
    if "RefreshWithMFAUnsupportedError" in kinds:
        return CredentialsError(
            f"{request.whose} needs an MFA code", "in the interface i asks for it; a command asks when it is run again"
        )
    if "PartialCredentialsError" in kinds:
        return CredentialsError(
            f"the credentials of {request.whose} are incomplete: {error.kwargs.get('cred_var', 'a part')} is missing",
            "set both halves of the access key, in the environment or in the credentials file",
        )
    if "CredentialRetrievalError" in kinds:
        # What the credential process printed stays out: it may be the credentials.
        return CredentialsError(
            f"the credentials of {request.whose} could not be fetched ({error.kwargs.get('provider', 'no provider')})",
            "run the profile's credential_process, or look at the role it assumes, to see why",
        )
    return CredentialsError(
        f"the credentials of {request.whose} could not be read: {_one_line(str(error))}",
        "mend the AWS configuration files",
    )


def unknown_profile(name: str) -> CredentialsError:
    """The error for a profile that the AWS configuration does not have; it lists those it has."""
    known = profile_names()
    hint = f"profiles are {', '.join(known)}" if known else "none is configured; make one with `aws configure sso`"
    return CredentialsError(f"there is no profile {name!r}", hint)


def not_aws(action: str) -> AwsError:
    """The error for an answer that AWS does not give."""
    return AwsError(
        f"{action}: what answered is not AWS",
        "check AWS_ENDPOINT_URL if it is set; a proxy or a captive portal may answer in AWS's place",
    )


def no_region(profile: str | None) -> RegionError:
    """The error for a context without a region."""
    return RegionError(
        f"no region is set for profile {profile!r}" if profile else "no region is set",
        "name one with --region, or set AWS_REGION or the profile's region",
    )


def not_enabled(context: Context, code: str, *, named: bool = True) -> RegionNotEnabledError:
    """The error for a region that the account has not enabled."""
    return RegionNotEnabledError(
        f"the account has not enabled the region {context.region}",
        "enable it in the account's settings, or choose another region",
        code=code,
        named=named,
    )


def _host(error: Any) -> str:
    url = str(error.kwargs.get("endpoint_url", "") or error.kwargs.get("proxy_url", ""))
    # No path and no user: a proxy's URL may hold a password.
    found = re.match(r"(https?://)?(?:[^@/]*@)?([^/]+)", url)
    return f"{found[1] or ''}{found[2]}" if found else "AWS"


def _one_line(message: str) -> str:
    """Foreign words on one line, without what must not be shown."""
    return redacted(" ".join(message.split()))
