"""Whose rows a profile reads, as far as files and environment tell: what must differ, and what must not."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from ssm_tui.aws.origin import asked, origin, owner

CONFIG = """
[default]
region = eu-west-1
sso_account_id = 111111111111

[profile prod]
role_arn = arn:aws:iam::222222222222:role/reader
source_profile = default

[profile "with space"]
credential_process = /bin/keys
services = mine

[services mine]
ssm =
  endpoint_url = https://one.example
"""
KEYS = """
[static]
aws_access_key_id = {key}
aws_secret_access_key = never-looked-at
"""


def key_of(account: int, tail: bytes = b"\x00\x00\x00\x00\x00") -> str:
    """An access key's id as AWS makes them since 2019, with the account in it."""
    return "ASIA" + base64.b32encode(((1 << 47) | (account << 7)).to_bytes(6) + tail[:4]).decode()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "credentials").write_text(KEYS.format(key=key_of(333333333333)))
    return {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }


def edit(environment: dict[str, str], file: str, old: str, new: str) -> None:
    path = Path(environment[file])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("profile", "old", "new"),
    [
        ("prod", "222222222222", "444444444444"),
        (None, "111111111111", "444444444444"),
        ("with space", "/bin/keys", "/bin/others"),
        ("with space", "one.example", "two.example"),
    ],
)
def test_another_account_role_process_or_endpoint_is_another_origin(
    environment: dict[str, str], profile: str | None, old: str, new: str
) -> None:
    before = origin(profile, environment)
    assert origin(profile, environment) == before
    edit(environment, "AWS_CONFIG_FILE", "region = eu-west-1", "region = eu-west-2\noutput = json")
    assert origin(profile, environment) == before
    edit(environment, "AWS_CONFIG_FILE", old, new)
    assert origin(profile, environment) != before


def test_keys_of_another_account_are_another_origin_and_new_ones_of_the_same_are_not(
    environment: dict[str, str],
) -> None:
    before = origin("static", environment)
    file = Path(environment["AWS_SHARED_CREDENTIALS_FILE"])
    file.write_text(KEYS.format(key=key_of(333333333333, b"\x7f\xff\xff\xff")).replace("never", "other"))
    assert origin("static", environment) == before
    file.write_text(KEYS.format(key=key_of(333333333334)))
    assert origin("static", environment) != before


def test_an_account_is_read_from_a_key_as_moto_puts_it_there_and_otherwise_the_whole_id_stands() -> None:
    from moto.iam.utils import generate_access_key_id_from_account_id as generate

    ids = {
        account: {owner(generate(account, "AKIA")) for _ in range(5)} for account in ("123456789012", "123456789014")
    }
    assert {len(owners) for owners in ids.values()} == {1}
    assert ids["123456789012"] != ids["123456789014"]
    for strange in ("test", "", "AKIA", "AKIA!!!!!!!!!!!!!!!!", "ключ" * 5):
        assert owner(strange) == strange


def test_the_environments_keys_count_unless_a_profile_is_named(environment: dict[str, str]) -> None:
    one, other = ({**environment, "AWS_ACCESS_KEY_ID": key_of(account)} for account in (5, 6))
    assert len({origin(None, each) for each in (environment, one, other)}) == 3
    assert origin("prod", environment) == origin("prod", one) == origin("prod", other)


def test_an_endpoint_in_the_environment_counts_for_all(environment: dict[str, str]) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM"):
        assert origin("prod", {**environment, name: "http://127.0.0.1:1"}) != origin("prod", environment)


def test_files_that_are_missing_or_broken_are_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "config"
    environment = {"AWS_CONFIG_FILE": str(file), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "absent")}
    for data in (b"no section = 1", b"\xff\xfe", b"[a\n[b]]", b'[profile "open]\nrole_arn = x\n', b"[]\nx = 1"):
        file.write_bytes(data)
        assert len(origin("open", environment)) == 32


def test_no_key_can_be_read_from_an_origin(environment: dict[str, str]) -> None:
    assert key_of(333333333333) not in origin("static", environment)


def test_a_choice_is_profiles_regions_and_what_stands_for_them() -> None:
    choices = [
        asked([], [], {}),
        asked(["a"], [], {}),
        asked([], ["a"], {}),
        asked([], [], {"AWS_PROFILE": "a"}),
        asked([], [], {"AWS_REGION": "a"}),
        asked([], [], {"AWS_ACCESS_KEY_ID": "a"}),
    ]
    assert len(set(choices)) == len(choices)
    assert asked([], [], {"HOME": "/x"}) == choices[0]
