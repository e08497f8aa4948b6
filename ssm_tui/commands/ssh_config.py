"""`ssm-tui ssh-config`: an OpenSSH configuration by which ssh, scp, rsync and editors find nodes by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ssm_tui.commands.proxy import read_public_key
from ssm_tui.commands.reading import read_all, read_nodes
from ssm_tui.commands.targets import first_of_each
from ssm_tui.commands.terminal import write_line
from ssm_tui.domain.filters import parse
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.domain.ordering import node_order
from ssm_tui.domain.ssh import Means, any_node, context_options, entries

if TYPE_CHECKING:
    from pathlib import Path

    from ssm_tui.commands.program import Program

HEAD = (
    "# Written by ssm-tui ssh-config. Save it beside ~/.ssh/config, and name it there, at its beginning:",
    "#     Include ssm-tui.config",
    "# Host keys are remembered by the nodes' ids.",
)


def run(program: Program, filter_text: str, *, user: str, push_key: Path | None, prefix: str) -> int:
    """Prints the configuration. Raises SsmTuiError; 1 where a context could not be read."""
    wanted = parse(filter_text, NODE_FIELDS, program.filters)
    if push_key is not None:
        read_public_key(push_key)
        push_key = push_key.expanduser().absolute()
    means = Means(program.argv, user, str(push_key or ""), prefix)
    clouds = program.clouds
    contexts = clouds.contexts()
    # With several, an id is looked up; with one it is taken at its word.
    generic = any_node(context_options(contexts[0]) if len(contexts) == 1 else program.context_options, means)
    by_access = len(wanted.without("access").terms) < len(wanted.terms)
    listing = read_all(clouds, partial(read_nodes, access=by_access, wanted=wanted))
    nodes = sorted(first_of_each(listing.nodes), key=node_order)
    found, left_out = entries(nodes, means)
    from ssm_tui.ui.presentation.text import visible

    lines = [*HEAD, ""]
    for entry in (*found, generic):
        lines += [*entry.lines(), ""]
    lines += [f"# left out as a name: {visible(each.node.label)}: {each.why}" for each in left_out]
    write_line("\n".join(lines).rstrip("\n"))
    return 0 if listing.complete else 1
