"""Shells, commands and stdio sessions of the real plugin process, on pipes and on a pseudo terminal."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from ssm_tui.plugin import framing
from ssm_tui.plugin.framing import Flag, PayloadType
from tests.plugin.gateway import (
    LIMITS,
    PATIENCE,
    SESSION,
    ApiCall,
    Gateway,
    Plugin,
    arguments,
    command,
    environment,
    gateway,
    plugin,
)

TERMINATED = ApiCall("TerminateSession", {"SessionId": SESSION})
EXITING = f"\n\nExiting session with sessionId: {SESSION}.\n\n"


@dataclass(slots=True)
class OnTerminal(Plugin):
    """The plugin on a pseudo terminal of its own, as under a person's shell."""

    master: int = -1
    before: list[object] | None = None

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def mode(self) -> list[object]:
        return list(termios.tcgetattr(self.master))


@contextlib.asynccontextmanager
async def terminal(
    service: Gateway, *, session_id: str = SESSION, faulty: list[str] | None = None
) -> AsyncIterator[OnTerminal]:
    master, slave = os.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(slave)

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = await asyncio.create_subprocess_exec(
        *(faulty or command(LIMITS)),
        *arguments(service),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(service, session_id),
        preexec_fn=own_terminal,
    )
    running = OnTerminal(process, master=master, before=list(before))
    loop = asyncio.get_running_loop()

    def readable() -> None:
        with contextlib.suppress(OSError):
            running.out.extend(os.read(master, 65536))
        running.readers.append(asyncio.create_task(notify()))

    async def notify() -> None:
        async with running.changed:
            running.changed.notify_all()

    loop.add_reader(master, readable)
    try:
        yield running
        assert faulty or b"Traceback" not in running.out, running.out.decode()
    finally:
        loop.remove_reader(master)
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(master)
        os.close(slave)


async def test_a_shell_on_a_terminal() -> None:
    async with gateway() as service, terminal(service) as running:
        await service.output(b"$ ")
        await running.shows("$ ")
        await service.until(lambda: service.of_type(PayloadType.SIZE) == [b'{"cols":80,"rows":24}'], "the size")
        assert running.mode != running.before
        for keys in (b"e", b"\r", b"\x03", b"\x1a", b"\x1c", b"\x13", "é\n".encode(), b"\n"):
            service.messages.clear()
            running.type(keys)
            expected = b"\r" if keys == b"\n" else keys
            await service.until(lambda: service.data() == expected, f"{keys!r}")  # noqa: B023
        running.resize(100, 40)
        await service.until(lambda: b'{"cols":100,"rows":40}' in service.of_type(PayloadType.SIZE), "the new size")
        await service.end()
        assert await running.ends() == 0
        await running.shows("Exiting session")
        assert running.text == (f"\nStarting session with SessionId: {SESSION}\n$ {EXITING}".replace("\n", "\r\n"))
        assert running.mode == running.before


async def started(service: Gateway, running: Plugin) -> None:
    await service.output(b"$ ")
    await running.shows("$ ")
    await service.until(lambda: bool(service.of_type(PayloadType.SIZE)), "the size")


@pytest.mark.parametrize("way", ["closed", "text", "SIGTERM", "SIGHUP", "timed out", "refused resume"])
async def test_the_terminal_is_restored_whatever_ends_the_session(way: str) -> None:
    async with gateway() as service, terminal(service) as running:
        await started(service, running)
        assert running.mode != running.before
        expected = 1
        if way == "closed":
            await service.end()
            expected = 0
        elif way == "text":
            await service.end("over")
        elif way == "timed out":
            service.resume_answer = lambda: (200, {})
            await service.cut()
        elif way == "refused resume":
            service.resume_answer = lambda: (400, {"__type": "AccessDeniedException", "message": "no"})
            await service.cut()
        else:
            signum = signal.Signals[way]
            running.send(signum)
            expected = 128 + signum
        assert await running.ends() == expected
        assert running.mode == running.before
        if way.startswith("SIG"):
            assert service.calls == [TERMINATED]


async def test_the_terminal_is_restored_after_a_fault_of_our_own() -> None:
    fault = (
        "import sys; from ssm_tui.plugin import shell; from ssm_tui.plugin.__main__ import main\n"
        "def broken(self, message):\n"
        "    if message.payload == b'fault': raise SystemError('a fault of our own')\n"
        "shell.Shell.receive = broken\n"
        "sys.exit(main())"
    )
    async with gateway() as service, terminal(service, faulty=[sys.executable, "-c", fault]) as running:
        await service.output(b"$ ")
        await service.until(lambda: bool(service.of_type(PayloadType.SIZE)), "the size")
        assert running.mode != running.before
        await service.output(b"fault")
        assert await running.ends() == 1
        await running.shows("a fault of our own")
        assert running.mode == running.before


