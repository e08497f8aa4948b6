"""Settings: every key checked, every wrong value named, project files kept in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssm_tui.config import PROJECT_FILE, Settings, find_project_file, load, paths
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
"""
    assert settings(tmp_path, text) == Settings(
        profiles=("dev", "prod admin"),
        regions=("ap-northeast-2", "us-gov-west-1"),
        columns=("env", "Cost Center"),
        theme="monochrome",
        launcher="direct",
        plugin="ours",
    )


@pytest.mark.parametrize(
    ("text", "key", "value", "allowed"),
    [
        ('launcher = "bash"', "launcher", "'bash'", "auto, aws, direct"),
        ("plugin = 1", "plugin", "1", "auto, aws, ours"),
        ('profiles = "dev"', "profiles", "'dev'", "list of profile names"),
        ("profiles = [1]", "profiles", "[1]", "list of profile names"),
        ('profiles = [""]', "profiles", "['']", "list of profile names"),
        ('regions = ["Seoul"]', "regions", "['Seoul']", "list of regions"),
        ('regions = ["us-east-1a"]', "regions", "['us-east-1a']", "list of regions"),
        ('columns = ["a\\u001b"]', "columns", "x1b", "list of tag"),
        ("theme = true", "theme", "True", "theme's name"),
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


@pytest.mark.parametrize("key", ["launcher", "plugin"])
def test_a_projects_file_may_not_choose_programs(tmp_path: Path, key: str) -> None:
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
    for path in (found.config, found.cache, found.log, found.programs):
        assert tmp_path in path.parents
    assert not list(tmp_path.iterdir())
