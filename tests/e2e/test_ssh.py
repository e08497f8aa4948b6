"""The system's own ssh and scp through our proxy, by the names of ssh-config, to real SSH servers in the demo cloud."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ssm_tui.demo.runner import DemoProcess
from tests.demo_cloud import administrator_of
from tests.e2e.conftest import BARE_PATH, SSM_TUI, Laptop, make_laptop
from tests.e2e.terminal import Terminal, processes

pytestmark = pytest.mark.e2e
USER = "ec2-user"


@pytest.fixture(scope="module")
def web(demo_cloud: DemoProcess) -> str:
    """The id of web-1."""
    ec2 = administrator_of(demo_cloud).client("ec2")
    (reservation,) = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web-1"]}])["Reservations"]
    return str(reservation["Instances"][0]["InstanceId"])


def all_gone(laptop: Laptop) -> bool:
    """Whether everything that was started has ended: ssh does not wait for its ProxyCommand."""
    deadline = time.monotonic() + 20
    while processes(laptop.mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes(laptop.mark)


@dataclass(frozen=True)
class Ssh:
    """OpenSSH on a laptop, with the configuration that we print and a key of its own."""

    laptop: Laptop
    options: tuple[str, ...]

    def run(self, program: str, *words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [program, *self.options, *words],
            env=dict(self.laptop.environment),
            input=data,
            capture_output=True,
            timeout=90,
            check=False,
        )


@pytest.fixture(scope="module")
def configured(demo_cloud: DemoProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and what `ssh-config` prints for it."""
    folder = tmp_path_factory.mktemp("ssh")
    key = folder / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    laptop = make_laptop(demo_cloud.environment, folder, BARE_PATH)
    answer = laptop.run("ssh-config", "--user", USER, "--push-key", f"{key}.pub")
    assert (answer.returncode, answer.stderr) == (0, "")
    (folder / "ssm-tui.config").write_text(answer.stdout, encoding="utf-8")
    return folder


@pytest.fixture
def ssh(laptop: Laptop, configured: Path) -> Ssh:
    settings = {
        "UserKnownHostsFile": str(laptop.home / "known_hosts"),
        "StrictHostKeyChecking": "accept-new",
        "IdentityFile": str(configured / "id_ed25519"),
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
    }
    return Ssh(
        laptop, ("-F", str(configured / "ssm-tui.config"), *(f"-o{name}={value}" for name, value in settings.items()))
    )


def test_commands_files_and_their_statuses_by_name(ssh: Ssh) -> None:
    answer = ssh.run("ssh", "결제-api-1", "echo $((6*7))-far; hostname; cat; exit 7", data=bytes(range(256)))
    assert (answer.returncode, answer.stderr) == (7, b"")
    assert answer.stdout.startswith(b"42-far\nip-10-1-")
    assert answer.stdout.endswith(bytes(range(256)))
    # The host key is remembered by the node's id.
    assert "i-" in (ssh.laptop.home / "known_hosts").read_text()

    content = hashlib.shake_128(b"a file").digest(3_000_000)
    here, back = ssh.laptop.home / "here.bin", ssh.laptop.home / "back.bin"
    here.write_bytes(content)
    assert ssh.run("scp", str(here), "결제-api-1:there.bin").stderr == b""
    answer = ssh.run("ssh", "결제-api-1", "sha256sum < there.bin")
    assert answer.stdout.split()[0] == hashlib.sha256(content).hexdigest().encode()
    assert ssh.run("scp", "결제-api-1:there.bin", str(back)).stderr == b""
    assert back.read_bytes() == content
    assert all_gone(ssh.laptop)


def test_a_shell_by_id(ssh: Ssh, web: str) -> None:
    with Terminal(["ssh", *ssh.options, web], ssh.laptop.environment) as terminal:
        terminal.wait_for("~]$")
        terminal.send("stty size; echo on-$(hostname)", "enter")
        terminal.wait_for("35 120")
        terminal.wait_for("on-ip-10-1-")
        terminal.send("exit", "enter")
        assert terminal.wait_end() == 0
    assert all_gone(ssh.laptop)


def test_a_key_lets_in_for_a_minute_as_one_user_alone(ssh: Ssh) -> None:
    refused = ssh.run("ssh", "-l", "root", "web-1", "true")
    assert refused.returncode == 255
    said = refused.stderr.decode()
    assert "the key was not pushed: you may not call ec2-instance-connect:SendSSHPublicKey" in said
    # The session goes on: it is the far side that does not let in.
    assert "Permission denied (publickey)" in said


