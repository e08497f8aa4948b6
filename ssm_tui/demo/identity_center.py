"""IAM Identity Center over the wire: device logins that a browser approves, tokens, and the credentials they buy.

These calls are not signed: the endpoint brings what has no signature here first. Errors are worded as the services
word them (SSO OIDC API and SSO Portal API references); the page at /device stands for the access portal.
"""

from __future__ import annotations

import html
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from moto.sts.models import sts_backends

from ssm_tui.demo.answers import Answer
from ssm_tui.demo.callers import PERMISSION_SET, SSO_USER, START, sso_role_arn
from ssm_tui.demo.principals import PARTITION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REGISTRATION_SECONDS = 90 * 24 * 3600
DEVICE_SECONDS = 600
TOKEN_SECONDS = 8 * 3600
ROLE_SECONDS = 3600
INTERVAL = 1  # seconds between two questions of a client that waits
_EARLY = 0.3  # a client may be this much too soon before it is told to slow down
BEARER = "demo.sso_bearer_token"  # of the environ: who serves must put it there
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LONGEST = 64 * 1024
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class _Refusal(Exception):  # noqa: N818 -- an answer, not a failure of ours
    """An error answer in the shape of these services."""

    def __init__(self, code: str, error: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.error, self.status = code, error, status


@dataclass(slots=True)
class _Device:
    """A login that waits for its yes."""

    client: str
    user_code: str
    ends: float
    decision: bool | None = None
    asked: float = field(default=-1e9)


@dataclass(slots=True)
class IdentityCenter:
    """One instance with one user and one permission set. Called in the web server's threads."""

    account: str
    region: str
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _clients: dict[str, str] = field(default_factory=dict)
    _devices: dict[str, _Device] = field(default_factory=dict)
    _tokens: dict[str, float] = field(default_factory=dict)
    _refreshing: dict[str, str] = field(default_factory=dict)
    """Refresh tokens, each with the client that holds it."""

    def answer(self, environ: Mapping[str, Any]) -> Answer | None:
        """The answer; None where the request is for somebody else."""
        if environ.get("HTTP_AUTHORIZATION"):
            return None
        calls: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            "POST /client/register": self._register,
            "POST /device_authorization": self._authorize,
            "POST /token": self._token,
            "GET /device": self._page,
            "POST /device": self._decide,
            "GET /federation/credentials": self._credentials,
            "GET /assignment/accounts": self._accounts,
            "GET /assignment/roles": self._roles,
            "POST /logout": self._logout,
        }
        call = calls.get(f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}")
        if call is None:
            return None
        try:
            with self._guard:
                return call(environ)
        except _Refusal as refusal:
            body = {"error": refusal.error, "error_description": refusal.error, "message": refusal.error}
            return _json(body, refusal.status, (("x-amzn-ErrorType", refusal.code),))

    # SSO OIDC

    def _register(self, environ: Mapping[str, Any]) -> Answer:
        asked = _parameters(environ)
        if asked.get("clientType") != "public" or not asked.get("clientName"):
            raise _Refusal("InvalidClientMetadataException", "invalid_client_metadata")
        client, secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        self._clients[client] = secret
        now = int(time.time())
        return _json(
            {
                "clientId": client,
                "clientSecret": secret,
                "clientIdIssuedAt": now,
                "clientSecretExpiresAt": now + REGISTRATION_SECONDS,
            }
        )

    def _authorize(self, environ: Mapping[str, Any]) -> Answer:
        asked = _parameters(environ)
        client = self._client(asked)
        if not str(asked.get("startUrl", "")).endswith(START):
            raise _Refusal("InvalidRequestException", "invalid_request")
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        device, user_code = secrets.token_urlsafe(32), f"{letters[:4]}-{letters[4:]}"
        self._devices[device] = _Device(client, user_code, time.monotonic() + DEVICE_SECONDS)
        uri = f"http://{environ.get('HTTP_HOST', '127.0.0.1')}/device"
        return _json(
            {
                "deviceCode": device,
                "userCode": user_code,
                "verificationUri": uri,
                "verificationUriComplete": f"{uri}?user_code={user_code}",
                "expiresIn": DEVICE_SECONDS,
                "interval": INTERVAL,
            }
        )

    def _token(self, environ: Mapping[str, Any]) -> Answer:
        asked = _parameters(environ)
        client = self._client(asked)
        match asked.get("grantType"):
            case "refresh_token":
                if self._refreshing.pop(str(asked.get("refreshToken", "")), "") != client:
                    raise _Refusal("InvalidGrantException", "invalid_grant")
            case grant if grant == _DEVICE_GRANT:
                self._redeem(client, str(asked.get("deviceCode", "")))
            case _:
                raise _Refusal("UnsupportedGrantTypeException", "unsupported_grant_type")
        token, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        self._tokens[token] = time.monotonic() + TOKEN_SECONDS
        self._refreshing[refresh] = client
        return _json({"accessToken": token, "tokenType": "Bearer", "expiresIn": TOKEN_SECONDS, "refreshToken": refresh})

    def _redeem(self, client: str, code: str) -> None:
        """Raises unless the user has said yes to this login."""
        device, now = self._devices.get(code), time.monotonic()
        if device is None or device.client != client:
            raise _Refusal("InvalidGrantException", "invalid_grant")
        early, device.asked = now - device.asked < INTERVAL - _EARLY, now
        if now >= device.ends:
            raise _Refusal("ExpiredTokenException", "expired_token")
        if early:
            raise _Refusal("SlowDownException", "slow_down")
        if device.decision is None:
            raise _Refusal("AuthorizationPendingException", "authorization_pending")
        del self._devices[code]
        if not device.decision:
            raise _Refusal("AccessDeniedException", "access_denied")

    def _client(self, asked: Mapping[str, Any]) -> str:
        client = str(asked.get("clientId", ""))
        known = self._clients.get(client)
        if known is None or not secrets.compare_digest(known, str(asked.get("clientSecret", ""))):
            raise _Refusal("InvalidClientException", "invalid_client", 401)
        return client

    # The portal in the browser

    def _page(self, environ: Mapping[str, Any]) -> Answer:
        code = parse_qs(str(environ.get("QUERY_STRING", ""))).get("user_code", [""])[0]
        known = any(each.user_code == code and each.decision is None for each in self._devices.values())
        words = f"A program asks to be signed in as {SSO_USER}. It shows the code <b>{html.escape(code)}</b>."
        buttons = (
            f'<form method="post" action="/device"><input type="hidden" name="user_code" value="{html.escape(code)}">'
            '<button name="decision" value="allow">Allow</button> '
            '<button name="decision" value="deny">Deny</button></form>'
        )
        return _page(f"<p>{words}</p>{buttons}" if known else "<p>There is no sign-in with this code.</p>")

    def _decide(self, environ: Mapping[str, Any]) -> Answer:
        form = {name: values[0] for name, values in parse_qs(_body(environ)).items()}
        for device in self._devices.values():
            if device.user_code == form.get("user_code") and device.decision is None:
                device.decision = form.get("decision") == "allow"
                return _page("<p>That is done; the program goes on by itself.</p>")
        return _page("<p>There is no sign-in with this code.</p>", 404)

    # SSO portal

    def _credentials(self, environ: Mapping[str, Any]) -> Answer:
        self._bearer(environ)
        asked = parse_qs(str(environ.get("QUERY_STRING", "")))
        if (asked.get("account_id"), asked.get("role_name")) != ([self.account], [PERMISSION_SET]):
            raise _Refusal("ForbiddenException", "No access", 403)
        role = sts_backends[self.account][PARTITION].assume_role(
            region_name=self.region,
            role_session_name=SSO_USER,
            role_arn=sso_role_arn(self.account),
            policy="",
            duration=ROLE_SECONDS,
            external_id="",
        )
        return _json(
            {
                "roleCredentials": {
                    "accessKeyId": role.access_key_id,
                    "secretAccessKey": role.secret_access_key,
                    "sessionToken": role.session_token,
                    "expiration": int((time.time() + ROLE_SECONDS) * 1000),
                }
            }
        )

    def _accounts(self, environ: Mapping[str, Any]) -> Answer:
        self._bearer(environ)
        return _json({"accountList": [{"accountId": self.account, "accountName": "demo"}]})

    def _roles(self, environ: Mapping[str, Any]) -> Answer:
        self._bearer(environ)
        return _json({"roleList": [{"accountId": self.account, "roleName": PERMISSION_SET}]})

    def _logout(self, environ: Mapping[str, Any]) -> Answer:
        """Ends the login: its token and every way to another."""
        self._tokens.pop(self._bearer(environ), None)
        self._refreshing.clear()
        return _json({})

    def _bearer(self, environ: Mapping[str, Any]) -> str:
        token = str(environ.get(BEARER, ""))
        if self._tokens.get(token, 0.0) <= time.monotonic():
            raise _Refusal("UnauthorizedException", "Session token not found or invalid", 401)
        return token


def _body(environ: Mapping[str, Any]) -> str:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    return bytes(environ["wsgi.input"].read(min(length, _LONGEST))).decode(errors="replace") if length > 0 else ""


def _parameters(environ: Mapping[str, Any]) -> dict[str, Any]:
    try:
        asked = json.loads(_body(environ) or "{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise _Refusal("InvalidRequestException", "invalid_request")
    return asked


def _json(body: Mapping[str, Any], status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, json.dumps(body).encode(), "application/json", headers)


def _page(text: str, status: int = 200) -> Answer:
    page = f'<!doctype html><meta charset="utf-8"><title>ssm-tui demo</title><h1>The demo cloud</h1>{text}'
    return Answer(status, page.encode(), "text/html; charset=utf-8")
