"""Who else comes into the demo cloud than by an access key: by single sign-on, and with an MFA device's code."""

from __future__ import annotations

SSO_SESSION = "ssm-tui-demo"
SSO_USER = "kim"
PERMISSION_SET = "Developer"
SSO_ROLE_PATH = "/aws-reserved/sso.amazonaws.com/"
SSO_ROLE = f"AWSReservedSSO_{PERMISSION_SET}_5f0c1e2d3a4b6c7d"
MFA_ROLE = "Operator"
TOKEN_ROLE = "SSM-JustInTimeAccessTokenRole"  # noqa: S105 -- a name
"""AWS's name for the role behind the keys of just-in-time access."""
MFA_DEVICE = "developers-phone"
MFA_CODE = "123456"
"""What the phone always shows: whoever tries the demo has no such phone."""
START = "/start"


def sso_role_arn(account: str) -> str:
    """The role that stands for the permission set in the account."""
    return f"arn:aws:iam::{account}:role{SSO_ROLE_PATH}{SSO_ROLE}"


def mfa_role_arn(account: str) -> str:
    """The role that wants a code."""
    return f"arn:aws:iam::{account}:role/{MFA_ROLE}"


def mfa_serial(account: str) -> str:
    """The device whose code it wants."""
    return f"arn:aws:iam::{account}:mfa/{MFA_DEVICE}"


def profiles(account: str, region: str, url: str) -> str:
    """Both, for the AWS config file. The second builds on the profile `developer`."""
    place = f"region = {region}\nendpoint_url = {url}\n"
    return (
        f"[profile demo-sso]\nsso_session = {SSO_SESSION}\nsso_account_id = {account}\n"
        f"sso_role_name = {PERMISSION_SET}\n{place}\n"
        f"[sso-session {SSO_SESSION}]\nsso_start_url = {url}{START}\nsso_region = {region}\n"
        "sso_registration_scopes = sso:account:access\n\n"
        f"[profile demo-mfa]\nrole_arn = {mfa_role_arn(account)}\nsource_profile = developer\n"
        f"mfa_serial = {mfa_serial(account)}\n{place}\n"
    )
