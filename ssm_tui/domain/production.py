"""What counts as production: one filter over nodes and databases alike, by the user's settings. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ssm_tui.domain.databases import DATABASE_FIELDS
from ssm_tui.domain.filters import parse
from ssm_tui.domain.nodes import NODE_FIELDS
from ssm_tui.errors import FilterError

if TYPE_CHECKING:
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.matching import Filterable

FIELDS: Final = frozenset(NODE_FIELDS) & frozenset(DATABASE_FIELDS)
"""What both can be asked for."""


def parse_mark(text: str) -> Filter:
    """The mark that the text says, such as `env=prod|live` or `account:123456789012`. Raises FilterError."""
    mark = parse(text, FIELDS)
    if not mark:
        raise FilterError("there is nothing to tell production by", "write a tag, such as env=prod")
    return mark


def is_production(mark: Filter | None, subject: Filterable | None) -> bool:
    """Whether the user is asked before a session there; never without a mark."""
    return mark is not None and subject is not None and mark.matches(subject)
