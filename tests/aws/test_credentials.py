"""Tokens and secrets: signatures by known vectors and by the published algorithm; what AWS answers; who may."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from ssm_tui.aws.credentials import read_credentials
from ssm_tui.aws.gateway import LiveGateway
from ssm_tui.aws.login_rights import doubt
from ssm_tui.aws.signature import NO_SIGNATURE, Signature
from ssm_tui.domain.contexts import Caller, Context
from ssm_tui.domain.credentials import PasswordMeans
from ssm_tui.domain.databases import Database, Kind
from ssm_tui.errors import AccessDeniedError, AwsError, CredentialsError, TargetError
from tests.aws.conftest import SIMULATING, Administrator, allow, cloud_of
from tests.builders import database

KEY, SECRET_KEY, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token=="
ARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:rds!db-1"
NEEDLE = "s3cret-needle"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment, and no way to AWS: a token needs none."""
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)


def signature(url: str, service: str) -> str:
    """The signature of a presigned GET by "Create a signed AWS API request" (IAM User Guide), written anew."""
    parts = urlsplit(url)
    query = sorted((k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "X-Amz-Signature")
    given = dict(query)
    day, region = given["X-Amz-Credential"].split("/")[1:3]
    canonical = "\n".join(
        [
            "GET",
            parts.path,
            "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in query),
            f"host:{parts.netloc}",
            "",
            "host",
            hashlib.sha256(b"").hexdigest(),
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{given['X-Amz-Date']}\n{scope}\n{digest}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def token_of(db: Database, user: str = "") -> str:
    found = read_credentials(LiveGateway(db.context), db, PasswordMeans.TOKEN, user, lambda _database, _user: "")
    assert (found.means, found.seconds) == (PasswordMeans.TOKEN, 900)
    return found.password.reveal()


@pytest.fixture
def seoul() -> Context:
    return Context(None, "ap-northeast-2")


CACHE: dict[str, Any] = {"kind": Kind.ELASTICACHE, "engine": "valkey", "tls": True, "port": 6379}


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("facts", "user", "service", "host", "query"),
    [
        (
            {"iam_auth": True},
            "app one+two@x",
            "rds-db",
            "orders.c9akciq32.ap-northeast-2.rds.amazonaws.com:5432",
            {"Action": "connect", "DBUser": "app one+two@x"},
        ),
        (
            {**CACHE, "parent": "Sessions", "endpoint": "sessions.abc.ng.0001.apn2.cache.amazonaws.com"},
            "reader",
            "elasticache",
            "sessions",
            {"Action": "connect", "User": "reader"},
        ),
        (
            {**CACHE, "endpoint": "orders-abc.serverless.apn2.cache.amazonaws.com"},
            "reader",
            "elasticache",
            "orders",
            {"Action": "connect", "User": "reader", "ResourceType": "ServerlessCache"},
        ),
        (
            {**CACHE, "kind": Kind.MEMORYDB, "endpoint": "clustercfg.orders.abc.memorydb.ap-northeast-2.amazonaws.com"},
            "reader",
            "memorydb",
            "orders",
            {"Action": "connect", "User": "reader"},
        ),
    ],
)
def test_a_token_is_signed_for_the_database_itself(
    seoul: Context, facts: dict[str, Any], user: str, service: str, host: str, query: dict[str, str]
) -> None:
    url = f"https://{token_of(database(context=seoul, **facts), user)}"
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    assert (parts.netloc, parts.path) == (host, "/")
    assert query.items() <= given.items()
    assert given["X-Amz-Expires"] == "900"
    assert given["X-Amz-Credential"].split("/")[2:] == ["ap-northeast-2", service, "aws4_request"]
    assert given["X-Amz-Security-Token"] == SESSION
    assert given["X-Amz-Signature"] == signature(url, service)


@pytest.mark.usefixtures("keys")
def test_rds_tokens_are_those_of_the_sdk(seoul: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.session

    moment = datetime(2016, 11, 7, 17, 39, 33, tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: moment)
    db = database(context=seoul, iam_auth=True, user="someusername")
    client = botocore.session.Session().create_client("rds", "ap-northeast-2")
    theirs = client.generate_db_auth_token(db.endpoint, db.port, "someusername")
    client.close()
    ours = token_of(db)
    assert "X-Amz-Date=20161107T173933Z" in ours
    assert (ours.partition("/?")[0], sorted(ours.partition("/?")[2].split("&"))) == (
        theirs.partition("/?")[0],
        sorted(theirs.partition("/?")[2].split("&")),
    )


@pytest.mark.usefixtures("keys")
def test_a_token_is_for_somebody(seoul: Context) -> None:
    with pytest.raises(TargetError, match="name them"):
        token_of(database(context=seoul, iam_auth=True, user=None))


@pytest.mark.usefixtures("keys")
def test_without_credentials_there_is_no_token(seoul: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsError):
        token_of(database(context=seoul, iam_auth=True))


class Answering:
    """A gateway with one answer; remembers what it was asked."""

    def __init__(self, answer: Mapping[str, Any] | AwsError) -> None:
        self._answer = answer
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        self.asked.append((service, operation, parameters))
        if isinstance(self._answer, AwsError):
            raise self._answer
        return self._answer

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        yield self.call(service, operation, **parameters)

    def endpoint(self, service: str) -> str:
        raise AssertionError(service)

    def signature(self) -> Signature:
        return NO_SIGNATURE

    def presigned(self, service: str, url: str, *, seconds: int) -> str:
        raise AssertionError(service)


def no_doubt(_database: Database, _user: str) -> str:
    return ""


def test_redshift_gives_a_password_for_a_user_or_for_the_caller() -> None:
    ends = datetime.now(UTC) + timedelta(seconds=900)
    gateway = Answering({"DbUser": "IAM:analyst", "DbPassword": NEEDLE, "Expiration": ends})
    db = database("dw", kind=Kind.REDSHIFT, engine="redshift", database="dev", user="admin")
    named = read_credentials(gateway, db, PasswordMeans.TOKEN, "analyst", no_doubt)
    assert (named.user, named.password.reveal()) == ("IAM:analyst", NEEDLE)
    assert 890 < named.seconds <= 900
    read_credentials(gateway, db, PasswordMeans.TOKEN, "", no_doubt)
    common = {"ClusterIdentifier": "dw", "DurationSeconds": 900, "DbName": "dev"}
    assert gateway.asked == [
        ("redshift", "get_cluster_credentials", {**common, "DbUser": "analyst", "AutoCreate": False}),
        ("redshift", "get_cluster_credentials_with_iam", common),
    ]


def test_a_workgroup_gives_a_password_for_the_caller_alone() -> None:
    gateway = Answering({"dbUser": "IAMR:role", "dbPassword": NEEDLE, "expiration": None})
    db = database("wg", kind=Kind.REDSHIFT_SERVERLESS, engine="redshift", database="dev", parent="namespace")
    found = read_credentials(gateway, db, PasswordMeans.TOKEN, "", no_doubt)
    assert (found.user, found.password.reveal(), found.seconds) == ("IAMR:role", NEEDLE, 900)
    assert gateway.asked == [
        ("redshift-serverless", "get_credentials", {"workgroupName": "wg", "durationSeconds": 900, "dbName": "dev"})
    ]
    with pytest.raises(TargetError, match="own IAM identity"):
        read_credentials(gateway, db, PasswordMeans.TOKEN, "somebody", no_doubt)


@pytest.mark.parametrize(
    ("answer", "user"),
    [
        ({"SecretString": f'{{"username": "master", "password": "{NEEDLE}"}}'}, "master"),
        ({"SecretString": NEEDLE}, "app"),
        ({"SecretBinary": NEEDLE.encode()}, "app"),
    ],
)
def test_a_secret_is_read_by_its_arn(answer: Mapping[str, Any], user: str) -> None:
    gateway = Answering(answer)
    found = read_credentials(gateway, database(secret_arn=ARN), PasswordMeans.SECRET, "", no_doubt)
    assert (found.user, found.password.reveal(), found.seconds) == (user, NEEDLE, 0)
    assert gateway.asked == [("secretsmanager", "get_secret_value", {"SecretId": ARN})]
    assert read_credentials(gateway, database(secret_arn=ARN), PasswordMeans.SECRET, "me", no_doubt).user == "me"


@pytest.mark.parametrize("answer", [{}, {"SecretBinary": b"\xff\xfe\xfd"}, {"SecretString": "{}"}])
def test_a_secret_that_cannot_be_used(answer: Mapping[str, Any]) -> None:
    with pytest.raises((TargetError, AwsError)) as raised:
        read_credentials(Answering(answer), database(secret_arn=ARN), PasswordMeans.SECRET, "", no_doubt)
    assert raised.value.hint


# Who may


def identity(arn: str = "arn:aws:iam::123456789012:user/dev") -> tuple[Caller, str]:
    return Caller("123456789012", arn), "AIDAEXAMPLE"


class Simulating(Answering):
    """IAM's simulation with one decision for all."""

    def __init__(self, decision: str) -> None:
        super().__init__({})
        self._decision = decision

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        super().call(service, operation, **parameters)
        if operation == "get_context_keys_for_principal_policy":
            return {"ContextKeyNames": []}
        results = [
            {"EvalActionName": action, "EvalDecision": self._decision, "EvalResourceName": arn, "MatchedStatements": []}
            for action in parameters["ActionNames"]
            for arn in parameters["ResourceArns"]
        ]
        return {"EvaluationResults": results}


IAM_DB: dict[str, Any] = {"iam_auth": True, "account": "123456789012", "resource_id": "db-ABC"}


def test_a_login_that_iam_allows_is_not_doubted() -> None:
    gateway = Simulating("allowed")
    assert doubt(gateway, identity, database(**IAM_DB), "app") == ""
    assert gateway.asked[-1][2]["ActionNames"] == ["rds-db:connect"]
    assert gateway.asked[-1][2]["ResourceArns"] == ["arn:aws:rds-db:ap-northeast-2:123456789012:dbuser:db-ABC/app"]


def test_a_login_that_iam_denies_is_said() -> None:
    said = doubt(Simulating("implicitDeny"), identity, database(**IAM_DB), "app")
    assert said.startswith("it will not be taken: rds-db:connect as app: ")


@pytest.mark.parametrize(
    ("facts", "arns"),
    [
        ({**CACHE, "parent": "sessions"}, ["replicationgroup:sessions", "user:app"]),
        ({**CACHE, "endpoint": "o.serverless.x.cache.amazonaws.com"}, ["serverlesscache:orders", "user:app"]),
        ({**CACHE, "kind": Kind.MEMORYDB}, ["cluster/orders", "user/app"]),
    ],
)
def test_a_cache_is_asked_about_with_its_user(facts: dict[str, Any], arns: list[str]) -> None:
    gateway = Simulating("allowed")
    assert doubt(gateway, identity, database(account="123456789012", **facts), "app") == ""
    asked = gateway.asked[-1][2]
    assert [arn.split(":123456789012:")[1] for arn in asked["ResourceArns"]] == arns


def test_what_iam_does_not_tell_is_said() -> None:
    denied = AccessDeniedError("no", "", action="iam:GetContextKeysForPrincipalPolicy")
    said = doubt(Answering(denied), identity, database(**IAM_DB), "app")
    assert said == "whether you may log in as app is not known: iam:GetContextKeysForPrincipalPolicy is denied"
    nameless = doubt(Simulating("allowed"), identity, database(iam_auth=True), "app")
    assert "does not say which resource" in nameless


def test_the_root_user_may_everything() -> None:
    root = identity("arn:aws:iam::123456789012:root")
    assert doubt(Answering(AwsError("not asked")), lambda: root, database(**IAM_DB), "app") == ""


# On the wire


def test_the_password_that_rds_manages(admin: Administrator) -> None:
    cloud = cloud_of(admin.profile(allow("rds:Describe*", "secretsmanager:GetSecretValue")))
    pages = list(cloud.database_pages())
    (ledger,) = (each for page in pages for each in page.databases if each.id == "ledger")
    secret = admin.client("secretsmanager").get_secret_value(SecretId=ledger.secret_arn)["SecretString"]
    found = cloud.credentials(ledger, PasswordMeans.SECRET)
    assert found.user == "ledger"
    assert f'"{found.password.reveal()}"' in secret


def test_a_secret_that_may_not_be_read_is_said_with_what_to_ask_for(admin: Administrator) -> None:
    cloud = cloud_of(admin.profile(allow("rds:Describe*")))
    (ledger,) = (each for page in cloud.database_pages() for each in page.databases if each.id == "ledger")
    with pytest.raises(AccessDeniedError) as raised:
        cloud.credentials(ledger, PasswordMeans.SECRET)
    assert raised.value.action == "secretsmanager:GetSecretValue"
    assert "ask for a policy" in raised.value.hint


def test_a_login_by_token_is_doubted_by_the_callers_own_policies(admin: Administrator) -> None:
    looking = allow("rds:Describe*", *SIMULATING)
    may = allow("rds-db:connect", resource="arn:aws:rds-db:*:*:dbuser:*/reader")
    cloud = cloud_of(admin.profile(looking, may))
    (orders,) = (each for page in cloud.database_pages() for each in page.databases if each.id == "orders")
    assert cloud.credentials(orders, PasswordMeans.TOKEN, "reader").doubt == ""
    assert "rds-db:connect as app" in cloud.credentials(orders, PasswordMeans.TOKEN, "app").doubt
    blind = cloud_of(admin.profile(may))
    assert "is not known" in blind.credentials(orders, PasswordMeans.TOKEN, "reader").doubt


def test_redshifts_passwords(admin: Administrator) -> None:
    redshift = admin.client("redshift")
    redshift.create_cluster(
        ClusterIdentifier="of-a-test", NodeType="ra3.large", MasterUsername="admin", MasterUserPassword="Secret123"
    )
    try:
        cloud = cloud_of(admin.profile(allow("redshift:GetClusterCredentials")))
        db = database("of-a-test", context=cloud.context, kind=Kind.REDSHIFT, engine="redshift", database="dev")
        found = cloud.credentials(db, PasswordMeans.TOKEN, "analyst")
        assert found.user.endswith("analyst")
        assert found.password.reveal()
        assert 0 < found.seconds <= 900
    finally:
        redshift.delete_cluster(ClusterIdentifier="of-a-test", SkipFinalClusterSnapshot=True)
