"""Settings: every key checked, every wrong value named, project files kept in their place."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ssm_tui.config import PROJECT_FILE, Settings, find_project_file, load, paths
from ssm_tui.domain.own import OwnDatabase
from ssm_tui.domain.saved import SavedTunnel
from ssm_tui.errors import ConfigError


def settings(tmp_path: Path, text: str, **environment: str) -> Settings:
    """The settings of a user's file with this text."""
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load(environment=environment, folder=tmp_path, user_file=file)


def test_without_files_everything_is_as_declared(tmp_path: Path) -> None:
    assert load(environment={}, folder=tmp_path, user_file=tmp_path / "none") == Settings()


def test_every_key(tmp_path: Path) -> None:
    text = """
profiles = ["dev", "prod admin"]
regions = ["ap-northeast-2", "us-gov-west-1"]
columns = ["env", "Cost Center"]
theme = "monochrome"
launcher = "direct"
plugin = "ours"
sessions_per_tunnel = 2
wait_seconds = 5
refresh_seconds = 0
shell_document = "TeamShell"

[databases.legacy]
host = "db.internal"
engine = "postgres"
relay = "web-1"
user = "app"
database = "shop"
profile = "prod admin"
region = "us-gov-west-1"
tls = true
secret = "legacy/app"

[databases.oddity]
host = "10.9.8.7"
port = 7000
vpc = "vpc-0e1"

[tunnels.orders]
database = "orders"
relay = "web-1"
profile = "prod admin"
region = "us-gov-west-1"
local_port = 15432
on_demand = true
width = 8
probe_every = 60
bind = "192.168.1.20"

[tunnels."web admin"]
target = "i-0a1b2c3d4e5f60718"
port = 8080
host = "admin.internal"

[groups]
pay = ["orders", "web admin"]

[filters]
prod = "env=prod ping:online"
"""
    assert settings(tmp_path, text) == Settings(
        profiles=("dev", "prod admin"),
        regions=("ap-northeast-2", "us-gov-west-1"),
        columns=("env", "Cost Center"),
        theme="monochrome",
        launcher="direct",
        plugin="ours",
        sessions_per_tunnel=2,
        wait_seconds=5.0,
        refresh_seconds=0.0,
        shell_document="TeamShell",
        databases=(
            OwnDatabase(
                name="legacy",
                host="db.internal",
                port=5432,
                engine="postgres",
                relay="web-1",
                user="app",
                database="shop",
                profile="prod admin",
                region="us-gov-west-1",
                tls=True,
                secret="legacy/app",
            ),
            OwnDatabase(name="oddity", host="10.9.8.7", port=7000, vpc="vpc-0e1"),
        ),
        tunnels=(
            SavedTunnel(
                name="orders",
                database="orders",
                relay="web-1",
                profile="prod admin",
                region="us-gov-west-1",
                local_port=15432,
                on_demand=True,
                width=8,
                probe_every=60.0,
                bind="192.168.1.20",
            ),
            SavedTunnel(name="web admin", target="i-0a1b2c3d4e5f60718", port=8080, host="admin.internal"),
        ),
        groups={"pay": ("orders", "web admin")},
        filters={"prod": "env=prod ping:online"},
    )


