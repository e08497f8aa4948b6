"""The roles that people take on: the permission set behind single sign-on, and the one that wants an MFA code; and the
one behind the keys of just-in-time access."""

from __future__ import annotations

import json
from typing import Any

from ssm_tui.demo.callers import MFA_ROLE, SSO_ROLE, SSO_ROLE_PATH, TOKEN_ROLE, mfa_role_arn, sso_role_arn
from ssm_tui.demo.node_access import TOKEN_POLICY


def seed_roles(iam: Any, account: str, developer: str, policy: str) -> None:
    """Both may do what the developer's `policy` allows; the developer may take on the second."""
    provider = f"arn:aws:iam::{account}:saml-provider/AWSSSO_DO_NOT_DELETE"
    iam.create_role(
        Path=SSO_ROLE_PATH,
        RoleName=SSO_ROLE,
        AssumeRolePolicyDocument=_trust({"Federated": provider}, "sts:AssumeRoleWithSAML", {}),
    )
    iam.create_role(
        RoleName=MFA_ROLE,
        AssumeRolePolicyDocument=_trust(
            {"AWS": f"arn:aws:iam::{account}:user/{developer}"},
            "sts:AssumeRole",
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        ),
    )
    for name, arn in ((SSO_ROLE, sso_role_arn(account)), (MFA_ROLE, mfa_role_arn(account))):
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        # What the developer's policy grants by the user's name.
        about_itself = ["iam:SimulatePrincipalPolicy", "iam:GetContextKeysForPrincipalPolicy", "iam:GetRole"]
        own_sessions = ["ssm:TerminateSession", "ssm:ResumeSession", "ssmmessages:OpenDataChannel"]
        document = _policy(
            {"Effect": "Allow", "Action": about_itself, "Resource": arn},
            {"Effect": "Allow", "Action": own_sessions, "Resource": f"arn:aws:ssm:*:{account}:session/*"},
        )
        iam.put_role_policy(RoleName=name, PolicyName="Itself", PolicyDocument=document)
    service = _trust({"Service": "justintimeaccess.ssm.amazonaws.com"}, "sts:AssumeRole", {})
    iam.create_role(RoleName=TOKEN_ROLE, AssumeRolePolicyDocument=service)
    iam.attach_role_policy(RoleName=TOKEN_ROLE, PolicyArn=f"arn:aws:iam::aws:policy/{TOKEN_POLICY}")
    taking_on = _policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": mfa_role_arn(account)})
    iam.put_user_policy(UserName=developer, PolicyName="BecomeOperator", PolicyDocument=taking_on)


def _trust(principal: dict[str, str], action: str, condition: dict[str, Any]) -> str:
    return _policy({"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition})


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