NOTE = "[connection lost: the connection ended (code 1006); resuming."
IMPATIENT = LIMITS | {"outage_note": 0.05, "resume_delay": 0.01, "resume_longest_delay": 0.05}


async def test_a_long_outage_is_noted_at_the_bottom_and_drawn_over_when_it_ends() -> None:
    async with gateway() as service, terminal(service, faulty=command(IMPATIENT)) as running:
        await service.output(b"$ ")
        await service.until(lambda: len(service.of_type(PayloadType.SIZE)) == 1, "the size")
        service.refuse = True
        await service.cut()
        await running.shows(f"\x1b7\x1b[24;1H\x1b[2K\x1b[2m{NOTE}")
        running.type(b"typed ahead")
        service.refuse = False
        await running.shows("\x1b7\x1b[24;1H\x1b[2K\x1b8")
        await service.until(lambda: service.data() == b"typed ahead", "what was typed")
        await service.until(lambda: len(service.of_type(PayloadType.SIZE)) == 3, "a reason to draw again")
        sizes = [b'{"cols":80,"rows":24}', b'{"cols":80,"rows":23}', b'{"cols":80,"rows":24}']
        assert service.of_type(PayloadType.SIZE) == sizes
        assert "resumed" not in running.text


async def test_a_short_outage_leaves_the_screen_alone() -> None:
    async with gateway() as service, terminal(service) as running:
        await service.output(b"$ ")
        await running.shows("$ ")
        await service.cut()
        await service.until(lambda: len(service.opens) == 2, "a new websocket")
        await service.output(b"!")
        await running.shows("$ !")


async def test_who_does_not_want_to_wait_gives_up_by_three_interrupts() -> None:
    async with gateway() as service, terminal(service, faulty=command(IMPATIENT)) as running:
        await service.output(b"$ ")
        await running.shows("$ ")
        service.refuse = True
        await service.cut()
        await running.shows(NOTE)
        for _ in range(3):
            running.type(b"\x03")
        assert await running.ends() == 1
        await service.until(lambda: ApiCall("TerminateSession", {"SessionId": SESSION}) in service.calls, "the end")
        assert running.mode == running.before


async def test_without_a_terminal_the_size_is_awss() -> None:
    async with gateway() as service, plugin(service) as running:
        await started(service, running)
        assert service.of_type(PayloadType.SIZE) == [b'{"cols":300,"rows":100}']


async def test_a_shell_with_a_handshake_prints_the_agents_text() -> None:
    async with gateway() as service, plugin(service) as running:
        await service.shake_hands("Standard_Stream", {}, text="hello from the agent")
        await service.output(b"early")
        await running.shows("early")
        await service.end()
        assert await running.ends() == 0
        starting = f"\nStarting session with SessionId: {SESSION}\n"
        assert running.text == f"{starting}hello from the agent\nearly{EXITING}"


async def test_a_command_with_separate_streams_and_an_exit_code() -> None:
    async with gateway() as service, plugin(service, document="AWS-StartNonInteractiveCommand") as running:
        await service.shake_hands("NonInteractiveCommands")
        await service.output(b"out\n")
        await service.say(PayloadType.STDERR, b"err\n")
        await service.output(b"out2\n")
        await service.say(PayloadType.EXIT_CODE, b"EXIT_CODE: 3")
        await service.end()
        assert await running.ends() == 3
        assert running.text == f"\nStarting session with SessionId: {SESSION}\nout\nout2\n{EXITING}"
        assert bytes(running.err) == b"err\n"


async def test_a_command_outlives_the_end_of_its_input() -> None:
    async with (
        gateway() as service,
        plugin(
            service, document="AWS-StartNonInteractiveCommand", stdin=asyncio.subprocess.DEVNULL, quiet=0.05
        ) as running,
    ):
        await service.shake_hands("NonInteractiveCommands")
        await service.until(lambda: bool(service.of_type(PayloadType.SIZE)), "the size")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(running.process.wait(), 0.5)
        await service.output(b"late\n")
        await service.end()
        assert await running.ends() == 0
        assert "late\n" in running.text


async def test_end_of_input_waits_for_the_answer_and_ends_the_session() -> None:
    async with gateway() as service, plugin(service, quiet=1.0) as running:
        await started(service, running)
        running.type(b"ls\n")
        assert running.process.stdin is not None
        running.process.stdin.close()
        await service.until(lambda: service.data() == b"ls\n", "the input")
        await service.output(b"file\r\n$ ")
        assert await running.ends() == 0
        assert running.text.endswith(f"$ file\r\n$ {EXITING}")
        assert service.calls == [TERMINATED]


