"""`ssm-tui demo fault NAME …`: tells the demo cloud of this environment to do something wrong."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import ABOUT, OF_SESSIONS, Fault, Order
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIST = "list"


def main(arguments: Sequence[str]) -> int:
    """Gives one order and prints what it fell on, one a line. Raises SsmTuiError."""
    options = _parser().parse_args(arguments)
    if options.name not in (*ABOUT, _LIST):
        raise UsageError(f"there is no fault {options.name}", "see: ssm-tui demo fault --help")
    client = FaultClient(os.environ, options.region)
    if options.name == _LIST:
        for each in client.sessions():
            print(each.id, each.node, "connected" if each.connected else "away", sep="\t")
        return 0
    fault = Fault(options.name)
    if fault in OF_SESSIONS and not (options.session or options.node or options.all):
        raise UsageError(f"{fault} of which sessions?", "say --session ID, --node NODE or --all")
    order = Order(
        fault,
        session=options.session,
        node=options.node,
        all=options.all,
        database=options.database,
        action=options.action,
        key=options.key,
        text=options.text,
        code=options.code,
        seconds=options.seconds,
        calls=options.calls,
    )
    for affected in client.inject(order):
        print(affected)
    return 0


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, ABOUT))
    faults = "\n".join(f"  {fault:<{width}}  {about}" for fault, about in ABOUT.items())
    parser = argparse.ArgumentParser(
        prog="ssm-tui demo fault",
        description="Tells the demo cloud of this environment to do something wrong.",
        epilog=f"faults:\n{faults}\n  {_LIST:<{width}}  the sessions there are, and whether their client is connected",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="one of those below")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--session", default="", metavar="ID", help="one session")
    which.add_argument("--node", default="", metavar="NODE", help="a node by id or name, or its sessions")
    which.add_argument("--all", action="store_true", help="every session")
    parser.add_argument(
        "--database", default="", metavar="NAME", help="by the first label of its host name, or the whole"
    )
    parser.add_argument(
        "--action", default="", metavar="ACTION", help="as in IAM, such as ssm:StartSession; '*' is any"
    )
    parser.add_argument("--key", default="", metavar="ID", help="an access key id; the developer's unless given")
    parser.add_argument("--text", default="", help="the agent's last words")
    parser.add_argument("--code", default="", help="AWS's error code")
    parser.add_argument("--seconds", type=float, default=0.0, metavar="N")
    parser.add_argument("--calls", type=int, default=0, metavar="N")
    parser.add_argument("--region", default="", metavar="NAME", help="where the node is")
    return parser
