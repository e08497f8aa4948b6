"""session-manager-plugin, ours: `python -m ssm_tui.plugin`, with the arguments that the AWS CLI passes.

Imports little at module scope: the AWS CLI asks for `--version` before every session.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ssm_tui.plugin import arguments
from ssm_tui.plugin.console import Console

if TYPE_CHECKING:
    from ssm_tui.plugin.limits import Limits


def main(argv: list[str] | None = None, limits: Limits | None = None) -> int:
    """Runs the plugin and returns its exit status; `argv` is without the program's name."""
    parsed = arguments.parse(sys.argv[1:] if argv is None else argv, os.environ)
    console = Console()
    try:
        if isinstance(parsed, arguments.Answer):
            console.line(parsed.text)
            status = parsed.status
        else:
            status = _run(parsed, console, limits)
        console.flush()
    except KeyboardInterrupt:  # before the session watches signals, or after
        status = 130
    return status


def _run(invocation: arguments.Invocation, console: Console, limits: Limits | None) -> int:
    import asyncio

    from ssm_tui.plugin.limits import DEFAULT_LIMITS
    from ssm_tui.plugin.session import Session

    async def run() -> int:
        return await Session(invocation, console, limits or DEFAULT_LIMITS).run()

    return asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main())
