"""`ls` and `db` against the demo cloud: the contract's keys, text for people and pipes, and what refusals look like."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from ssm_tui.aws.live import AwsClouds
from ssm_tui.cli import main
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.databases import DATABASE_FIELDS
from ssm_tui.domain.filters import parse
from tests.builders import HOSTILE

NODE_KEYS = {"id", "name", "ping", "state", "platform", "agent_version", "ip", "vpc", "subnet", "az", "role", "tags"}
NODE_KEYS |= {"profile", "region", "account", "access"}
DATABASE_KEYS = {"id", "kind", "engine", "version", "endpoint", "port", "role", "vpc", "database", "user", "iam_auth"}
DATABASE_KEYS |= {"subnets", "az", "security_groups", "parent", "tls", "ca", "secret", "resource_id", "status", "tags"}
DATABASE_KEYS |= {"profile", "region", "account", "relay", "reachable", "why"}
VERDICTS = {"allowed", "denied", "unknown"}


@pytest.fixture
def developer(demo_cloud: DemoProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The demo's developer in this process's environment, with an empty home."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    environment = {**demo_cloud.environment, "HOME": str(tmp_path)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return environment


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Somebody without any AWS set-up."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """The JSON of a listing that goes well and says nothing else."""
    assert main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    answer: list[dict[str, Any]] = json.loads(out)
    return answer


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    """Message and hint of a command that fails with status 1 and prints no data."""
    assert main(list(words)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    message, hint = err.splitlines()
    assert message.startswith("ssm-tui: ")
    assert hint.startswith("  ")
    return message, hint


def test_nodes_have_the_contracts_keys(developer: object, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = listed(capsys, "ls")
    assert len(nodes) > 40
    for node in nodes:
        assert set(node) >= NODE_KEYS
        assert set(node["access"]) == {"shell", "forward", "remote", "ssh"}
        assert set(node["access"].values()) <= VERDICTS
        assert isinstance(node["tags"], dict)
        assert "" not in node.values()
    assert {node["ping"] for node in nodes} == {"Online", "ConnectionLost", "Unmanaged"}
    assert {node["name"] for node in nodes} >= {"결제-api-1", "🚀-deploy", HOSTILE}


def test_the_order_is_always_the_same(developer: object, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = ([node["id"] for node in listed(capsys, "ls")] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)


def test_databases_have_the_contracts_keys(developer: object, capsys: pytest.CaptureFixture[str]) -> None:
    databases = {each["id"]: each for each in listed(capsys, "db")}
    for each in databases.values():
        assert set(each) >= DATABASE_KEYS
        assert each["reachable"] in {"yes", "no", "unknown"}
        assert each["why"]
    orders = databases["orders"]
    assert orders["login"] in {"allowed", "denied"}
    assert orders["login_why"].startswith("as orders_iam: ")
    assert {each["login"] for each in databases.values() if each["kind"] in ("docdb", "opensearch")} == {None}
    relay = {node["id"]: node for node in listed(capsys, "ls")}[orders["relay"]]
    assert orders["reachable"] == "yes"
    assert (relay["vpc"], relay["ping"], relay["access"]["remote"]) == (orders["vpc"], "Online", "allowed")


def test_the_facts_of_databases_are_told_and_found(developer: object, capsys: pytest.CaptureFixture[str]) -> None:
    databases = {each["id"]: each for each in listed(capsys, "db")}
    catalog, search, carts = (databases[name] for name in ("catalog/analytics", "product-search", "carts"))
    assert (catalog["role"], catalog["parent"], catalog["az"]) == ("custom", "catalog", databases["catalog-2"]["az"])
    assert (search["kind"], search["engine"], search["version"], search["tls"]) == (
        "opensearch", "opensearch", "2.19", True,
    )  # fmt: skip
    assert carts["tags"] == {"env": "prod", "team": "web"}
    assert carts["vpc"] == databases["orders"]["vpc"]
    clouds = AwsClouds()
    (context,) = clouds.contexts()
    found = [each for page in clouds.open(context).database_pages() for each in page.databases]
    for words, wanted in (
        ("kind:docdb role:reader", {"reviews/reader"}),
        ("cluster:orders-proxy", {"orders-proxy/read-only"}),
        ("tls:yes engine:redshift", {"reports"}),
        ("iam:yes kind:rds", {each["id"] for each in databases.values() if each["iam_auth"] and "rds" in each["kind"]}),
        ("secret:yes", {each["id"] for each in databases.values() if each["secret"]}),
        (f"subnet:{search['subnets'][0]} kind:opensearch", {"product-search"}),
        ("ca:rds-ca", {each["id"] for each in databases.values() if each["ca"]}),
    ):
        assert wanted, words
        matches = parse(words, DATABASE_FIELDS).matches
        assert {each.id for each in found if matches(each)} == wanted, words
    assert [each["id"] for each in listed(capsys, "db", "-f", "kind:docdb role:reader")] == ["reviews/reader"]


def test_databases_of_the_settings_are_listed_too(
    developer: object, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[databases.legacy]\nhost = "db.internal"\nengine = "oracle"\nrelay = "web-1"', encoding="utf-8")
    (legacy,) = listed(capsys, "--config", str(file), "db", "-f", "kind:own")
    web = next(each for each in listed(capsys, "ls") if each["name"] == "web-1")
    assert (legacy["id"], legacy["endpoint"], legacy["port"]) == ("legacy", "db.internal", 1521)
    assert (legacy["relay"], legacy["reachable"]) == (web["id"], "unknown")
    # Once, however many contexts there are.
    everywhere = listed(capsys, "--config", str(file), "-r", "us-east-1", "-r", "ap-northeast-2", "db", "-f", "legacy")
    assert [each["region"] for each in everywhere] == ["us-east-1"]


def test_filters_and_regions(developer: object, capsys: pytest.CaptureFixture[str]) -> None:
    pay = listed(capsys, "ls", "-f", "team=pay access:shell -ping:unmanaged")
    assert {node["tags"]["team"] for node in pay} == {"pay"}
    assert {node["access"]["shell"] for node in pay} == {"allowed"}
    both = listed(capsys, "-r", "us-east-1", "-r", "ap-northeast-2", "ls")
    assert {node["region"] for node in both} == {"us-east-1", "ap-northeast-2"}
    assert [each["id"] for each in listed(capsys, "db", "-f", "engine:mysql")] == ["billing"]
    assert listed(capsys, "ls", "-f", "no-such-thing") == []


def test_a_filter_may_be_a_saved_one(developer: object, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[filters]\npay = "TEAM=Pay ping:online"\n"two words" = "env=prod"', encoding="utf-8")
    settings = ("--config", str(file))
    pay = listed(capsys, *settings, "ls", "-f", "@pay")
    assert pay
    assert pay == listed(capsys, "ls", "-f", "team=pay ping:online")
    both = listed(capsys, *settings, "ls", "-f", '@pay @"two words"')
    assert [node["id"] for node in both] == [node["id"] for node in pay if node["tags"]["env"] == "prod"]
    for words, wrong in (
        (("ls", "-f", "@nobody"), ("'nobody'", "saved are pay, two words")),
        (("ls", "-f-@pay"), ("negated", "its words")),
        (("db", "-f", "@pay"), ("the saved filter pay cannot be used here: 'ping' is not a field", "fields are")),
        (("-f", "@nobody"), ("'nobody'", "saved are")),
    ):
        assert main([*settings, *words]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert all(each in err for each in wrong)


def test_text_is_aligned_and_harmless(developer: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[/x]␛]0;pwned␇" in out
    assert "[bold red]markup[/]" in out
    lines = out.splitlines()
    columns = {cell_len(line[: min(i for i in map(line.find, (" i-", " mi-", " ecs:")) if i >= 0)]) for line in lines}
    assert len(columns) == 1


def test_one_context_that_fails_does_not_hide_the_others(
    developer: Mapping[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = (developer["AWS_ACCESS_KEY_ID"], developer["AWS_SECRET_ACCESS_KEY"])
    config = tmp_path / "aws-config"
    config.write_text(
        f"[profile good]\naws_access_key_id = {keys[0]}\naws_secret_access_key = {keys[1]}\n"
        "[profile bad]\naws_access_key_id = AKIAUNKNOWN\naws_secret_access_key = x\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert main(["-p", "bad", "-p", "good", "ls", "--json"]) == 1
    out, err = capsys.readouterr()
    assert {node["profile"] for node in json.loads(out)} == {"good"}
    message, hint = err.splitlines()
    assert "bad·ap-northeast-2" in message
    assert "does not accept" in message
    assert "AKIAUNKNOWN" not in message + hint


def test_no_credentials(stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    message, hint = refused(capsys, "-r", "us-east-1", "ls")
    assert "no AWS credentials" in message
    assert "--demo" in hint


def test_no_region(stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    message, hint = refused(capsys, "ls")
    assert "no region" in message
    assert "--region" in hint


def test_an_unknown_profile(stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile dev]\n", encoding="utf-8")
    message, hint = refused(capsys, "-p", "nobody", "ls")
    assert "'nobody'" in message
    assert "dev" in hint


def test_an_expired_sign_in(stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[profile dev]\nregion = us-east-1\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.invalid/start\n",
        encoding="utf-8",
    )
    message, hint = refused(capsys, "-p", "dev", "ls")
    assert "sign-in of profile 'dev'" in message
    assert "aws sso login --profile dev" in hint


def test_no_network(stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    for name, value in {"ACCESS_KEY_ID": "AKIA", "SECRET_ACCESS_KEY": "x", "ENDPOINT_URL": url}.items():
        stranger.setenv(f"AWS_{name}", value)
    message, hint = refused(capsys, "-r", "us-east-1", "ls")
    assert f"{url} could not be reached" in message
    assert "network" in hint


def test_settings_choose_contexts(developer: object, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('regions = ["us-east-1"]', encoding="utf-8")
    assert {node["region"] for node in listed(capsys, "--config", str(file), "ls")} == {"us-east-1"}
    own = listed(capsys, "--config", str(file), "-r", "ap-northeast-2", "ls")
    assert {node["region"] for node in own} == {"ap-northeast-2"}


def test_wrong_settings_stop_before_anything(
    stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('launcher = "bash"', encoding="utf-8")
    assert main(["--config", str(file), "ls"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "launcher = 'bash'" in err
    assert "auto, aws, direct" in err


def test_a_reader_that_goes_away_is_no_traceback(developer: Mapping[str, str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ssm_tui", "ls", "--json"],
        env={**os.environ, **developer, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(30) == 1


def test_ctrl_c_ends_a_read_that_hangs_at_once_and_quietly(stranger: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        keys = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(
            [sys.executable, "-m", "ssm_tui", "ls"],
            env={**os.environ, **keys, "AWS_ENDPOINT_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            silent.settimeout(30)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, "", "")
