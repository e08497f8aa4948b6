"""`make bench`: how long what a user waits for takes, and what sessions carry and cost."""

from __future__ import annotations

import sys

from benchmarks import commands, listing, sessions


def main() -> None:
    """Everything, or the parts named as arguments."""
    parts = {"commands": commands.main, "sessions": sessions.main, "listing": listing.main}
    named = [word for word in sys.argv[1:] if word in parts]
    for name in named or parts:
        parts[name]()


if __name__ == "__main__":
    main()
