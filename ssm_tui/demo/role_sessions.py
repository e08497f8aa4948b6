"""STS as far as it decides what a caller may: sessions of roles and users, with tags, session policies and MFA codes.

Moto keeps the sessions of roles but not these, and of users' sessions nothing. Sources: API reference of AssumeRole and
GetSessionToken; "Pass session tags in AWS STS" in the IAM user guide.
"""

from __future__ import annotations

import json
import secrets
import string
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from ssm_tui.demo.answers import Answer, AwsFault, query_answer
from ssm_tui.demo.authorization import check
from ssm_tui.demo.callers import MFA_CODE, mfa_serial
from ssm_tui.demo.policy import PolicyError, parse_policy
from ssm_tui.demo.principals import UserSession, find_user, user_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.wire import WireRequest

_CODE_SHOWN = "aws:MultiFactorAuthPresent"
_LETTERS = string.ascii_uppercase + string.digits
_ROLE_SECONDS, _USER_SECONDS = 3600, 43200


def assume_role(request: WireRequest, caller: Principal) -> Answer:
    """AssumeRole: where the role trusts the caller, and with tags only where it lets him set them too."""
    form = request.form
    arn, tags = form.get("RoleArn", ""), dict(_tags(form))
    role = next(
        (each for each in iam_backends[caller.account][caller.partition].roles.values() if each.arn == arn), None
    )
    with_code = _shows_code(form, caller)
    actions = ("sts:AssumeRole", "sts:TagSession") if tags else ("sts:AssumeRole",)
    for action in actions:
        if role is None or not trusted(role.assume_role_policy_document, caller, action, with_code=with_code):
            message = f"User: {caller.arn} is not authorized to perform: {action} on resource: {arn}"
            raise AwsFault("AccessDenied", message, 403)
    if tags:
        check(request, caller, "sts:TagSession", arn, {})
    name = form.get("RoleSessionName", "")
    if len(name) > 64:
        raise AwsFault("ValidationError", f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to "
                       "satisfy constraint: Member must have length less than or equal to 64")  # fmt: skip
    session = sts_backends[caller.account][caller.partition].assume_role(
        region_name=request.region,
        role_session_name=name,
        role_arn=arn,
        policy=_checked_policy(form.get("Policy", "")),
        duration=_seconds(form, _ROLE_SECONDS),
        external_id=form.get("ExternalId", ""),
    )
    narrowed(session, tags=tags, policy_arns=tuple(_policy_arns(form)), with_code=with_code)
    result = {
        "Credentials": _credentials(
            session.access_key_id, session.secret_access_key, session.session_token, session.expiration
        ),
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        "PackedPolicySize": 6,
    }
    return query_answer("sts", "AssumeRole", result)


def narrowed(session: Any, *, tags: Mapping[str, str], policy_arns: tuple[str, ...], with_code: bool) -> None:
    """Notes on moto's session what moto does not keep."""
    session.session_tags = dict(tags)
    session.policy_arns = policy_arns
    session.with_code = with_code


def get_session_token(request: WireRequest, caller: Principal) -> Answer:
    """GetSessionToken: a user's own rights for a while, and the proof of an MFA code where one was shown."""
    user = find_user(caller.account, caller.partition, caller.name) if caller.kind == "user" else None
    if user is None or caller.with_code is not None:
        raise AwsFault("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    session = UserSession(
        access_key="ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)),
        secret=secrets.token_urlsafe(30),
        token=secrets.token_urlsafe(90),
        expires=datetime.now(UTC) + timedelta(seconds=_seconds(request.form, _USER_SECONDS)),
        with_code=_shows_code(request.form, caller),
    )
    user_sessions(user).append(session)
    credentials = _credentials(session.access_key, session.secret, session.token, session.expires)
    return query_answer("sts", "GetSessionToken", {"Credentials": credentials})


def get_caller_identity(_request: WireRequest, caller: Principal) -> Answer:
    """GetCallerIdentity, which moto cannot answer for the sessions of users."""
    result = {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}
    return query_answer("sts", "GetCallerIdentity", result)


def trusted(trust_policy: str, principal: Principal, action: str, *, with_code: bool = False) -> bool:
    """Does a role's trust policy allow this principal, its account, or everyone the action? `with_code`: an MFA code
    was shown."""
    root = f"arn:{principal.partition}:iam::{principal.account}:root"
    known = {"*", root, principal.account, principal.arn, principal.role_arn} - {""}
    for statement in json.loads(trust_policy).get("Statement", []):
        named = statement.get("Principal", {})
        named = named.get("AWS", []) if isinstance(named, dict) else named
        wanted = statement.get("Condition", {}).get("Bool", {}).get(_CODE_SHOWN, "false")
        if str(wanted).lower() == "true" and not with_code:
            continue
        if statement.get("Effect") == "Allow" and known & set(_listed(named)):
            allowed = _listed(statement.get("Action", []))
            if action in allowed or "sts:*" in allowed or "*" in allowed:
                return True
    return False


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _shows_code(form: Mapping[str, str], caller: Principal) -> bool:
    """Whether the caller has shown an MFA code; raises AwsFault for a wrong one."""
    serial, code = form.get("SerialNumber"), form.get("TokenCode")
    if not serial and not code:
        return False
    if (serial, code) != (mfa_serial(caller.account), MFA_CODE):
        raise AwsFault("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ", 403)
    return True


def _checked_policy(text: str) -> str:
    try:
        parse_policy("session", "none", text or "{}")
    except PolicyError as error:
        raise AwsFault("MalformedPolicyDocument", str(error)) from None
    return text


def _seconds(form: Mapping[str, str], usual: int) -> int:
    given = form.get("DurationSeconds", "")
    return int(given) if given.isdecimal() else usual


def _tags(form: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    number = 1
    while (key := form.get(f"Tags.member.{number}.Key")) is not None:
        yield key, form.get(f"Tags.member.{number}.Value", "")
        number += 1


def _policy_arns(form: Mapping[str, str]) -> Iterator[str]:
    number = 1
    while (arn := form.get(f"PolicyArns.member.{number}.arn")) is not None:
        yield arn
        number += 1


def _credentials(key: str, secret: str, token: str, expires: datetime) -> dict[str, Any]:
    return {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token, "Expiration": expires}