@pytest.mark.parametrize(
    ("text", "key", "value", "allowed"),
    [
        ('launcher = "bash"', "launcher", "'bash'", "auto, aws, direct"),
        ('shell_document = "rm -rf"', "shell_document", "'rm -rf'", "the name or ARN of a session document"),
        ("plugin = 1", "plugin", "1", "auto, aws, ours"),
        ('profiles = "dev"', "profiles", "'dev'", "list of profile names"),
        ("profiles = [1]", "profiles", "[1]", "list of profile names"),
        ('profiles = [""]', "profiles", "['']", "list of profile names"),
        ('regions = ["Seoul"]', "regions", "['Seoul']", "list of regions"),
        ('regions = ["us-east-1a"]', "regions", "['us-east-1a']", "list of regions"),
        ('columns = ["a\\u001b"]', "columns", "x1b", "list of tag"),
        ("theme = true", "theme", "True", "theme's name"),
        ("sessions_per_tunnel = 9", "sessions_per_tunnel", "9", "from 1 to 8"),
        ("sessions_per_tunnel = true", "sessions_per_tunnel", "True", "from 1 to 8"),
        ("wait_seconds = -1", "wait_seconds", "-1", "from 0 to 600"),
        ("refresh_seconds = 5", "refresh_seconds", "5", "from 10 up, or 0"),
        ("clipboard_seconds = 1", "clipboard_seconds", "1", "from 5 to 3600, or 0"),
        ("client_linger_seconds = -1", "client_linger_seconds", "-1", "from 0 to 86400"),
        ('clients = "psql"', "clients", "'psql'", "a table of programs"),
        ('clients.postgres = "bash"', "clients.postgres", "'bash'", "pgcli, psql"),
        ('clients.postgres = ""', "clients.postgres", "''", "or the path of one"),
        ('clients.pg = "psql"', "clients.pg", "'psql'", "protocols are postgres"),
        ('production = " "', "production", "' '", "a filter of nodes and databases"),
        ('production = "ping:online"', "production", "'ping' is not a field (column 1)", "fields are"),
        ("wait_seconds = nan", "wait_seconds", "nan", "from 0 to 600"),
        ("databases = 1", "databases", "1", "[databases.legacy]"),
        ("[databases]\na = 1", "databases.a", "1", "a table"),
        ('[databases.a]\nhost = "a b"', "databases.a.host", "'a b'", "a host name"),
        ('[databases.a]\nengine = "db2"', "databases.a.engine", "'db2'", "one of postgres, mysql"),
        ('[databases.a]\nhost = "h"\nport = 0', "databases.a.port", "0", "from 1 to 65535"),
        ('[databases.a]\nhost = "h"\ntls = "yes"', "databases.a.tls", "'yes'", "true where"),
        ("tunnels = 1", "tunnels", "1", "[tunnels.orders]"),
        ("[tunnels]\na = 1", "tunnels.a", "1", "a table"),
        ("[tunnels.a]\ndatabase = 1", "tunnels.a.database", "1", "a database's id"),
        ('[tunnels.a]\ndatabase = "x"\nlocal_port = 0', "tunnels.a.local_port", "0", "from 1 to 65535"),
        ('[tunnels.a]\ndatabase = "x"\nlocal_port = "80"', "tunnels.a.local_port", "'80'", "from 1 to 65535"),
        ('[tunnels.a]\ndatabase = "x"\nwidth = 0', "tunnels.a.width", "0", "from 1 to 8"),
        ('[tunnels.a]\ndatabase = "x"\non_demand = "yes"', "tunnels.a.on_demand", "'yes'", "true or false"),
        ('[tunnels.a]\ndatabase = "x"\nprobe_every = 1', "tunnels.a.probe_every", "1", "from 5 up, or 0"),
        ('[tunnels.a]\ndatabase = "x"\nprobe_every = nan', "tunnels.a.probe_every", "nan", "from 5 up, or 0"),
        ('[tunnels.a]\ndatabase = "x"\nbind = "eth0"', "tunnels.a.bind", "'eth0'", "an address of this machine"),
        ('[tunnels.a]\ndatabase = "x"\nregion = "Seoul"', "tunnels.a.region", "'Seoul'", "a region"),
        ("groups = 1", "groups", "1", "pay = "),
        ("filters = 1", "filters", "1", "prod = "),
        ("[filters]\nx = 1", "filters.x", "1", "a filter, such as"),
        ('[filters]\nx = " "', "filters.x", "' '", "a filter, such as"),
        ('[filters]\nx = "web nope:x"', "filters.x", "'nope' is not a field (column 5)", "fields are"),
        ('[filters]\nx = "@y"', "filters.x", "cannot stand for another (column 1)", "write its words"),
        ("[groups]\npay = []", "groups.pay", "[]", "a list of saved tunnels"),
        ('[groups]\npay = "a"', "groups.pay", "'a'", "a list of saved tunnels"),
        ('[groups]\npay = ["a"]', "groups.pay", "'a'", "none yet"),
        ('[tunnels.b]\ndatabase = "b"\n[groups]\npay = ["a"]', "groups.pay", "called 'a'", "saved tunnels are b"),
        ('[profiles]\nx = "y"', "profiles", "{'x': 'y'}", "list of profile names"),
    ],
)
def test_a_wrong_value_names_key_value_and_what_is_allowed(
    tmp_path: Path, text: str, key: str, value: str, allowed: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    assert f"{key} = " in caught.value.message
    assert value in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert allowed in caught.value.hint
    assert caught.value.exit_status == 2


def test_an_unknown_key_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, 'laucher = "aws"')
    assert "'laucher'" in caught.value.message
    assert "did you mean launcher?" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("[tunnels.a]", ("[tunnels.a]", "neither database nor target and port"), "a tunnel has database"),
        ('[tunnels.a]\ndatabase = "x"\nport = 1', ("[tunnels.a]", "both database and port"), "a tunnel has database"),
        ('[tunnels.a]\ntarget = "x"', ("[tunnels.a]", "no port"), "a tunnel has database"),
        ("[tunnels.a]\nport = 1", ("[tunnels.a]", "no target"), "a tunnel has database"),
        ('[tunnels.a]\ntarget = "x"\nport = 1\nrelay = "y"', ("relay without database",), "a tunnel has database"),
        ('[tunnels.a]\ndatabse = "x"', ("'tunnels.a.databse'",), "did you mean database?"),
        ('[tunnels.-a]\ndatabase = "x"', ("'-a'",), "does not begin with a dash"),
        ('[tunnels."a\\u001b"]\ndatabase = "x"', (r"a\x1b",), "printable"),
        ('[groups]\n" a" = ["b"]', ("' a'",), "without spaces"),
        ('[filters]\n-x = "y"', ("'-x'", "a name in filters"), "does not begin"),
        ('[tunnels.a]\ndatabase = "x"\n[groups]\na = ["a"]', ("'a' is both a group and a tunnel",), "another name"),
    ],
)
def test_tunnels_that_do_not_fit_together(tmp_path: Path, text: str, words: tuple[str, ...], hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    assert all(word in caught.value.message for word in (*words, str(tmp_path)))
    assert hint in caught.value.hint


def test_a_projects_filters_are_added_by_name(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[filters]\na = "mine"\nb = "env=dev"', encoding="utf-8")
    (tmp_path / PROJECT_FILE).write_text('[filters]\na = "team=pay"\nc = "ping:online"', encoding="utf-8")
    found = load(environment={}, folder=tmp_path, user_file=own)
    assert found.filters == {"a": "team=pay", "b": "env=dev", "c": "ping:online"}


def test_a_projects_tunnels_and_groups_are_added_by_name(tmp_path: Path) -> None:
    user = tmp_path / "user.toml"
    user.write_text(
        '[tunnels.a]\ndatabase = "mine"\nbind = "0.0.0.0"\n[tunnels.b]\ndatabase = "b"\n[groups]\nx = ["a"]\ny = ["b"]',
        encoding="utf-8",
    )
    (tmp_path / PROJECT_FILE).write_text(
        '[tunnels.a]\ndatabase = "team"\n[tunnels.c]\ndatabase = "c"\n[groups]\ny = ["a", "c"]\nz = ["b"]',
        encoding="utf-8",
    )
    found = load(environment={}, folder=tmp_path, user_file=user)
    # A tunnel is taken as a whole: nothing of one file's mixes into another's.
    assert found.tunnels == tuple(
        SavedTunnel(name=name, database=database) for name, database in (("a", "team"), ("b", "b"), ("c", "c"))
    )
    assert found.groups == {"x": ("a",), "y": ("a", "c"), "z": ("b",)}


def test_a_projects_group_may_not_have_the_name_of_a_tunnel_of_mine(tmp_path: Path) -> None:
    user = tmp_path / "user.toml"
    user.write_text('[tunnels.a]\ndatabase = "a"\n[tunnels.b]\ndatabase = "b"', encoding="utf-8")
    (tmp_path / PROJECT_FILE).write_text('[groups]\na = ["b"]', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\.ssm-tui\.toml: 'a' is both"):
        load(environment={}, folder=tmp_path, user_file=user)


def test_a_projects_tunnel_may_not_open_a_port_to_the_network(tmp_path: Path) -> None:
    (tmp_path / PROJECT_FILE).write_text('[tunnels.a]\ndatabase = "a"\nbind = "0.0.0.0"', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tunnels\.a\.bind may not be set") as caught:
        load(environment={}, folder=tmp_path, user_file=tmp_path / "none")
    assert "config.toml" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "wrong"), [("port = 1", "[databases.a] has no host"), ('host = "h"', "[databases.a] has no port")]
)
def test_a_database_has_a_host_and_a_port(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, f"[databases.a]\n{text}")
    assert wrong in caught.value.message
    assert "engine" in caught.value.hint


def test_a_projects_databases_are_added_and_name_no_secret(tmp_path: Path) -> None:
    user = tmp_path / "user.toml"
    user.write_text('[databases.a]\nhost = "mine"\nport = 1\nsecret = "s"', encoding="utf-8")
    project = tmp_path / PROJECT_FILE
    project.write_text('[databases.a]\nhost = "team"\nport = 2\n[databases.b]\nhost = "b"\nport = 3', encoding="utf-8")
    found = load(environment={}, folder=tmp_path, user_file=user)
    # One is taken as a whole: a secret of mine does not go to a host of somebody else's.
    assert found.databases == (
        OwnDatabase(name="a", host="team", port=2),
        OwnDatabase(name="b", host="b", port=3),
    )
    project.write_text('[databases.a]\nhost = "team"\nport = 2\nsecret = "s"', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"databases\.a\.secret may not be set"):
        load(environment={}, folder=tmp_path, user_file=user)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"profiles = [", "not TOML"), (b"\xff\xfe", "not UTF-8")],
)
def test_a_file_that_cannot_be_decoded(tmp_path: Path, content: bytes, word: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=word) as caught:
        load(environment={}, folder=tmp_path, user_file=file)
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_a_folder_in_the_files_place_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(environment={}, folder=tmp_path, user_file=tmp_path)


