"""Which one is meant: an id, a unique name, or a unique prefix of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from ssm_tui.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHOWN = 8


class Named(Protocol):
    """Anything with an id and a name."""

    @property
    def id(self) -> str:
        """The identifier."""

    @property
    def name(self) -> str:
        """The name, or an empty text."""


N = TypeVar("N", bound=Named)


def resolve(target: str, candidates: Iterable[N], *, what: str = "node") -> N:
    """The one candidate that `target` means. An exact id wins over a name, a name over a prefix.

    Raises TargetError where there is none, or where several fit: it then lists them.
    """
    pool = list(candidates)
    if not target:
        raise TargetError(f"no {what} was named", "give its id, its name, or the beginning of either")
    for found in (
        [c for c in pool if c.id == target],
        [c for c in pool if c.name == target],
        [c for c in pool if c.id.startswith(target) or c.name.startswith(target)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            raise TargetError(
                f"{target!r} could be any of {len(found)} {what}s", f"choose one by its id: {_list(found)}"
            )
    raise TargetError(
        f"no {what} is called {target!r}", f"list what there is with: ssm-tui {_COMMANDS.get(what, 'ls')}"
    )


_COMMANDS = {"node": "ls", "database": "db", "tunnel": "tunnels", "target": "ls, or db"}


def _list(found: Sequence[Named]) -> str:
    names = [f"{c.id} ({c.name})" if c.name and c.name != c.id else c.id for c in found[:_SHOWN]]
    return ", ".join(names) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
