"""Shell and command sessions: real shells, as a client sees them."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from ssm_tui.demo.reaper import inhabitants
from ssm_tui.plugin.framing import MessageType, PayloadType

if TYPE_CHECKING:
    from tests.demo.agent.conftest import Cloud

PROMPT = b"[ssm-user@ip-10-1-4-17 ~]$ "


async def test_a_shell_runs_commands_as_the_node_and_ends_with_exit(cloud: Cloud) -> None:
    order = cloud.order()
    async with await cloud.session(order) as client:
        await client.expect(PROMPT)
        await client.send(b"hostname; whoami; pwd; echo $((6 * 7)) $HOSTNAME\r")
        seen = await client.expect(b"42 ip-10-1-4-17\r\n")
        assert b"ip-10-1-4-17\r\nssm-user\r\n" + str(cloud.folder).encode() in seen
        await client.send(b"exit\r")
        assert await client.end() == ""
    first = client.received[0]
    assert (first.message_type, first.sequence, first.flags) == (MessageType.OUTPUT, 0, 1)
    assert cloud.ended == [(order.session_id, "")]
    assert cloud.gateway.resume(order.session_id) is None


async def test_nothing_of_the_laptop_reaches_the_shell(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-the-node")
    async with await cloud.session(cloud.order()) as client:
        await client.expect(PROMPT)
        await client.send(b"env | sort; echo done-$((1 + 1))\r")
        seen = await client.expect(b"done-2")
    assert b"AWS_" not in seen
    assert os.environ["HOME"].encode() + b"\r" not in seen


async def test_the_window_size_follows_the_client(cloud: Cloud) -> None:
    async with await cloud.session(cloud.order()) as client:
        await client.resize(132, 43)
        await client.expect(PROMPT)
        await client.send(b"stty size\r")
        await client.expect(b"43 132\r\n")
        await client.resize(80, 24)
        await client.send(b"stty size\r")
        await client.expect(b"24 80\r\n")
        for nonsense in (b"{}", b"[1]", b'{"cols":-1,"rows":"x"}', b'{"cols":99999999,"rows":1}', b"\xff"):
            await client.send(nonsense, PayloadType.SIZE)
        await client.send(b"stty size; echo still $((1 + 1))\r")
        assert b"24 80\r\n" in await client.expect(b"still 2\r\n")


async def test_control_characters_reach_the_far_program(cloud: Cloud) -> None:
    async with await cloud.session(cloud.order()) as client:
        await client.expect(PROMPT)
        await client.send(b"sh -c 'echo be''gun; exec sleep 600'\r")
        await client.expect(b"begun\r\n")
        await client.send(b"\x03")
        await client.expect(PROMPT)
        await client.send(b"echo status $?\r")
        await client.expect(b"status 130\r\n")
        await client.send(b"sh -c 'echo be''gun; exec sleep 600'\r")
        await client.expect(b"begun\r\n")
        await client.send(b"\x1a")
        await client.expect(b"Stopped")
        await client.send(b"kill %1; wait; echo gone-$((1 + 1))\r")
        await client.expect(b"gone-2")


async def test_windows_looks_like_powershell(cloud: Cloud) -> None:
    async with await cloud.session(cloud.order(platform="windows")) as client:
        await client.expect(b"PS C:\\Windows\\system32> ")
        await client.send(b"whoami\r")
        await client.expect(b"ip-10-1-4-17\\ssm-user\r\n")


async def test_termination_ends_the_shell_and_its_children(cloud: Cloud) -> None:
    order = cloud.order()
    async with await cloud.session(order) as client:
        await client.expect(PROMPT)
        await client.send(b"sleep 601 & (trap '' HUP; echo rea''dy; sleep 602)\r")
        await client.expect(b"ready\r\n")
        assert len(inhabitants(cloud.folder)) >= 3
        assert await asyncio.to_thread(cloud.gateway.terminate, order.session_id)
        assert await client.end() == ""
    assert not cloud.gateway.terminate(order.session_id)
    await cloud.gateway.stop()
    assert inhabitants(cloud.folder) == []


async def test_stopping_the_gateway_ends_what_has_left_its_terminal(cloud: Cloud) -> None:
    async with await cloud.session(cloud.order()) as client:
        await client.expect(PROMPT)
        await client.send(b"(setsid nohup sleep 603 >/dev/null 2>&1 &) ; echo sta''rted\r")
        await client.expect(b"started\r\n")
        await client.send(b"exit\r")
        await client.end()
    await cloud.gateway.stop()
    assert inhabitants(cloud.folder) == []


async def test_much_output_arrives_whole(cloud: Cloud) -> None:
    async with await cloud.session(
        cloud.order("InteractiveCommands", {"commands": "stty -opost; seq 1 200000"})
    ) as client:
        assert await client.end() == ""
        assert bytes(client.output[PayloadType.OUTPUT]) == b"".join(b"%d\n" % n for n in range(1, 200001))
    assert max(len(m.payload) for m in client.received if m.message_type == MessageType.OUTPUT) == 1024


async def test_an_interactive_command_has_a_terminal_and_input(cloud: Cloud) -> None:
    order = cloud.order("InteractiveCommands", {"commands": "test -t 0 && echo tty; read line; echo got $line"})
    async with await cloud.session(order) as client:
        await client.expect(b"tty\r\n")
        await client.send(b"foo\r")
        await client.expect(b"got foo\r\n")
        assert await client.end() == ""
    assert client.request is None


async def test_a_command_has_separate_streams_and_a_status(cloud: Cloud) -> None:
    commands = "sh -c 'echo out; echo err >&2; exit 3'"
    order = cloud.order("NonInteractiveCommands", {"commands": commands, "separateOutputStream": "true"})
    async with await cloud.session(order) as client:
        assert await client.end() == ""
    assert client.output == {
        PayloadType.OUTPUT: b"out\n",
        PayloadType.STDERR: b"err\n",
        PayloadType.EXIT_CODE: b"EXIT_CODE: 3",
    }


async def test_a_command_without_separation_mixes_its_streams(cloud: Cloud) -> None:
    order = cloud.order("NonInteractiveCommands", {"commands": "sh -c 'echo out; echo err >&2; cat; echo $HOME'"})
    async with await cloud.session(order) as client:
        assert await client.end() == ""
    assert bytes(client.output[PayloadType.OUTPUT]).startswith(b"out\nerr\n" + str(cloud.folder).encode())
    assert set(client.output) == {PayloadType.OUTPUT}


async def test_a_command_is_not_given_to_a_shell(cloud: Cloud) -> None:
    async with await cloud.session(cloud.order("NonInteractiveCommands", {"commands": "echo a; echo $HOME"})) as client:
        await client.end()
    assert client.output == {PayloadType.OUTPUT: b"a; echo $HOME\n"}


@pytest.mark.parametrize(
    ("commands", "text"),
    [
        (
            "no-such-program -x",
            'Unable to start command: exec: "no-such-program": executable file not found in $PATH\n',
        ),
        ("echo 'unclosed", "Unable to start command: No closing quotation\n"),
        ("", "Unable to start command: no command\n"),
    ],
)
async def test_a_command_that_cannot_start_says_why(cloud: Cloud, commands: str, text: str) -> None:
    async with await cloud.session(cloud.order("NonInteractiveCommands", {"commands": commands})) as client:
        assert await client.end() == text
    assert client.output == {PayloadType.STDERR: text.encode()}


async def test_ctrl_c_interrupts_a_command(cloud: Cloud) -> None:
    order = cloud.order(
        "NonInteractiveCommands", {"commands": "sh -c 'echo begun; exec sleep 604'", "separateOutputStream": "true"}
    )
    async with await cloud.session(order) as client:
        await client.expect(b"begun\n")
        await client.send(b"\x03")
        await client.expect(b"EXIT_CODE: -1", PayloadType.EXIT_CODE)
        assert await client.end() == ""