def test_without_a_pushed_key_the_nodes_own_list_counts(ssh: Ssh, configured: Path) -> None:
    laptop = ssh.laptop
    public = (configured / "id_ed25519.pub").read_text()
    config = laptop.home / "plain.config"
    config.write_text(laptop.run("ssh-config", "--user", USER, "-f", "name:web-2").stdout, encoding="utf-8")
    plain = Ssh(laptop, ("-F", str(config), *ssh.options[2:]))
    assert b"Permission denied" in plain.run("ssh", "web-2", "true").stderr
    subprocess.run(
        [*SSM_TUI, "shell", "web-2"],
        input=f"mkdir -p ~/.ssh; echo '{public.strip()}' >> ~/.ssh/authorized_keys; exit\n".encode(),
        env=dict(laptop.environment),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert plain.run("ssh", "web-2", "true").returncode == 0
    assert plain.run("ssh", "web-2", "rm ~/.ssh/authorized_keys").returncode == 0


def test_several_regions_are_in_force_for_every_id(laptop: Laptop) -> None:
    regions = ("-r", laptop.environment["AWS_REGION"], "-r", "us-east-1")
    lines = laptop.run(*regions, "ssh-config").stdout.splitlines()
    commands = [line.strip() for line in lines if "ProxyCommand" in line]
    assert any(line.endswith("proxy %h %p --region us-east-1") for line in commands)
    generic = lines.index("Host i-* mi-*")
    assert lines[generic + 1].endswith(f"proxy %h %p --region {regions[1]} --region us-east-1")


def test_what_is_configured(laptop: Laptop) -> None:
    config = laptop.run("ssh-config", "--prefix", "aws-").stdout
    hosts = [line.split() for line in config.splitlines() if line.startswith("Host ")]
    assert hosts[-1] == ["Host", "i-*", "mi-*"]
    assert any(words[1] == "aws-web-1" for words in hosts)
    assert "windows" not in config
    assert "# left out as a name: " in config
    assert "\x1b" not in config
    assert "pay-worker" not in " ".join(" ".join(words) for words in hosts), "two nodes have this name"


# -- the bytes themselves ---------------------------------------------------------------------------------------------


def test_ssh_killed_leaves_no_process(ssh: Ssh) -> None:
    argv = ["ssh", *ssh.options, "web-1", "echo up; exec sleep 1000"]
    with subprocess.Popen(argv, env=dict(ssh.laptop.environment), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
    assert all_gone(ssh.laptop)


def proxy(laptop: Laptop, *words: str, data: bytes = b"", path: str = BARE_PATH) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*SSM_TUI, "proxy", *words],
        env={**laptop.environment, "PATH": path},
        input=data,
        capture_output=True,
        timeout=90,
        check=False,
    )


WITH_AWS_CLI = f"{Path(SSM_TUI[0]).parent}:{BARE_PATH}"


@pytest.mark.parametrize("path", [BARE_PATH, WITH_AWS_CLI], ids=["direct", "aws cli"])
def test_binary_data_both_ways_by_either_launcher(laptop: Laptop, path: str) -> None:
    data = bytes(range(256)) * 2_000
    answer = proxy(laptop, "web-1", "7", data=data, path=path)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert answer.stdout == data
    assert all_gone(laptop)


@pytest.mark.parametrize(
    ("words", "what", "path"),
    [
        (("web-1", "9999"), "connection refused", BARE_PATH),
        (("web-1", "9999"), "connection refused", WITH_AWS_CLI),
        (("검색-index-1", "22"), "ssm:StartSession", BARE_PATH),
        (("검색-index-1", "22"), "ssm:StartSession", WITH_AWS_CLI),
        (("web-lost", "22"), "not connected", BARE_PATH),
    ],
    ids=["port", "port, aws cli", "denied", "denied, aws cli", "lost"],
)
def test_a_line_says_why_and_another_what_to_do(laptop: Laptop, words: tuple[str, str], what: str, path: str) -> None:
    answer = proxy(laptop, *words, path=path)
    assert (answer.returncode, answer.stdout) == (1, b"")
    message, hint = answer.stderr.decode().splitlines()
    assert message.startswith("ssm-tui: ")
    assert what in message
    assert hint.startswith("  ")


def test_a_whole_id_is_not_looked_up(laptop: Laptop, demo_cloud: DemoProcess, web: str) -> None:
    iam = administrator_of(demo_cloud).client("iam")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["ssm:*Session", "ssmmessages:*"], "Resource": "*"}],
    }
    iam.create_user(UserName="ssh-only")
    iam.put_user_policy(UserName="ssh-only", PolicyName="only", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="ssh-only")["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    try:
        narrow = Laptop(laptop.home, {**laptop.environment, **keys}, laptop.mark)
        answer = proxy(narrow, web, "7", data=b"hello")
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"hello", b"")
    finally:
        iam.delete_access_key(UserName="ssh-only", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="ssh-only", PolicyName="only")
        iam.delete_user(UserName="ssh-only")


@pytest.mark.parametrize(
    ("number", "path"),
    [(signal.SIGHUP, BARE_PATH), (signal.SIGKILL, BARE_PATH), (signal.SIGTERM, WITH_AWS_CLI)],
    ids=["hangup", "kill", "aws cli, term"],
)
def test_killed_it_leaves_no_process(laptop: Laptop, number: signal.Signals, path: str) -> None:
    environment = {**laptop.environment, "PATH": path}
    with subprocess.Popen(
        [*SSM_TUI, "proxy", "web-1", "7"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"hello")
        process.stdin.flush()
        assert process.stdout.read(5) == b"hello"
        process.send_signal(number)
        assert process.wait(30) == (-number if number is signal.SIGKILL else 128 + number)
        # Whoever reads sees the end at once, and lets go of it as ssh does.
        assert process.stdout.read() == b""
    assert all_gone(laptop)
