"""The program of the detached supervisor: `python -m ssm_tui.commands.supervisor`, started by `--detach` alone."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ssm_tui import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssm_tui.commands.program import Program
    from ssm_tui.sessions.detached.daemon import Starting

# A predecessor that has tunnels to end, each by at most 10 s and all at once, is waited for.
MAKE_WAY_SECONDS = 45.0


def main(arguments: Sequence[str] | None = None, *, version: str = __version__) -> int:
    """Detaches and serves. The exit status of the process that called is 0 when the other serves."""
    from ssm_tui.sessions.detached.daemon import detach

    parser = argparse.ArgumentParser(prog="ssm-tui-supervisor")
    parser.add_argument("--config", type=Path)
    options = parser.parse_args(arguments)
    starting = detach()
    from ssm_tui.commands.logs import start_log
    from ssm_tui.commands.program import Program
    from ssm_tui.config import load, paths
    from ssm_tui.errors import SsmTuiError

    start_log(paths().log)
    log = logging.getLogger("ssm_tui.detached")
    try:
        # In the root folder, where no project's file is: what it may not choose it does not.
        asyncio.run(_serve(Program(load(options.config, folder=None)), starting, version))
    except SsmTuiError as error:
        log.error("%s; %s", error.message, error.hint)
        return 1
    except Exception:
        log.exception("the detached supervisor broke")
        raise
    return 0


async def _serve(program: Program, starting: Starting, version: str) -> None:
    from ssm_tui.sessions.detached.server import DetachedServer

    rendezvous = program.rendezvous
    rendezvous.prepare()
    claim = await rendezvous.claim(MAKE_WAY_SECONDS)
    if claim is None:
        starting.serves()  # another does
        return
    server = DetachedServer(program.own_tunnels(), claim, version=version, environment=os.environ)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, server.end)
    starting.serves()
    await server.serve()


if __name__ == "__main__":
    sys.exit(main())
