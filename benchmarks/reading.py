"""One process that reads a list and says when: `all` as the product does, `ec2` or `ssm` by one bare call of boto3.

Lines on stdout, as things happen: `first`, then `all NODES CPU-SECONDS`, of which those for loading are not counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any


def main() -> None:
    """By the word on the command line."""
    {"all": _all, "ec2": _ec2, "ssm": _ssm}[sys.argv[1]]()


def _all() -> None:
    from ssm_tui.aws.live import AwsClouds

    clouds = AwsClouds()
    (context,) = clouds.contexts()
    cloud = clouds.open(context)
    nodes: dict[str, object] = {}
    before = 0.0
    for page in cloud.node_pages():
        if page.nodes and not nodes:
            print("first", flush=True)
            before = time.process_time()
        nodes.update((node.id, node) for node in page.nodes)
    print("all", len(nodes), time.process_time() - before, flush=True)


def _ec2() -> None:
    _bare(lambda boto3: boto3.client("ec2").describe_instances(MaxResults=1000)["Reservations"])


def _ssm() -> None:
    _bare(lambda boto3: boto3.client("ssm").describe_instance_properties(MaxResults=1000)["InstanceProperties"])


def _bare(call: Callable[[Any], list[Any]]) -> None:
    import boto3

    rows = call(boto3)
    print("first", flush=True)
    print("all", len(rows), 0.0, flush=True)


if __name__ == "__main__":
    main()