def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    for explicit, environment in ((missing, {}), (None, {"SSM_TUI_CONFIG": str(missing)})):
        with pytest.raises(ConfigError, match=r"no settings file .*missing\.toml"):
            load(explicit, environment=environment, folder=tmp_path)


def test_certificates_to_trust_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "corp.pem").touch()
    assert settings(tmp_path, 'ca_bundle = "~/corp.pem"').ca_bundle == "~/corp.pem"
    with pytest.raises(ConfigError, match=r"ca_bundle = '~/gone\.pem' is not allowed") as caught:
        settings(tmp_path, 'ca_bundle = "~/gone.pem"')
    assert "a file of CA certificates (PEM) that is there" in caught.value.hint
    with pytest.raises(ConfigError, match="SSM_TUI_CA_BUNDLE"):
        settings(tmp_path, 'ca_bundle = "~/corp.pem"', SSM_TUI_CA_BUNDLE=str(tmp_path / "gone"))


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    assert settings(tmp_path, 'launcher = "aws"', SSM_TUI_LAUNCHER="direct").launcher == "direct"
    with pytest.raises(ConfigError, match="SSM_TUI_LAUNCHER"):
        settings(tmp_path, "", SSM_TUI_LAUNCHER="bash")


def test_a_projects_file_is_found_in_parents_and_comes_before_the_users(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / PROJECT_FILE).write_text('profiles = ["team"]', encoding="utf-8")
    (tmp_path / PROJECT_FILE).write_text('profiles = ["far"]', encoding="utf-8")
    user = tmp_path / "user.toml"
    user.write_text('profiles = ["mine"]\nlauncher = "direct"', encoding="utf-8")
    found = load(environment={}, folder=inner, user_file=user)
    assert (found.profiles, found.launcher) == (("team",), "direct")
    assert find_project_file(inner) == tmp_path / "a" / PROJECT_FILE


