"""Verdicts that a grant stands above while it lasts: what is read meanwhile is covered, and comes back afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.domain.access import SessionKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.domain.access import Access, Answer
    from ssm_tui.domain.nodes import NodeKey


class Granted:
    """The shells that somebody has granted, by node: the answer that is shown, and the one under it."""

    def __init__(self) -> None:
        self._answers: dict[NodeKey, Answer] = {}
        self._covered: dict[NodeKey, Answer] = {}

    def put(self, key: NodeKey, access: Access, answer: Answer) -> Access:
        """The node's access from now on."""
        self._answers[key] = answer
        self._covered.setdefault(key, access.shell)
        return access.having(SessionKind.SHELL, answer)

    def lift(self, key: NodeKey, access: Access) -> Access:
        """The node's access once the grant is over."""
        self._answers.pop(key, None)
        covered = self._covered.pop(key, None)
        return access if covered is None else access.having(SessionKind.SHELL, covered)

    def cover(self, access: Mapping[NodeKey, Access]) -> Mapping[NodeKey, Access]:
        """What has been read, with the grants in it."""
        found = self._answers.keys() & access.keys()
        if not found:
            return access
        self._covered |= {key: access[key].shell for key in found}
        return {**access, **{key: access[key].having(SessionKind.SHELL, self._answers[key]) for key in found}}
