"""Reads what the command line lists: every context at once, each told apart when it fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ssm_tui.aws.streams import merged
from ssm_tui.commands.terminal import say_error, say_note
from ssm_tui.domain.contexts import Note
from ssm_tui.domain.filters import Filter
from ssm_tui.domain.inventory import Inventory
from ssm_tui.domain.narrowing import narrowing
from ssm_tui.domain.reachability.terrain import Terrain
from ssm_tui.errors import AwsError, RegionNotEnabledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ssm_tui.domain.access import Answer
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.services import Cloud, Clouds

EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Found:
    """What one context has; where the read broke off, what had come by then, and why."""

    context: Context
    nodes: tuple[Node, ...] = ()
    databases: tuple[Database, ...] = ()
    terrain: Terrain = field(default_factory=Terrain)
    notes: tuple[Note, ...] = ()
    error: AwsError | None = None
    alias: str | None = None
    """What its account is called."""
    logins: Mapping[tuple[Context, str], Answer] = field(default_factory=dict)
    """Whether the caller may log in by IAM, by database."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A context that could not be read."""

    context: Context
    error: AwsError


@dataclass(frozen=True, slots=True)
class AllFound:
    """All contexts, in the order asked for; `complete` is false where one could not be read, or not to its end. What
    the caller may not read is not missing: it is said in a note."""

    found: tuple[Found, ...]
    complete: bool

    @property
    def nodes(self) -> list[Node]:
        """Every node."""
        return [node for each in self.found for node in each.nodes]

    @property
    def aliases(self) -> dict[Context, str]:
        """What accounts are called, where that was asked for and is known."""
        return {each.context: each.alias for each in self.found if each.alias}

    @property
    def databases(self) -> list[Database]:
        """Every database."""
        return [database for each in self.found for database in each.databases]


def read_nodes(cloud: Cloud, *, access: bool, wanted: Filter = EVERYTHING, alias: bool = False) -> Found:
    """The nodes of a context that match, with the caller's access to each if wanted. AWS is asked for no more of them
    than it must be."""
    inventory, notes, error = _inventory(cloud, access=access, wanted=wanted)
    nodes = tuple(node for node in inventory if wanted.matches(node))
    return Found(cloud.context, nodes, notes=notes, error=error, alias=_called(cloud) if alias else None)


def read_databases(cloud: Cloud, *, relays: bool = True) -> Found:
    """The databases of a context; if wanted, the nodes that may be relays, with access, and what logins IAM allows."""
    inventory, notes, error = _inventory(cloud, access=True) if relays else (Inventory(), (), None)
    databases: dict[tuple[Context, str], Database] = {}
    terrain = Terrain()
    told = list(notes)
    for page in cloud.database_pages():
        databases |= {database.key: database for database in page.databases}
        terrain = terrain if page.network is None else Terrain(page.network)
        told.extend(page.notes)
    found = tuple(databases.values())
    logins = cloud.logins(found) if relays else {}
    return Found(cloud.context, tuple(inventory), found, terrain, tuple(told), error, logins=logins)


def _inventory(
    cloud: Cloud, *, access: bool, wanted: Filter = EVERYTHING
) -> tuple[Inventory, tuple[Note, ...], AwsError | None]:
    """Raises AwsError where nothing has come."""
    inventory = Inventory()
    notes: list[Note] = []
    waited = False
    try:
        for page in cloud.node_pages(narrowing(wanted)):
            inventory.add(page.nodes)
            notes.extend(page.notes)
            if page.waiting and not waited:
                waited = True
                say_note(Note(page.waiting, "the list goes on by itself"), cloud.context.label)
    except AwsError as error:
        if not len(inventory):
            raise
        return inventory, tuple(notes), error
    if access:
        asked_for = wanted.without("access")
        for answers in cloud.access([node for node in inventory if asked_for.matches(node)]):
            inventory.learn(answers)
    return inventory, tuple(notes), None


def read_all(clouds: Clouds, read: Callable[[Cloud], Found]) -> AllFound:
    """Reads every context at once and says on stderr what could not be read.

    Raises AwsError where no context could be read at all.
    """
    contexts = clouds.contexts()
    results = {result.context: result for result in merged([partial(_read, clouds, c, read) for c in contexts])}
    ordered = [results[context] for context in contexts]
    failed = [each for each in ordered if isinstance(each, Failed)]
    if len(failed) == len(ordered):
        raise _reported(failed)
    absent = [each.context for each in failed if isinstance(each.error, RegionNotEnabledError) and not each.error.named]
    _say_absent(absent)
    ordered = [each for each in ordered if each.context not in absent]
    for each in ordered:
        where = each.context.label if len(contexts) > 1 else ""
        if isinstance(each, Failed):
            say_error(each.error, where)
        else:
            for note in each.notes:
                say_note(note, where)
            if each.error:
                say_error(each.error, where)
    found = tuple(each for each in ordered if isinstance(each, Found))
    broken = any(each.error or any(note.failed for note in each.notes) for each in found)
    return AllFound(found, complete=len(failed) == len(absent) and not broken)


def _say_absent(contexts: Sequence[Context]) -> None:
    """Of all regions those that an account has not enabled are no failure."""
    for profile in dict.fromkeys(context.profile for context in contexts):
        regions = ", ".join(context.region for context in contexts if context.profile == profile)
        say_note(Note(f"regions that the account has not enabled were left out: {regions}"), profile or "")


def _called(cloud: Cloud) -> str | None:
    try:
        return cloud.alias()
    except AwsError:
        return None


def _reported(failed: Sequence[Failed]) -> AwsError:
    """The last of the failures, to be raised; those before it are said here."""
    for each in failed[:-1]:
        say_error(each.error, each.context.label)
    return failed[-1].error


def _read(clouds: Clouds, context: Context, read: Callable[[Cloud], Found]) -> Iterator[Found | Failed]:
    try:
        yield read(clouds.open(context))
    except AwsError as error:
        yield Failed(context, error)
