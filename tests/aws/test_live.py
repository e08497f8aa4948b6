"""Which contexts there are, by profiles, regions and environment; and what a caller without any gets."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ssm_tui.aws.live import AwsCloud, AwsClouds
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.sessions import shell
from ssm_tui.errors import AwsError, CredentialsError, NetworkError, RegionError

CONFIG = """
[default]
region = eu-west-1
[profile dev]
region = us-east-1
[profile bare]
"""


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An AWS configuration without credentials, and nothing in the environment beyond it."""
    for name in ("PROFILE", "DEFAULT_PROFILE", "REGION", "DEFAULT_REGION", "ACCESS_KEY_ID", "ENDPOINT_URL"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_profiles_times_regions(laptop: pytest.MonkeyPatch) -> None:
    clouds = AwsClouds(["dev", "bare", "dev"], ["us-east-1", "eu-north-1"])
    assert clouds.contexts() == tuple(Context(p, r) for p in ("dev", "bare") for r in ("us-east-1", "eu-north-1"))


def test_a_profiles_own_region(laptop: pytest.MonkeyPatch) -> None:
    assert AwsClouds().contexts() == (Context(None, "eu-west-1"),)
    assert AwsClouds(["dev"]).contexts() == (Context("dev", "us-east-1"),)


def test_the_environment_names_region_and_profile(laptop: pytest.MonkeyPatch) -> None:
    laptop.setenv("AWS_REGION", "ap-northeast-2")
    assert AwsClouds(["dev"]).contexts() == (Context("dev", "ap-northeast-2"),)
    laptop.setenv("AWS_PROFILE", "bare")
    assert AwsClouds().contexts() == (Context("bare", "ap-northeast-2"),)
    # Keys in the environment come before a profile, as they do in the SDK.
    laptop.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    assert AwsClouds().contexts() == (Context(None, "ap-northeast-2"),)


def test_no_region(laptop: pytest.MonkeyPatch) -> None:
    with pytest.raises(RegionError, match="'bare'"):
        AwsClouds(["bare"]).contexts()


def test_an_unknown_profile(laptop: pytest.MonkeyPatch) -> None:
    for regions in ([], ["us-east-1"]):
        with pytest.raises(CredentialsError) as caught:
            AwsClouds(["nobody"], regions).contexts()
        assert "default, dev, bare" in caught.value.hint


def test_the_same_context_is_opened_once(laptop: pytest.MonkeyPatch) -> None:
    clouds = AwsClouds()
    assert clouds.open(Context("dev", "us-east-1")) is clouds.open(Context("dev", "us-east-1"))


def test_no_credentials(laptop: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsError, match="no AWS credentials were found for profile 'dev'"):
        AwsCloud(Context("dev", "us-east-1")).identify()


def test_no_network_is_told_soon(laptop: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    laptop.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    laptop.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    laptop.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(NetworkError, match=url):
        AwsCloud(Context(None, "us-east-1")).identify()


@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b"{}", b""])
def test_a_portal_that_answers_in_awss_place(laptop: pytest.MonkeyPatch, body: bytes) -> None:
    class Portal(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    laptop.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    laptop.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        laptop.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        cloud = AwsCloud(Context(None, "us-east-1"))
        for call in (cloud.identify, lambda: cloud.start_session(shell(cloud.context, "i-1"))):
            with pytest.raises(AwsError, match="not AWS"):
                call()
        server.shutdown()


def test_an_endpoint_that_is_no_url(laptop: pytest.MonkeyPatch) -> None:
    laptop.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    laptop.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    laptop.setenv("AWS_ENDPOINT_URL", "garbage")
    with pytest.raises(NetworkError) as caught:
        AwsCloud(Context(None, "us-east-1")).identify()
    assert "AWS_ENDPOINT_URL" in caught.value.hint


def test_a_region_that_is_none(laptop: pytest.MonkeyPatch) -> None:
    laptop.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    laptop.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(RegionError, match="not a region"):
        AwsCloud(Context(None, "us east 1!")).identify()
