"""The cloud as a process: its exports, a command inside it, and nothing left after any ending."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ssm_tui.demo.__main__ import main
from ssm_tui.demo.environment import read_line, shell_lines
from ssm_tui.demo.runner import DemoError, DemoProcess
from ssm_tui.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEMO = [sys.executable, "-m", "ssm_tui.demo"]
_PATIENCE = 30.0


def _left_behind(folder: Path) -> list[str]:
    """Demo folders below the temporary folder, and processes that have it in their environment or arguments."""
    found = [str(each) for each in folder.iterdir() if each.name.startswith("ssm-tui-demo-")]
    marks = str(folder).encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            texts = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if marks in texts and state != "Z" and int(process.name) != os.getpid():
            found.append(texts[:80].decode(errors="replace"))
    return found


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A temporary folder of the test's own, which every process of its cloud carries in its environment as TMPDIR."""
    with tempfile.TemporaryDirectory(prefix="demo-test-", ignore_cleanup_errors=True) as folder:
        # The server behind runs as another user where tests run as root.
        Path(folder).chmod(0o711)
        yield Path(folder)


def _nothing_left(folder: Path) -> None:
    """Waits for the last process and file to go."""
    deadline = time.monotonic() + _PATIENCE
    while (left := _left_behind(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


@contextlib.contextmanager
def _running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone at the end whatever the test found."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"TMPDIR": str(folder)}


def test_exports_lead_to_the_cloud_and_away_from_the_users_own(demo_cloud: DemoProcess, tmp_path: Path) -> None:
    exports = demo_cloud.environment
    assert {
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "DEMO_ADMIN_ACCESS_KEY_ID",
        "DEMO_ADMIN_SECRET_ACCESS_KEY",
        "DEMO_PSQL",
        "DEMO_DB_PASSWORD",
    } <= set(exports)
    assert Path(exports["DEMO_PSQL"]).exists()
    assert Path(exports["AWS_SHARED_CREDENTIALS_FILE"]).stat().st_mode & 0o077 == 0
    aws = [str(Path(sys.executable).parent / "aws")]
    users_own = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "AWS_PROFILE": "work-sso",
        "AWS_SESSION_TOKEN": "token",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    identity = subprocess.run(
        [*aws, "sts", "get-caller-identity", "--query", "Arn", "--output", "text"],
        env=users_own | exports,
        capture_output=True,
        text=True,
        check=True,
    )
    assert identity.stdout.strip().endswith(":user/developer")
    listed = subprocess.run(
        [*aws, "ssm", "describe-instance-information", "--query", "length(InstanceInformationList)"],
        env=users_own | exports,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(listed.stdout) >= 47
    named = subprocess.run(
        [*aws, "--profile", "administrator", "iam", "list-users", "--query", "length(Users)"],
        env=users_own | exports,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(named.stdout) >= 2


def test_exports_survive_a_shell() -> None:
    variables = {"PLAIN": "x", "EMPTY": "", "ODD": "it's $HOME\nand `more`"}
    lines = shell_lines(variables)
    assert dict(filter(None, map(read_line, lines))) == variables
    script = "\n".join([*lines, 'printf %s "$ODD"'])
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == variables["ODD"]
    assert lines[:2] == ["export PLAIN=x", "export EMPTY="]
    assert read_line("# ready") is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_after_a_signal(own_folder: Path, number: signal.Signals) -> None:
    with _running(
        _DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment(own_folder)
    ) as cloud:
        assert cloud.stdout is not None
        assert cloud.stdout.readline().startswith("export AWS_ENDPOINT_URL=http://127.0.0.1:")
        assert _left_behind(own_folder) != []
        cloud.send_signal(number)
        status = cloud.wait(_PATIENCE)
        assert status == (-number if number is signal.SIGKILL else 128 + number)
        assert all(line.startswith("export ") for line in cloud.stdout.read().splitlines())
        assert cloud.stderr is not None
        assert cloud.stderr.read() == ""
    _nothing_left(own_folder)


def test_an_ending_during_the_start_is_an_ending(own_folder: Path) -> None:
    with _running(
        [*_DEMO, "--progress"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment(own_folder)
    ) as cloud:
        assert cloud.stderr is not None
        cloud.stderr.readline()
        cloud.send_signal(signal.SIGHUP)
        assert cloud.wait(_PATIENCE) == 128 + signal.SIGHUP
        assert cloud.stdout is not None
        assert cloud.stdout.read() == ""
    _nothing_left(own_folder)


_NOBODY_COMES = """
import os, time, boto3
from ssm_tui.demo.fault_client import FaultClient
ec2, ssm, faults = boto3.client("ec2"), boto3.client("ssm"), FaultClient(os.environ)
found = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web-6"]}])
ssm.start_session(Target=found["Reservations"][0]["Instances"][0]["InstanceId"])
deadline = time.monotonic() + 30
while faults.sessions() and time.monotonic() < deadline:
    time.sleep(0.05)
print("left", len(faults.sessions()))
"""


def test_a_command_has_the_cloud_of_its_options_which_ends_with_its_owner(own_folder: Path) -> None:
    """A session whose client never comes is over when the patience asked for is; what runs the command is killed."""
    script = f'echo $AWS_ENDPOINT_URL $AWS_PROFILE $AWS_REGION; {shlex.quote(sys.executable)} -c "$0"; exec cat'
    with _running(
        [*_DEMO, "--client-patience", "0.5", "--", "sh", "-c", script, _NOBODY_COMES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(own_folder),
    ) as owner:
        assert owner.stdout is not None
        url, *others = shlex.split(owner.stdout.readline())
        assert url.startswith("http://127.0.0.1:")
        assert others == ["default", "ap-northeast-2"]
        assert owner.stdout.readline() == "left 0\n"
        owner.kill()
    _nothing_left(own_folder)


_WITHOUT_A_CLOUD = """
import sys
from contextlib import nullcontext
from types import SimpleNamespace
from ssm_tui.cli import main
from ssm_tui.demo import runner
runner.DemoProcess = lambda **_: nullcontext(SimpleNamespace(environment={"DEMO": "here"}))
sys.exit(main(sys.argv[1:]))
"""


def test_a_command_gives_its_status_and_of_a_signal_128_and_its_number() -> None:
    """SIGTERM is passed on to the command, whose end is the demo's."""
    demo = [sys.executable, "-c", _WITHOUT_A_CLOUD, "demo", "--", "sh", "-c"]
    done = subprocess.run([*demo, 'echo "$DEMO"; exit 7'], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "here\n", "")
    with _running([*demo, "echo up; exec sleep 45"], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(_PATIENCE) == 128 + signal.SIGTERM


@pytest.mark.parametrize("before", [[], ["--"]])
def test_a_command_that_is_not_there(before: list[str]) -> None:
    with pytest.raises(PrerequisiteError, match="no-such-command-here") as caught:
        main([*before, "no-such-command-here", "--", "x"])
    assert caught.value.hint


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssm_tui.demo.__main__.find_spec", lambda name: None if name == "moto" else object())
    with pytest.raises(PrerequisiteError, match="moto") as caught:
        main([])
    assert caught.value.hint == "install them with: pip install 'ssm-tui[demo]'"


def test_a_start_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DemoError, match="did not start: exit status 1"):
        DemoProcess().start()
