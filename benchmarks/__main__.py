"""`make bench`: how long what a user waits for takes, and what sessions carry and cost."""

from __future__ import annotations

import sys

from benchmarks import commands, sessions


def main() -> None:
    """Everything, or the parts named as arguments."""
    parts = {"commands": commands.main, "sessions": sessions.main}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
