"""IAM Identity Center: what a profile's single sign-on is, and the device login by which we renew it ourselves.

The token goes where the AWS CLI and every SDK look for it, with the client's registration, so that all of them use it
and can refresh it. It is never shown and never logged.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssm_tui.aws.login import Login
from ssm_tui.aws.translate import Request, translated
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.signing import DeviceCode
from ssm_tui.errors import CredentialsError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SCOPES = ("sso:account:access",)  # what a session without scopes of its own asks for; botocore's default too
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
INTERVAL = 5.0  # seconds between two questions where the service does not say, and what it adds to slow us down
# A role assumed with another profile's credentials, which may come from a third.
_LONGEST_CHAIN = 5


@dataclass(frozen=True, slots=True)
class Sso:
    """A profile's single sign-on. `session` is None where the profile itself holds what a session would."""

    profile: str | None
    session: str | None
    start_url: str
    region: str
    scopes: tuple[str, ...]

    @property
    def name(self) -> str:
        """What its token is kept under: profiles with the same name have the same token."""
        return self.session or self.start_url


@dataclass(frozen=True, slots=True)
class Source:
    """Where a profile's credentials come from in the end. `profile` is the one of the chain that signs in."""

    profile: str | None
    sso: Sso | None = None
    console: str = ""  # the login session of `aws login`
    serial: str = ""  # the MFA device that is asked for on the way


def source(profile: str | None) -> Source:
    """Follows profiles to the one whose credentials are used. Raises AwsError for an unknown one."""
    from botocore.session import Session

    with translated(Request(Context(profile, ""), "")):
        session = Session(profile=profile)
        session.get_scoped_config()
        full: Mapping[str, Any] = session.full_config
        # None is the default chain's, as botocore reads it.
        name = profile or session.get_config_variable("profile") or "default"
    return _source(full, profile, name)


def _source(full: Mapping[str, Any], profile: str | None, name: str) -> Source:
    serial = ""
    for settings in _chain(full.get("profiles", {}), name):
        if settings["name"] != name:
            profile = settings["name"]
        if settings.get("role_arn"):
            serial = serial or settings.get("mfa_serial", "")
        if (sso := _sso(full.get("sso_sessions", {}), settings, profile)) is not None:
            return Source(profile, sso=sso, serial=serial)
        if console := settings.get("login_session", ""):
            return Source(profile, console=console, serial=serial)
    return Source(profile, serial=serial)