async def test_keys_as_signals_are_forwarded() -> None:
    async with gateway() as service, plugin(service) as running:
        await started(service, running)
        for signum, key in ((signal.SIGINT, b"\x03"), (signal.SIGQUIT, b"\x1c"), (signal.SIGTSTP, b"\x1a")):
            service.messages.clear()
            running.send(signum)
            await service.until(lambda: service.data() == key, f"{signum!r} as a key")  # noqa: B023


async def test_a_large_input_arrives_whole_and_a_large_output_too() -> None:
    async with gateway() as service, plugin(service) as running:
        await started(service, running)
        data = bytes(range(256)) * 4000
        running.type(data)
        await service.until(lambda: len(service.data()) == len(data), "the input")
        assert service.data() == data
        assert max(len(m.payload) for m in service.messages) == 1024
        for start in range(0, len(data), 8192):
            await service.output(data[start : start + 8192])
        await service.end()
        assert await running.ends() == 0
        assert bytes(running.out).endswith(b"$ " + data + EXITING.encode())


async def ssh(service: Gateway) -> None:
    await service.shake_hands("Port", {"portNumber": "22"})


async def test_stdio_carries_bytes_as_they_are() -> None:
    async with gateway() as service, plugin(service, document="AWS-StartSSHSession") as running:
        await ssh(service)
        await service.output(b"SSH-2.0-example\r\n")
        await running.shows("SSH-2.0-example\r\n")
        running.type(b"\n")
        await service.until(lambda: service.data() == b"\n", "a lone line feed, not altered")
        await service.end()
        assert await running.ends() == 0
        starting = f"\nStarting session with SessionId: {SESSION}\n"
        assert running.text == f"{starting}SSH-2.0-example\r\n{EXITING}"
        assert service.of_type(PayloadType.SIZE) == []


async def test_end_of_input_over_stdio_waits_for_the_answer_and_terminates() -> None:
    async with gateway() as service, plugin(service, document="AWS-StartSSHSession", quiet=1.0) as running:
        await ssh(service)
        running.type(b"question")
        assert running.process.stdin is not None
        running.process.stdin.close()
        await service.until(lambda: service.data() == b"question", "the question")
        await service.output(b"answer")
        assert await running.ends() == 0
        assert running.text == f"\nStarting session with SessionId: {SESSION}\nanswer"
        assert service.of_type(PayloadType.FLAG) == [framing.flag_payload(Flag.TERMINATE_SESSION)]


async def test_errors_over_stdio_go_to_stderr() -> None:
    async with gateway() as service, plugin(service, document="AWS-StartSSHSession") as running:
        service.resume_answer = lambda: (200, {})
        await ssh(service)
        await service.output(b"x")
        await running.shows("x")
        await service.cut()
        assert await running.ends() == 1
        assert running.err.decode() == (
            f"Session: {SESSION} connection lost: the connection ended (code 1006); resuming.\n"
            f"Session: {SESSION} timed out.\n"
        )
        assert running.text.endswith("\nx")


async def test_a_reader_of_stdout_that_went_away_ends_the_session() -> None:
    async with gateway() as service, plugin(service, document="AWS-StartSSHSession") as running:
        await ssh(service)
        await running.shows("Starting")
        assert running.process.stdout is not None
        transport = running.process._transport  # type: ignore[attr-defined]
        transport.get_pipe_transport(1).close()
        await service.output(b"to nobody")
        async with asyncio.timeout(PATIENCE):
            assert await running.process.wait() == 1
        assert service.of_type(PayloadType.FLAG) == [framing.flag_payload(Flag.TERMINATE_SESSION)]


async def test_a_slow_reader_gets_all_of_the_output_after_the_session_has_ended() -> None:
    async with gateway() as service, plugin(service) as running:
        await running.shows("Starting")
        transport = running.process._transport  # type: ignore[attr-defined]
        pipe = transport.get_pipe_transport(1)
        pipe.pause_reading()
        for _ in range(200):
            await service.output(b"x" * 10_000)
        await service.end()
        await service.until(lambda: bool(service.closes), "the end of the websocket")
        with pytest.raises(TimeoutError):  # longer than any bound that would cut the output
            await asyncio.wait_for(running.process.wait(), 2.5)
        pipe.resume_reading()
        assert await running.ends() == 0
        assert bytes(running.out).endswith(b"x" * 2_000_000 + EXITING.encode())
