"""Which nodes are marked, so that one action takes them all. Marks belong to nodes, not to places of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.nodes import NodeKey


class Marks:
    """Keys of nodes in the order in which they were marked."""

    def __init__(self) -> None:
        self._keys: dict[NodeKey, None] = {}
        self._before: dict[NodeKey, None] = {}  # what was marked when the stretch was begun
        self._stretch: tuple[NodeKey, Hashable] | None = None  # its fixed end, and the end that was moved last
        self._ids: dict[Context, set[str]] | None = None
        self.version = 0  # another one after every change

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[NodeKey]:
        return iter(self._keys)

    @property
    def ids(self) -> Mapping[Context, AbstractSet[str]]:
        """The ids of the marked nodes, by their contexts."""
        if self._ids is None:
            self._ids = {}
            for key in self._keys:
                self._ids.setdefault(key.context, set()).add(key.id)
        return self._ids

    def toggle(self, key: NodeKey) -> None:
        """Marks it, or takes its mark back."""
        self._set(
            {each: None for each in self._keys if each != key} if key in self._keys else {**self._keys, key: None}
        )

    def add(self, keys: Iterable[NodeKey]) -> None:
        """Marks them too."""
        self._set(self._keys | dict.fromkeys(keys))

    def fixed_end(self, at: NodeKey) -> NodeKey:
        """Where the stretch begins that is drawn from here on; it goes on where its moved end was left."""
        if self._stretch is None or self._stretch[1] != at:
            self._before, self._stretch = self._keys, (at, at)
        return self._stretch[0]

    def stretch(self, keys: Iterable[NodeKey], moved: Hashable) -> None:
        """The stretch has these nodes now: those it does not reach any more are as they were."""
        begun, before = self._stretch, self._before if self._stretch else self._keys
        self._set(before | dict.fromkeys(keys))
        if begun is not None:
            self._stretch, self._before = (begun[0], moved), before

    def keep(self, keys: Iterable[NodeKey]) -> None:
        """The others' marks are gone with their nodes."""
        kept = dict.fromkeys(keys)
        if len(kept) != len(self._keys):
            self._set(kept)

    def clear(self) -> None:
        """Takes all back."""
        self._set({})

    def _set(self, keys: dict[NodeKey, None]) -> None:
        self._keys, self._stretch, self._ids = keys, None, None
        self.version += 1