def _chain(profiles: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    for _ in range(_LONGEST_CHAIN):
        settings = profiles.get(name)
        if settings is None:
            return
        yield {**settings, "name": name}
        name = settings.get("source_profile", "")


def _sso(sessions: Mapping[str, Any], settings: Mapping[str, Any], profile: str | None) -> Sso | None:
    session = settings.get("sso_session")
    told = {**settings, **sessions.get(session, {})} if session else settings
    start_url, region = told.get("sso_start_url"), told.get("sso_region")
    if not start_url or not region:
        return None
    wanted = tuple(filter(None, (each.strip() for each in told.get("sso_registration_scopes", "").split(","))))
    return Sso(profile, session, start_url, region, (wanted or _SCOPES) if session else ())


def token_file(sso: Sso) -> Path:
    """Where the token is kept: botocore's SSOTokenLoader names it by the digest of the session or the start URL."""
    return _folder() / f"{hashlib.sha1(sso.name.encode(), usedforsecurity=False).hexdigest()}.json"


def _folder() -> Path:
    return Path.home() / ".aws" / "sso" / "cache"


class DeviceLogin:
    """One login that waits for the user's yes; domain.services.DeviceLogin. `begin` makes them."""

    def __init__(self, client: Any, sso: Sso, registration: Mapping[str, Any], device: Mapping[str, Any]) -> None:
        self._client, self._sso, self._registration = client, sso, registration
        self._device_code = device["deviceCode"]
        self._interval = float(device.get("interval") or INTERVAL)
        self._ends = time.monotonic() + float(device["expiresIn"])
        uri = str(device["verificationUri"])
        self._code = DeviceCode(
            str(device["userCode"]),
            uri,
            str(device.get("verificationUriComplete") or uri),
            float(device["expiresIn"]),
        )

    @property
    def code(self) -> DeviceCode:
        """What the user takes to a browser."""
        return self._code

    def wait(self, stop: threading.Event) -> bool:
        """Asks as often as the service wants to be asked, until the user has decided. Blocks. Raises AwsError."""
        while not stop.wait(max(0.0, min(self._interval, self._ends - time.monotonic()))):
            if time.monotonic() >= self._ends:
                raise _too_late()
            if (answer := self._ask()) is None:
                continue
            if stop.is_set():
                return False
            self._keep(answer)
            return True
        return False

    def _ask(self) -> Mapping[str, Any] | None:
        """The token; None while there is none yet."""
        from botocore.exceptions import ClientError, HTTPClientError

        with translated(Request(Context(self._sso.profile, self._sso.region), "sso-oauth:CreateToken")):
            try:
                answer: Mapping[str, Any] = self._client.create_token(
                    clientId=self._registration["clientId"],
                    clientSecret=self._registration["clientSecret"],
                    grantType=_GRANT,
                    deviceCode=self._device_code,
                )
            except HTTPClientError:
                return None  # the network may come back before the code is too old
            except ClientError as error:
                match str(error.response.get("Error", {}).get("Code", "")):
                    case "AuthorizationPendingException":
                        return None
                    case "SlowDownException":
                        self._interval += INTERVAL
                        return None
                    case "ExpiredTokenException":
                        raise _too_late() from None
                    case "AccessDeniedException":
                        raise CredentialsError("the sign-in was refused in the browser", "i begins another") from None
                raise
            return answer

    def _keep(self, answer: Mapping[str, Any]) -> None:
        from botocore.utils import JSONFileCache, SSOTokenLoader

        registration = self._registration
        with translated(Request(Context(self._sso.profile, self._sso.region), "sso-oauth:CreateToken")):
            token = {
                "startUrl": self._sso.start_url,
                "region": self._sso.region,
                "accessToken": answer["accessToken"],
                "expiresAt": _moment(datetime.now(UTC) + timedelta(seconds=answer["expiresIn"])),
                "clientId": registration["clientId"],
                "clientSecret": registration["clientSecret"],
                "registrationExpiresAt": _moment(datetime.fromtimestamp(registration["clientSecretExpiresAt"], UTC)),
            }
        if "refreshToken" in answer:
            token["refreshToken"] = answer["refreshToken"]
        folder = _folder()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # botocore's own writer: aside, for the user's eyes alone, then renamed.
            cache = JSONFileCache(str(folder))
            SSOTokenLoader(cache).save_token(self._sso.start_url, token, session_name=self._sso.session)
        except OSError as error:
            raise CredentialsError(
                f"the sign-in could not be kept in {folder}: {error.strerror}", "see to that folder, then sign in again"
            ) from None


def begin(sso: Sso) -> DeviceLogin:
    """Registers us and asks for a code. Blocks. Raises AwsError."""
    from botocore import UNSIGNED
    from botocore.config import Config

    context = Context(sso.profile, sso.region)
    config = Config(signature_version=UNSIGNED, connect_timeout=4, read_timeout=20, retries={"total_max_attempts": 2})
    with translated(Request(context, "sso-oauth:RegisterClient")):
        client = Login(sso.profile).client("sso-oidc", sso.region, config)
        scopes = {"scopes": list(sso.scopes)} if sso.scopes else {}
        registration = client.register_client(
            clientName=f"ssm-tui-{sso.session or 'profile'}", clientType="public", **scopes
        )
    with translated(Request(context, "sso-oauth:StartDeviceAuthorization")):
        device = client.start_device_authorization(
            clientId=registration["clientId"], clientSecret=registration["clientSecret"], startUrl=sso.start_url
        )
        return DeviceLogin(client, sso, registration, device)


def _too_late() -> CredentialsError:
    return CredentialsError("the code was not used in time", "i begins another sign-in")


def _moment(moment: datetime) -> str:
    return moment.strftime(_MOMENT)
