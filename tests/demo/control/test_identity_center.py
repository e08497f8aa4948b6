"""The demo's IAM Identity Center and its role with MFA, by boto3 over the wire, and its page as a browser sees it."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from ssm_tui.demo.callers import MFA_CODE, PERMISSION_SET, mfa_role_arn, mfa_serial
from tests.demo.control.conftest import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.demo.runner import DemoProcess
    from tests.demo_cloud import Caller

ACCOUNT = "123456789012"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class Portal:
    """A client that has been registered, in the middle of a device login."""

    def __init__(self, caller: Caller, url: str) -> None:
        self.oidc, self.sso = caller.client("sso-oidc"), caller.client("sso")
        registered = self.oidc.register_client(clientName="test", clientType="public")
        self.client = {name: registered[name] for name in ("clientId", "clientSecret")}
        self.device = self.oidc.start_device_authorization(**self.client, startUrl=f"{url}/start")

    def ask(self) -> dict[str, Any]:
        """The token, where the user has said yes."""
        token = self.oidc.create_token(**self.client, grantType=DEVICE, deviceCode=self.device["deviceCode"])
        assert isinstance(token, dict)
        return token

    def decide(self, decision: str) -> int:
        """In the browser."""
        form = urllib.parse.urlencode({"user_code": self.device["userCode"], "decision": decision}).encode()
        try:
            with urllib.request.urlopen(self.device["verificationUri"], form) as page:
                return int(page.status)
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture
def portal(demo_cloud: DemoProcess, developer: Caller) -> Portal:
    return Portal(developer, demo_cloud.environment["AWS_ENDPOINT_URL"])


def credentials_of(portal: Portal, token: str, role: str = PERMISSION_SET) -> Callable[[], Any]:
    return lambda: portal.sso.get_role_credentials(accessToken=token, accountId=ACCOUNT, roleName=role)


def test_nobody_gets_a_token_before_the_user_has_said_yes(portal: Portal) -> None:
    assert refusal(portal.ask)[0] == "AuthorizationPendingException"
    assert refusal(portal.ask)[0] == "SlowDownException"
    assert portal.decide("deny") == 200
    assert portal.decide("allow") == 404, "a decision stands"


def test_a_token_buys_the_roles_credentials_until_the_login_ends(portal: Portal) -> None:
    portal.decide("allow")
    token = portal.ask()["accessToken"]
    assert refusal(portal.ask)[0] == "InvalidGrantException", "a login is redeemed once"
    assert set(credentials_of(portal, token)()["roleCredentials"]) >= {"accessKeyId", "sessionToken", "expiration"}
    assert refusal(credentials_of(portal, token, "Administrator"))[0] == "ForbiddenException"
    (role,) = portal.sso.list_account_roles(accessToken=token, accountId=ACCOUNT)["roleList"]
    assert role["roleName"] == PERMISSION_SET
    portal.sso.logout(accessToken=token)
    assert refusal(credentials_of(portal, token))[0] == "UnauthorizedException"


def test_a_client_is_known_by_its_secret_and_a_login_belongs_to_it(portal: Portal, developer: Caller) -> None:
    other = Portal(developer, portal.device["verificationUri"].removesuffix("/device"))
    portal.decide("allow")
    portal.client, mine = other.client, portal.client
    assert refusal(portal.ask)[0] == "InvalidGrantException"
    portal.client = mine | {"clientSecret": "guessed"}
    assert refusal(portal.ask)[0] == "InvalidClientException"
    portal.client = mine
    assert portal.ask()["tokenType"] == "Bearer"


def test_a_refresh_token_is_good_once_and_for_its_client_alone(portal: Portal) -> None:
    portal.decide("allow")
    refresh = portal.ask()["refreshToken"]

    def renew() -> dict[str, Any]:
        token = portal.oidc.create_token(**portal.client, grantType="refresh_token", refreshToken=refresh)
        assert isinstance(token, dict)
        return token

    assert renew()["refreshToken"] != refresh
    assert refusal(renew)[0] == "InvalidGrantException"


def test_the_page_shows_no_code_that_it_does_not_know(demo_cloud: DemoProcess) -> None:
    strange = urllib.parse.quote("<script>x</script>")
    url = f"{demo_cloud.environment['AWS_ENDPOINT_URL']}/device?user_code={strange}"
    with urllib.request.urlopen(url) as page:
        text = page.read().decode()
    assert "There is no sign-in with this code" in text
    assert "<script>" not in text


def test_the_role_wants_a_code_and_the_right_one(developer: Caller) -> None:
    sts = developer.client("sts")
    role = {"RoleArn": mfa_role_arn(ACCOUNT), "RoleSessionName": "test"}
    device = {"SerialNumber": mfa_serial(ACCOUNT)}
    assert "not authorized to perform: sts:AssumeRole" in refusal(sts.assume_role, **role)[1]
    code, message = refusal(sts.assume_role, **role, **device, TokenCode="000000")
    assert (code, message.split()[0]) == ("AccessDenied", "MultiFactorAuthentication")
    assert sts.assume_role(**role, **device, TokenCode=MFA_CODE)["Credentials"]["SessionToken"]
