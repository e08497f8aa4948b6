"""A session over stdin and stdout: nothing but its bytes passes, and it ends with whoever uses it."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssm_tui.sessions.piped import Stream

HEAD = b"\nStarting session with SessionId: dev-1\n"
RUN = (
    "import sys;from ssm_tui.domain.sessions import Command;from ssm_tui.sessions import piped;"
    "from ssm_tui.errors import SsmTuiError\n"
    "try: status = piped.run(Command((sys.executable,'-c',sys.argv[1]), session_id='dev-1'))\n"
    "except SsmTuiError as error: sys.exit(f'{type(error).__name__}: {error.message}')\n"
    "except BrokenPipeError: sys.exit('nobody reads')\n"
    "sys.exit(status)"
)
CAT = (
    "import os,sys\n"
    "os.write(1, b'\\nStarting session with SessionId: dev-1\\n')\n"
    "while data := os.read(0, 65536): os.write(1, data)\n"
)


def run(child: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", RUN, child], input=data, capture_output=True, timeout=60, check=False)


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=6), st.booleans())
def test_the_first_line_goes_and_every_other_byte_stays(data: bytes, cuts: list[int], begins: bool) -> None:
    whole = (HEAD if begins else b"") + data
    stream = Stream()
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    passed = b"".join(stream.feed(whole[a:b]) for a, b in pairwise(places)) + stream.end()
    assert passed == data
    assert not stream.words


def test_a_banner_is_not_kept_waiting() -> None:
    stream = Stream()
    assert stream.feed(HEAD) == b""
    assert stream.feed(b"SSH-2.0-x\r\n") == b"SSH-2.0-x\r\n"


@pytest.mark.parametrize("words", ["\n\nExiting session with sessionId: dev-1.\n\n", "\n\nSessionId: dev-1 : idle\n\n"])
def test_last_words_are_not_the_sessions(words: str) -> None:
    stream = Stream()
    assert stream.feed(HEAD + b"bytes\n" + words.encode()) == b"bytes\n"
    assert stream.words == [words.strip()]


def test_binary_data_both_ways_and_the_end_of_input() -> None:
    data = bytes(range(256)) * 40_000
    answer = run(CAT, data)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert answer.stdout == data


@pytest.mark.parametrize("status", [0, 1])
def test_why_the_far_side_was_not_reached(status: int) -> None:
    # AWS's plugin leaves with 0, ours with 1.
    text = "SessionId: dev-1 : Unable to connect to specified port: dial tcp 127.0.0.1:22: connect: connection refused"
    child = f"import sys;print('\\nStarting session with SessionId: dev-1');print('\\n\\n{text}\\n');sys.exit({status})"
    answer = run(child)
    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr.startswith(b"FarEndError: Unable to connect to specified port")


def test_what_the_aws_cli_was_refused() -> None:
    said = "An error occurred (TargetNotConnected) when calling the StartSession operation: i-1 is not connected."
    answer = run(f"import sys;sys.exit({said!r})")
    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr.startswith(b"AwsError: ")


def test_a_program_that_is_not_there() -> None:
    run_nothing = RUN.replace("(sys.executable,'-c',sys.argv[1])", "('no-such-program',)")
    answer = subprocess.run([sys.executable, "-c", run_nothing], capture_output=True, text=True, check=False)
    assert answer.stderr.startswith("PrerequisiteError: no-such-program cannot be started")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_session_in_order(number: signal.Signals) -> None:
    child = (
        "import os,signal,sys,time\n"
        "def end(*_): os.write(1, b'ended'); os._exit(0)\n"
        "signal.signal(signal.SIGTERM, end); os.write(1, b'up\\n'); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", RUN, child], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(number)
        assert process.wait(30) == 128 + number
        assert process.stdout.read() == b"ended"


def test_what_is_left_behind_does_not_keep_us() -> None:
    # As the AWS CLI, which a signal ends and its plugin not.
    child = (
        "import subprocess,sys\n"
        "subprocess.run([sys.executable, '-c', 'import os; os.write(1, b\"up\\\\n\"); os.read(0, 1)'])"
    )
    with subprocess.Popen([sys.executable, "-c", RUN, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM
        process.stdin.close()


def test_without_a_reader_the_session_ends() -> None:
    child = "import os\nwhile True: os.write(1, bytes(65536))"
    with subprocess.Popen(
        [sys.executable, "-c", RUN, child], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(30) == 1
        assert process.stderr.read().strip() == b"nobody reads"
