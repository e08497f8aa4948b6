"""The device login against the demo's IAM Identity Center: what comes of it, and who can use the token afterwards."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider

from ssm_tui.aws import sso
from ssm_tui.aws.live import AwsClouds
from ssm_tui.commands.sign_in import SignIns
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.errors import AwsError, CredentialsError

PROFILE = "demo-sso"
CHAIN = """
[profile x]
role_arn = a
source_profile = y
[profile y]
sso_session = s
[sso-session s]
sso_start_url = https://x
sso_region = eu-west-1
sso_registration_scopes = a:b, c
"""


@pytest.fixture
def home(demo_cloud: DemoProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home in the demo's environment."""
    for name, value in demo_cloud.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    # botocore looks at HOME once, when it is imported.
    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws" / "sso" / "cache"))
    return tmp_path


def decide(login: sso.DeviceLogin, decision: str) -> None:
    """What the user does in the browser."""
    with urllib.request.urlopen(login.code.complete_uri) as page:
        assert login.code.user_code in page.read().decode()
    form = urllib.parse.urlencode({"user_code": login.code.user_code, "decision": decision})
    with urllib.request.urlopen(login.code.uri, form.encode()) as page:
        assert page.status == 200


def signed_in(home: Path) -> Path:
    """A login that has been approved; the file of its token."""
    login = SignIns().begin(PROFILE)
    assert isinstance(login, sso.DeviceLogin)
    decide(login, "allow")
    assert login.wait(threading.Event())
    (file,) = (home / ".aws" / "sso" / "cache").iterdir()
    return file


def kept(file: Path) -> dict[str, Any]:
    token = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(token, dict)
    return token


def caller() -> str:
    clouds = AwsClouds([PROFILE])
    return clouds.open(clouds.contexts()[0]).identify().arn


def test_a_login_approved_in_the_browser_is_good_for_us_for_botocore_and_for_the_aws_cli(home: Path) -> None:
    with pytest.raises(CredentialsError, match="has expired or is missing"):
        caller()
    file = signed_in(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert ":assumed-role/AWSReservedSSO_Developer_" in caller()
    command = [sys.executable, "-m", "awscli", "sts", "get-caller-identity", "--profile", PROFILE]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert json.loads(answer.stdout)["Arn"].endswith("/kim")


def test_botocore_refreshes_the_token_that_we_have_kept(home: Path) -> None:
    file = signed_in(home)
    before = kept(file)
    file.write_text(json.dumps(before | {"expiresAt": "2020-01-01T00:00:00Z"}), encoding="utf-8")
    assert ":assumed-role/" in caller()
    after = kept(file)
    assert after["accessToken"] != before["accessToken"]
    assert after["expiresAt"] > before["expiresAt"][:10]
    assert after["clientId"] == before["clientId"]


def test_a_login_that_is_refused_in_the_browser_says_so(home: Path) -> None:
    login = sso.begin(_sso())
    decide(login, "deny")
    with pytest.raises(CredentialsError, match="refused in the browser"):
        login.wait(threading.Event())
    assert not (home / ".aws").exists()


def test_nobody_waits_for_a_login_that_was_given_up(home: Path) -> None:
    login, stop = sso.begin(_sso()), threading.Event()
    stop.set()
    assert not login.wait(stop)
    assert not (home / ".aws").exists()


@pytest.mark.usefixtures("home")
def test_who_asks_too_often_is_slowed_down_and_still_gets_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sso, "INTERVAL", 1.0)
    login = sso.begin(_sso())
    login._interval = 0.01
    assert login._ask() is None  # not yet
    assert login._ask() is None  # too soon
    assert login._interval == 1.01
    decide(login, "allow")
    assert login.wait(threading.Event())


@pytest.mark.usefixtures("home")
def test_a_code_that_is_too_old_is_not_waited_for() -> None:
    login = sso.begin(_sso())
    login._ends = 0.0
    with pytest.raises(CredentialsError, match="not used in time"):
        login.wait(threading.Event())


def test_neither_token_nor_client_secret_is_shown(home: Path) -> None:
    login = sso.begin(_sso())
    decide(login, "allow")
    assert login.wait(threading.Event())
    (file,) = (home / ".aws" / "sso" / "cache").iterdir()
    shown = repr(login) + repr(login.code)
    assert not any(str(kept(file)[name]) in shown for name in ("accessToken", "clientSecret", "refreshToken"))


class _Portal:
    """Answers without what AWS always tells."""

    def create_token(self, **_: object) -> dict[str, object]:
        return {"ResponseMetadata": {}}


@pytest.mark.usefixtures("home")
def test_what_answers_in_the_place_of_aws_is_no_mistake_of_ours() -> None:
    login = sso.begin(_sso())
    login._client, login._interval = _Portal(), 0.01
    with pytest.raises(AwsError, match="not AWS"):
        login.wait(threading.Event())


def test_signing_in_elsewhere_leaves_another_stamp(home: Path) -> None:
    before = SignIns().stamp(PROFILE)
    assert before == SignIns().stamp(PROFILE)
    signed_in(home)
    assert before != SignIns().stamp(PROFILE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[profile x]\nsso_start_url = https://x/start\nsso_region = eu-west-1\n", ("https://x/start", ())),
        ("[profile x]\nsso_session = s\n[sso-session s]\nsso_start_url = https://x/start\nsso_region = eu-west-1\n",
         ("s", ("sso:account:access",))),
        (CHAIN, ("s", ("a:b", "c"))),
        ("[profile x]\nsso_session = s\n", None),
        ("[profile x]\naws_access_key_id = k\n", None),
    ],
)  # fmt: skip
def test_what_profiles_say_of_their_sign_on(
    text: str, expected: tuple[str, tuple[str, ...]] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(text, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    found = sso.source("x").sso
    assert (found and (found.name, found.scopes)) == expected


def _sso() -> sso.Sso:
    found = sso.source(PROFILE).sso
    assert found is not None
    return found
