"""`ssm-tui demo access …`: an approver's word on requests for just-in-time access to the demo cloud's nodes."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ssm_tui.demo.order_client import OrderClient

if TYPE_CHECKING:
    from collections.abc import Sequence

_DECISIONS = {"approve": "Approved", "reject": "Rejected", "revoke": "Revoked", "expire": "Expired"}


def main(arguments: Sequence[str]) -> int:
    """Gives the order; prints the requests there are, or the one that was decided. Raises SsmTuiError."""
    options = _parser().parse_args(arguments)
    orders = OrderClient(os.environ, options.region, command="ssm-tui demo access")
    if options.what in ("on", "off"):
        orders.call("SwitchNodeAccess", {"Enabled": options.what == "on"})
        return 0
    if options.what == "list":
        for each in orders.call("ListAccessRequests", {})["AccessRequests"]:
            print(each["AccessRequestId"], each["Status"], each["Node"], each["Requester"], each["Reason"], sep="\t")
        return 0
    decided = orders.call(
        "DecideAccessRequest",
        {
            "AccessRequestId": options.id,
            "Decision": _DECISIONS[options.what],
            "Seconds": getattr(options, "seconds", 0),
        },
    )
    print(decided["AccessRequestId"], decided["Status"], sep="\t")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ssm-tui demo access",
        description="Approves or rejects requests for just-in-time access in the demo cloud of this environment.",
        allow_abbrev=False,
    )
    parser.add_argument("--region", default="", metavar="NAME", help="where the node is")
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    what.add_parser("list", help="the requests there are", allow_abbrev=False)
    for name, decision in _DECISIONS.items():
        each = what.add_parser(name, help=f"the request is {decision.lower()}", allow_abbrev=False)
        each.add_argument("id", metavar="ID", help="as ssm-tui shows it: oi-…")
        if name == "approve":
            each.add_argument("--seconds", type=float, default=3600, metavar="N", help="how long it lasts (3600)")
    what.add_parser("on", help="the account has it set up, as at the start", allow_abbrev=False)
    what.add_parser("off", help="the account has it not set up", allow_abbrev=False)
    return parser
