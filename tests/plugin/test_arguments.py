"""The argument contract of session-manager-plugin, and that what is wrong gets a line and a status, not a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.plugin.arguments import Answer, Invocation, parse
from tests.plugin.recordings import load_json

RECORDED = load_json("stdout.json")["scenarios"]
RESPONSE = json.dumps({"SessionId": "dev-1", "TokenValue": "t0ken", "StreamUrl": "ws://127.0.0.1:1/x"})
TARGET = '{"Target":"i-1","DocumentName":"AWS-StartSSHSession"}'
VARIABLE = "AWS_SSM_START_SESSION_RESPONSE"


@pytest.mark.parametrize(
    ("name", "status"),
    [("--version", 0), ("no arguments", 0), ("one unknown argument", 1), ("operation Foo", 1)],
)
def test_recorded_answers_with_a_status_that_tells_failure(name: str, status: int) -> None:
    recorded = RECORDED[f"args: {name}"]
    assert parse(recorded["argv"], {}) == Answer(recorded["stdout"], status)


@pytest.mark.parametrize("variable", [VARIABLE, f"{VARIABLE}_X"])
def test_the_response_in_the_environment_is_taken_out_of_it(variable: str) -> None:
    environment = {variable: RESPONSE, "OTHER": "1"}
    parsed = parse([variable, "eu-west-1", "StartSession", "dev", TARGET, "http://endpoint"], environment)
    assert parsed == Invocation(
        "dev-1", "ws://127.0.0.1:1/x", "t0ken", "eu-west-1", "dev", "AWS-StartSSHSession", "http://endpoint", "i-1"
    )
    assert environment == {"OTHER": "1"}
    assert "t0ken" not in repr(parsed)


ECS_RESPONSE = json.dumps({"sessionId": "ecs-1", "tokenValue": "t0ken", "streamUrl": "ws://127.0.0.1:1/x"})


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://ecs.eu-west-1.amazonaws.com", ""),
        ("https://ecs-fips.us-east-1.amazonaws.com", ""),
        ("https://ssm.eu-west-1.amazonaws.com", "https://ssm.eu-west-1.amazonaws.com"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
    ],
)
def test_ecs_execute_command_gives_its_own_names_and_endpoint(given: str, used: str) -> None:
    parsed = parse([ECS_RESPONSE, "eu-west-1", "StartSession", "", '{"Target":"ecs:c_t_r"}', given], {})
    assert parsed == Invocation("ecs-1", "ws://127.0.0.1:1/x", "t0ken", "eu-west-1", endpoint=used, target="ecs:c_t_r")


def test_the_response_as_an_argument_and_the_legacy_form_of_three() -> None:
    assert parse([RESPONSE, "r", "StartSession", "", TARGET, ""], {}) == Invocation(
        "dev-1", "ws://127.0.0.1:1/x", "t0ken", "r", "", "AWS-StartSSHSession", "", "i-1"
    )
    assert parse([RESPONSE, "r", "StartSession"], {}) == Invocation("dev-1", "ws://127.0.0.1:1/x", "t0ken", "r")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["{bad", "r", "StartSession", "", TARGET, ""], "argument 1) is not JSON"),
        (["[]", "r", "StartSession", "", TARGET, ""], "argument 1) is not a JSON object"),
        (["[" * 100_000, "r", "StartSession", "", TARGET, ""], "argument 1) is nested too deeply"),
        ([RESPONSE, "r", "StartSession", "", "{bad", ""], "argument 5) is not JSON"),
        ([RESPONSE, "r", "StartSession", "", "{}", ""], "has no Target"),
        ([RESPONSE, "r", "StartSession", "", ""], "argument 5) is not JSON"),
        (['{"SessionId":"s","TokenValue":"t"}', "r", "StartSession", "", TARGET, ""], "has no StreamUrl"),
        (['{"SessionId":"s","StreamUrl":"u"}', "r", "StartSession", "", TARGET, ""], "has no TokenValue"),
        (['{"SessionId":7}', "r", "StartSession", "", TARGET, ""], "has no SessionId"),
        ([VARIABLE, "r", "StartSession", "", TARGET, ""], f"{VARIABLE} is empty or not set"),
    ],
)
def test_what_cannot_be_used_is_one_line_on_stdout(arguments: list[str], reason: str) -> None:
    answer = parse(arguments, {})
    assert isinstance(answer, Answer)
    assert answer.status == 1
    assert answer.text.startswith("Cannot perform start session: ")
    assert answer.text.count("\n") == 1
    assert reason in answer.text


@given(st.lists(st.sampled_from([RESPONSE, TARGET, "StartSession", "", "x", VARIABLE, "null"]) | st.text(), max_size=8))
def test_any_arguments_get_an_answer(arguments: list[str]) -> None:
    parse(arguments, {})


def test_a_broken_response_does_not_show_its_token() -> None:
    answer = parse(['{"TokenValue":"s3cret","SessionId":', "r", "StartSession", "", TARGET, ""], {})
    assert isinstance(answer, Answer)
    assert "s3cret" not in answer.text


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ssm_tui.plugin", *arguments],
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_program_answers_for_its_version_without_loading_what_sessions_need() -> None:
    assert run("--version").stdout == "1.2.764.0\n"
    code = (
        "import sys; from ssm_tui.plugin.__main__ import main; main(['--version'])\n"
        "assert not {'asyncio', 'websockets', 'botocore', 'textual'} & set(sys.modules), 'too much'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_a_session_needs_no_botocore_to_start() -> None:
    code = (
        "import sys; import ssm_tui.plugin.session\n"
        "assert not {'botocore', 'boto3', 'textual'} & set(sys.modules), 'too much'\n"
        "ours = {name for name in sys.modules if name.startswith('ssm_tui.')}\n"
        "assert all(name.startswith('ssm_tui.plugin') for name in ours), ours"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:1/x", "http://127.0.0.1/x", "", "nonsense", "ws://[", "ws://127.0.0.1:x/"]
)
def test_an_address_that_leads_nowhere_is_one_line_and_a_status(url: str) -> None:
    response = json.dumps({"SessionId": "dev-1", "TokenValue": "t0ken", "StreamUrl": url})
    environment = {
        VARIABLE: response,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
    }
    result = run(VARIABLE, "us-east-1", "StartSession", "", TARGET, "http://127.0.0.1:1", environment=environment)
    assert result.returncode == 1
    assert "Cannot perform start session: " in result.stdout
    assert "Traceback" not in result.stderr
    assert "t0ken" not in result.stdout + result.stderr
