"""What was known of a context when it was last read: rows that may be shown at once, as old as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.networks import Network
    from ssm_tui.domain.nodes import Node


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows of a context, all of them or a portion. `account` is whose they are, `since` when the oldest were read.

    The nodes' access is not kept: what the caller may do is a statement about now, and old verdicts would choose
    relays and warn of sessions. It is unknown until it has been asked for.
    """

    context: Context
    account: str
    since: datetime
    nodes: tuple[Node, ...] = ()
    databases: tuple[Database, ...] = ()
    network: Network | None = None
