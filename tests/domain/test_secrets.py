"""What looks like a secret does not come out; what does not is unchanged."""

from __future__ import annotations

import base64
import random
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ssm_tui.domain.secrets import HIDDEN, redacted
from ssm_tui.sessions.reading import ConnectionLost, read, why_ended

LETTERS = string.ascii_letters + string.digits
# What a password may be made of where it stands unquoted.
PASSWORD = st.text(st.sampled_from(LETTERS + "!$%*+.:<>?^_|~-"), min_size=6, max_size=30).filter(
    lambda text: text != HIDDEN
)
SEEDS = st.integers(0, 2**32)


def token(seed: int, size: int, *, urlsafe: bool = False) -> str:
    """Random bytes as base64 writes them."""
    data = random.Random(seed).randbytes(size)
    return (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(data).decode()


@given(
    PASSWORD,
    st.sampled_from(
        [
            "postgresql://app:{}@127.0.0.1:5432/orders",
            "could not open redis://:{}@cache.internal:6379/0",
            "host='127.0.0.1' password='{}' dbname='orders'",
            "PGPASSWORD={} psql -h 127.0.0.1",
            'aws_secret_access_key = "{}"',
            '{{"SessionId": "x", "TokenValue": "{}"}}',
            "wss://ssmmessages.x.amazonaws.com/v1?role=a&X-Amz-Security-Token={}&X-Amz-Date=1",
            "password: {}",
            "SessionToken: {}",
            "Authorization: Bearer {}",
            "jdbc:postgresql://127.0.0.1/orders?user=app&password={}",
            "client_secret={};x",
        ]
    ),
)
def test_a_value_that_is_named_a_secret_is_hidden(password: str, text: str) -> None:
    assume(password not in text)
    said = redacted(text.format(password))
    assert HIDDEN in said
    assert password not in said
    assert said.split("=")[0].split(":")[0] == text.format("").split("=")[0].split(":")[0]


@given(SEEDS, st.integers(48, 800), st.booleans(), st.sampled_from(["{}", "token {}", "x:{}.", "\n{}\n", "<{}>"]))
def test_a_long_token_is_hidden_wherever_it_stands(seed: int, size: int, urlsafe: bool, text: str) -> None:
    secret = token(seed, size, urlsafe=urlsafe)
    assert secret not in redacted(text.format(secret))


@given(SEEDS)
def test_keys_of_aws(seed: int) -> None:
    chosen = random.Random(seed)
    key = chosen.choice(["AKIA", "ASIA"]) + "".join(chosen.choices(string.ascii_uppercase + string.digits, k=16))
    assert key not in redacted(f"the key {key} is not known")


def test_a_secret_access_key_alone() -> None:
    # AWS's own example.
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert redacted(f"called with {secret}, in vain") == f"called with {HIDDEN}, in vain"


def test_a_private_key_is_hidden_even_where_its_end_is_cut_off() -> None:
    begin, body = "-----BEGIN RSA PRIVATE KEY-----", "MIIEow\nAAQ=\n"
    assert (
        redacted(f"{begin}\n{body}-----END RSA PRIVATE KEY----- x") == f"{begin}{HIDDEN}-----END RSA PRIVATE KEY----- x"
    )
    assert body not in redacted(begin + body)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ready 127.0.0.1:5432",
        "ExpiredToken: The security token included in the request is expired",
        "the sign-in of profile 'dev' has expired; aws sso login --profile dev",
        "User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Developers_0123456789abcdef/kim@example.com",
        "is not authorized to perform: ssm:StartSession on arn:aws:ec2:us-east-1:1:instance/i-0a1b2c3d4e5f60718",
        "orders.c9akciq32.ap-northeast-2.rds.amazonaws.com:5432 did not answer within 12 s",
        "Session: kim.minjun@example.com-0123456789abcdef01 connection lost: 1006; resuming.",
        "/home/kim/Projects/payments/infrastructure/environments/production/config2.toml",
        "MyCompany-Production-Database-Relay-Instance-Node-12-Primary",
        "https://ssm.ap-northeast-2.amazonaws.com/ could not be reached",
        "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "digest E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B",
        "결제-api-1 is not connected to Systems Manager",
        "no credentials: sign in, or set a profile",
        "password authentication failed for user app",
        "kms:Decrypt is denied for arn:aws:kms:ap-northeast-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ],
)
def test_ordinary_words_are_as_they_were(text: str) -> None:
    assert redacted(text) == text


@given(st.lists(st.text(st.sampled_from(string.ascii_letters + ",.!?()-/"), max_size=30), max_size=20).map(" ".join))
def test_texts_without_digits_or_signs_are_as_they_were(text: str) -> None:
    if "bearer" not in text.lower():
        assert redacted(text) == text


@given(st.text())
def test_nothing_more_is_found_the_second_time(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


@pytest.mark.parametrize(
    "piece", ["a", "token", "eyJ", "http://a:", "x=", "-----BEGIN PRIVATE KEY-----", "A1b/", "' \""]
)
def test_a_long_text_takes_no_longer_than_its_length_deserves(piece: str) -> None:
    """A search that goes wrong takes minutes for this; pytest's own timeout ends it."""
    for size in (1_000, 60_000):
        redacted(piece * (size // len(piece)))


def test_the_last_words_of_a_session_and_the_words_of_aws_are_looked_through() -> None:
    secret = token(7, 60)
    ended = why_ended(("Starting session with SessionId: x", f"cannot dial wss://x?token={secret}"), 1)
    assert secret not in ended.message + ended.hint
    lost = read(f"Session: x connection lost: {secret}; resuming.")
    assert lost == ConnectionLost(HIDDEN)
