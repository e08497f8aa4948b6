"""The whole program, with a probe on its event loop: `python -m benchmarks.probe FILE [WORDS OF ssm-tui]`.

FILE gets a line for each time that the loop was held up: when (monotonic seconds), for how many milliseconds, and how
many of those this process was at work. The rest it waited for a processor, which others had.
"""

from __future__ import annotations

import asyncio
import sys
import time

STEP = 0.001
LEAST = 5.0  # milliseconds that are worth a line


def main() -> int:
    """Runs to the program's end."""
    from ssm_tui.cli import main as run
    from ssm_tui.ui import app

    path, words = sys.argv[1], sys.argv[2:]

    class Probed(app.SsmTui):
        """The app, watched."""

        def on_load(self) -> None:
            self._probe = asyncio.get_running_loop().create_task(_probe(path))

    app.SsmTui = Probed  # type: ignore[misc]  # the one that `run` makes
    return run(words)


async def _probe(path: str) -> None:
    with open(path, "a", encoding="ascii", buffering=1) as file:  # noqa: PTH123, ASYNC230
        while True:
            begun, work = time.monotonic(), time.process_time()
            await asyncio.sleep(STEP)
            ended = time.monotonic()
            late = (ended - begun - STEP) * 1000
            if late >= LEAST:
                file.write(f"{ended:.4f} {late:.1f} {(time.process_time() - work) * 1000:.1f}\n")


if __name__ == "__main__":
    sys.exit(main())
