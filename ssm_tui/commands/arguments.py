"""What the command line takes: commands, options, and what is wrong with them. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from ssm_tui import __version__
from ssm_tui.errors import UsageError

EXEC = "--exec"


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
    if arguments:  # to make them all is a fiftieth of the time until the interface is painted
        _add_commands(commands)
    ours, theirs = _split(arguments)
    options = parser.parse_args(ours)
    if theirs is not None:
        _give(parser, options, theirs)
    for name in ("profile", "region"):
        # argparse lets what follows the subcommand replace what came before it; here they add up.
        setattr(options, name, getattr(options, name) + getattr(options, f"{name}_after", []))
    return options


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    """What is before `--exec`, and what is behind it, which is another program's: argparse would look for options of
    ours in it. None where there is no such thing."""
    if EXEC not in arguments:
        return arguments, None
    place = arguments.index(EXEC)
    return arguments[:place], arguments[place + 1 :]


def _give(parser: _Parser, options: argparse.Namespace, words: list[str]) -> None:
    """The other program's words, to the command that they belong to."""
    match options.command:
        case "tunnel":
            options.exec = words[1:] if words[:1] == ["--"] else words
        case "demo":
            options.words = [*options.words, EXEC, *words]
        case _:
            parser.error(f"unrecognized arguments: {EXEC}")


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


def _command(commands: argparse._SubParsersAction[_Parser], name: str, what: str) -> _Parser:
    command = commands.add_parser(name, help=what, description=what, allow_abbrev=False)
    _add_global(command, after="_after")
    return command


def _add_commands(commands: argparse._SubParsersAction[_Parser]) -> None:
    for name, what in (("ls", "list nodes"), ("db", "list databases and the relay for each")):
        listing = _command(commands, name, what)
        listing.add_argument(
            "-f", "--filter", default=argparse.SUPPRESS, metavar="FILTER", help="list what matches, or @NAME"
        )
        listing.add_argument("--json", action="store_true", help="as a JSON array")
    access = _command(commands, "access", "why you may or may not, by which policy, and what to ask for")
    access.add_argument("target", metavar="TARGET", help="a node's id or name, a database's id, or their beginning")
    access.add_argument("--json", action="store_true", help="as a JSON object")
    shell = _command(commands, "shell", "open a shell on a node")
    shell.add_argument("target", metavar="TARGET", help="a node's id, name, or the beginning of either")
    shell.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the session's history at AWS")
    shell.add_argument(
        "--request", default="", metavar="REASON", help="ask for just-in-time access first; or the id of such a request"
    )
    _add_yes(shell)
    forward = _command(commands, "forward", "forward a local port to a node")
    forward.add_argument("target", metavar="TARGET", help="a node's id, name, or the beginning of either")
    forward.add_argument("port", type=_port, metavar="PORT", help="the port at the far end")
    forward.add_argument("--host", default="", metavar="HOST", help="through the node to this host")
    forward.add_argument("--local-port", type=_port, metavar="N", help="the port on this machine")
    forward.add_argument("--width", type=_width, metavar="N", help="how many sessions it may have at a time (1 to 8)")
    _add_yes(forward)
    _add_ssh(commands)
    _add_tunnel(commands)
    _add_tunnels(commands)
    _add_cache(commands)
    _add_ca(commands)
    demo = commands.add_parser("demo", help="run the demo cloud, or a command in it", allow_abbrev=False)
    demo.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND …", help="a command to run in the demo")


def _add_ssh(commands: argparse._SubParsersAction[_Parser]) -> None:
    proxy = _command(commands, "proxy", "carry ssh to a node, as its ProxyCommand")
    proxy.add_argument("target", metavar="TARGET", help="a node's id, name, or the beginning of either")
    proxy.add_argument("port", type=_port, metavar="PORT", help="the port on the node; ssh's is 22")
    config = _command(commands, "ssh-config", "print an ssh configuration for the nodes")
    config.add_argument("-f", "--filter", default=argparse.SUPPRESS, metavar="FILTER", help="for what matches")
    config.add_argument("--prefix", default="", metavar="TEXT", help="begin the names of nodes with this")
    for each in (proxy, config):
        each.add_argument("--user", default="", metavar="USER", help="the user to log in as")
        each.add_argument(
            "--push-key", type=Path, metavar="FILE.pub", help="let this key in for a minute (EC2 Instance Connect)"
        )


def _add_tunnel(commands: argparse._SubParsersAction[_Parser]) -> None:
    tunnel = _command(commands, "tunnel", "open a tunnel to a database, or a saved one")
    tunnel.add_argument(
        "name", nargs="?", metavar="NAME", help="a saved tunnel, or a database's id, endpoint, or their beginning"
    )
    tunnel.add_argument("--group", default="", metavar="NAME", help="all tunnels of a group in the settings")
    tunnel.add_argument("--relay", default="", metavar="TARGET", help="through this node")
    tunnel.add_argument("--local-port", type=_port, metavar="N", help="the port on this machine")
    tunnel.add_argument(
        "--show", default="", metavar="FORMAT", help="print a connection string: url, psql, jdbc, env …"
    )
    tunnel.add_argument(
        "--write",
        choices=("pg-service", "my-cnf"),
        help="write an entry into ~/.pg_service.conf, or ~/.my.cnf",
    )
    tunnel.add_argument("--detach", action="store_true", help="once it is ready, leave it to run without this terminal")
    tunnel.add_argument("--on-demand", action="store_true", help="start the session with the first connection")
    tunnel.add_argument("--width", type=_width, metavar="N", help="how many sessions it may have at a time (1 to 8)")
    tunnel.add_argument("--bind", type=_address, metavar="ADDRESS", help="open it on this address of the machine too")
    tunnel.add_argument("--password", choices=("token", "secret", "none"), default="none", help="what COMMAND is given")
    tunnel.add_argument("--user", default="", metavar="USER", help="the database user that COMMAND logs in as")
    _add_yes(tunnel)
    tunnel.add_argument(
        EXEC,
        nargs=argparse.REMAINDER,
        metavar="-- COMMAND …",
        help="once it is ready run a command that finds it in its environment; its status is ours",
    )


def _add_yes(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="ask nothing before a session in production")


def _add_tunnels(commands: argparse._SubParsersAction[_Parser]) -> None:
    tunnels = _command(commands, "tunnels", "list or stop detached tunnels")
    tunnels.add_argument("--json", action="store_true", help="as a JSON array")
    what = tunnels.add_subparsers(dest="what", metavar="stop", parser_class=_Parser)
    stop = what.add_parser("stop", help="stop detached tunnels", allow_abbrev=False)
    stop.add_argument("names", nargs="*", metavar="NAME", help="what it is called, its local address, or a beginning")
    stop.add_argument("--all", action="store_true", help="all of them")


def _add_cache(commands: argparse._SubParsersAction[_Parser]) -> None:
    cache = _command(commands, "cache", "the rows that the interface shows first")
    what = cache.add_subparsers(dest="what", metavar="clear", parser_class=_Parser, required=True)
    what.add_parser("clear", help="remove the rows of all contexts", allow_abbrev=False)


def _add_ca(commands: argparse._SubParsersAction[_Parser]) -> None:
    ca = _command(commands, "ca", "the certificates of RDS")
    what = ca.add_subparsers(dest="what", metavar="fetch", parser_class=_Parser, required=True)
    fetch = what.add_parser("fetch", help="bring AWS's bundle of them here", allow_abbrev=False)
    fetch.add_argument("--url", default="", metavar="URL", help="from there: GovCloud and China have their own")


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
