"""Passwords of databases from AWS: tokens signed here, passwords that Redshift gives, secrets of Secrets Manager.

A token is a request that nobody sends: it is signed for the database's own endpoint, whatever port a tunnel has, since
the database sees only the signature. Sources: RDS User Guide, "Connecting to your DB instance using IAM
authentication"; ElastiCache and MemoryDB user guides, "Authenticating with IAM"; Redshift API reference.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ssm_tui.aws.translate import not_aws
from ssm_tui.domain.credentials import (
    TOKEN_SECONDS,
    Credentials,
    PasswordMeans,
    Secret,
    cache_name,
    is_serverless,
    read_secret,
    refuse,
    token_service,
    usual_user,
)
from ssm_tui.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.databases import Database

    Doubt = Callable[[Database, str], str]


def read_credentials(
    gateway: Gateway, database: Database, means: PasswordMeans, user: str, doubt: Doubt
) -> Credentials:
    """A user and a password for the database, new at each call. `user` empty leaves it to the database or the secret.

    `doubt` tells what speaks against a login by token as a user, empty for nothing. Blocks. Raises TargetError where
    there is no such password or it is not known for whom, AwsError.
    """
    refuse(database, means)
    if means is PasswordMeans.SECRET:
        return _secret(gateway, database, user)
    match token_service(database):
        case "redshift":
            return _of_redshift(gateway, database, user)
        case "redshift-serverless":
            return _of_workgroup(gateway, database, user)
        case service:
            return _token(gateway, database, service, user or usual_user(database), doubt)


def _token(gateway: Gateway, database: Database, service: str, user: str, doubt: Doubt) -> Credentials:
    if not user:
        raise TargetError(f"a token for {database.id} is made for one user: name them", "the tag ssm-tui:user may too")
    token = gateway.presigned(service, f"https://{_signed_for(database, service, user)}", seconds=TOKEN_SECONDS)
    password = Secret(token.removeprefix("https://"))
    return Credentials(user, password, PasswordMeans.TOKEN, TOKEN_SECONDS, doubt(database, user))


def _signed_for(database: Database, service: str, user: str) -> str:
    """The host and query of the request: RDS's by the endpoint and its port, a cache's by its name in lower case."""
    if service == "rds-db":
        return f"{database.endpoint}:{database.port}/?{urlencode({'Action': 'connect', 'DBUser': user})}"
    query = {"Action": "connect", "User": user}
    if is_serverless(database):
        query["ResourceType"] = "ServerlessCache"
    return f"{cache_name(database).lower()}/?{urlencode(query)}"


def _of_redshift(gateway: Gateway, database: Database, user: str) -> Credentials:
    """For a user of the database's who is named, else for the one that Redshift makes of the caller's IAM identity."""
    wanted: dict[str, Any] = {"ClusterIdentifier": cache_name(database), "DurationSeconds": TOKEN_SECONDS}
    if database.database:
        wanted["DbName"] = database.database
    if user:
        answer = gateway.call("redshift", "get_cluster_credentials", DbUser=user, AutoCreate=False, **wanted)
    else:
        answer = gateway.call("redshift", "get_cluster_credentials_with_iam", **wanted)
    return _given(answer, "DbUser", "DbPassword", "Expiration")


def _of_workgroup(gateway: Gateway, database: Database, user: str) -> Credentials:
    if user:
        raise TargetError(
            "Redshift Serverless gives a password only for the caller's own IAM identity",
            "leave out the user; the password in its secret is the administrator's",
        )
    wanted: dict[str, Any] = {"workgroupName": database.id, "durationSeconds": TOKEN_SECONDS}
    if database.database:
        wanted["dbName"] = database.database
    return _given(
        gateway.call("redshift-serverless", "get_credentials", **wanted), "dbUser", "dbPassword", "expiration"
    )


def _given(answer: Mapping[str, Any], user: str, password: str, expiration: str) -> Credentials:
    name, text, ends = answer.get(user), answer.get(password), answer.get(expiration)
    if not isinstance(name, str) or not isinstance(text, str):
        raise not_aws("the call")
    seconds = max(1, int((ends - datetime.now(UTC)).total_seconds())) if isinstance(ends, datetime) else TOKEN_SECONDS
    return Credentials(name, Secret(text), PasswordMeans.TOKEN, seconds)


def _secret(gateway: Gateway, database: Database, user: str) -> Credentials:
    answer = gateway.call("secretsmanager", "get_secret_value", SecretId=database.secret_arn)
    text = answer.get("SecretString")
    if text is None and isinstance(binary := answer.get("SecretBinary"), bytes):
        try:
            text = binary.decode()
        except UnicodeDecodeError:
            raise TargetError("the secret is binary and no text", "keep the password as text in it") from None
    if not isinstance(text, str):
        raise not_aws("secretsmanager:GetSecretValue")
    found = read_secret(text, user)
    return found if found.user else Credentials(usual_user(database), found.password, PasswordMeans.SECRET)