@pytest.mark.parametrize(
    "key", ["launcher", "plugin", "clients", "production", "clipboard_seconds", "shell_document", "ca_bundle"]
)
def test_a_projects_file_may_not_choose_programs_nor_lift_guards(tmp_path: Path, key: str) -> None:
    (tmp_path / PROJECT_FILE).write_text(f'{key} = "auto"', encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{key} may not be set") as caught:
        load(environment={}, folder=tmp_path, user_file=tmp_path / "none")
    assert "config.toml" in caught.value.hint


def test_a_file_that_is_named_is_read_alone(tmp_path: Path) -> None:
    (tmp_path / PROJECT_FILE).write_text("nonsense", encoding="utf-8")
    only = tmp_path / "only.toml"
    only.write_text('theme = "ssm-light"', encoding="utf-8")
    assert load(only, environment={}, folder=tmp_path, user_file=tmp_path) == Settings(theme="ssm-light")


def test_paths_belong_to_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CONFIG", "CACHE", "STATE", "DATA"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    found = paths()
    for path in (found.config, found.cache, found.log, found.programs, found.state, found.ca_bundle):
        assert tmp_path in path.parents
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="these systems have a place of their own")
def test_what_belongs_to_running_processes_is_never_in_a_folder_of_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert paths().runtime == tmp_path / "ssm-tui"
    for wrong in ("relative", str(tmp_path / "none"), ""):
        monkeypatch.setenv("XDG_RUNTIME_DIR", wrong)
        found = paths()
        assert found.runtime in (found.cache / "run", Path(f"/run/user/{os.getuid()}/ssm-tui"))
