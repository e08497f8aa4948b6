"""The stub as a process of its own, told what to do by lines on its standard input: `python -m tests.wire 10000`.

It says its URL first, answers each line by one, and ends with its input.
"""

from __future__ import annotations

import argparse
import json
import sys

from tests.wire.fleet import Fleet
from tests.wire.plan import Trouble
from tests.wire.server import Wire


def main() -> None:
    """Runs until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--behind", default="")
    parser.add_argument("--unmanaged", type=float, default=0.1)
    parser.add_argument("--hybrid", type=float, default=0.01)
    parser.add_argument("--deny", action="append", default=[], metavar="OPERATION")
    options = parser.parse_args()
    fleet = Fleet(options.count, hybrid=options.hybrid, unmanaged=options.unmanaged)
    with Wire(fleet, latency=options.latency, behind=options.behind) as wire:
        for operation in options.deny:
            wire.plan.add(Trouble.DENIED, operation)
        print(wire.url, flush=True)
        for line in sys.stdin:
            if line.strip() == "calls":
                print(json.dumps(wire.plan.counted()), flush=True)
            elif line.strip() == "reset":
                wire.plan.forget_calls()
                print("{}", flush=True)


if __name__ == "__main__":
    main()
