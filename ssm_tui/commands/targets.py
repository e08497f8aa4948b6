"""Which node or database a word of the command line means, among all contexts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ssm_tui.commands.reading import Found, read_all, read_databases, read_nodes
from ssm_tui.commands.terminal import say
from ssm_tui.domain.databases import Database, Reachable
from ssm_tui.domain.grants import of_database, on_node
from ssm_tui.domain.nodes import Node
from ssm_tui.domain.reachability.finding import unclear
from ssm_tui.domain.reachability.verdict import reaches
from ssm_tui.domain.relays import NO_PREFERENCES, Candidate, Relay, candidates, choose_relay, relay_if_allowed
from ssm_tui.domain.saved import is_node_id
from ssm_tui.domain.targets import resolve
from ssm_tui.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssm_tui.domain.access import Access
    from ssm_tui.domain.grants import Target
    from ssm_tui.domain.nodes import NodeKey
    from ssm_tui.domain.relays import Preferences
    from ssm_tui.domain.services import Clouds

N = TypeVar("N", Node, Database)


def find_node(clouds: Clouds, target: str) -> Node:
    """The node that is meant; what stands in its way is said on stderr. A whole id of a machine in the only context is
    taken at its word, without a listing.

    Raises TargetError, AwsError.
    """
    contexts = clouds.contexts()
    if len(contexts) == 1 and is_node_id(target):
        return Node(id=target, context=contexts[0])
    listing = read_all(clouds, partial(read_nodes, access=False))
    found = resolve(target, first_of_each(listing.nodes))
    for sentence in found.missing:
        say(f"{found.label}: {sentence}")
    return found


def find_either(clouds: Clouds, target: str) -> Target:
    """The node that is meant; or the database, with the best node to reach it through, where there is one: among those
    that the caller may use, else among all. Databases are read where no node is called so. Raises TargetError,
    AwsError."""
    nodes = first_of_each(read_all(clouds, partial(read_nodes, access=False)).nodes)
    if any(target in (node.id, node.name) for node in nodes):
        return on_node(resolve(target, nodes))
    listing = read_all(clouds, partial(read_databases, relays=False))
    either: list[Node | Database] = [*nodes, *first_of_each(listing.databases)]
    found = resolve(target, either, what="target")
    if isinstance(found, Node):
        return on_node(found)
    around = next(each for each in listing.found if each.context == found.context)
    near = candidates(found, [node for node in nodes if node.context == found.context], around.terrain)
    answers = {key: access for portion in clouds.open(found.context).access(near) for key, access in portion.items()}
    relay = choose_relay(found, [_with(node, answers) for node in near], around.terrain)
    return of_database(found, relay.node or relay_if_allowed(found, near, around.terrain))


def find_database(clouds: Clouds, target: str) -> tuple[Database, Found]:
    """The database that is meant, and what else its context has. Raises TargetError, AwsError."""
    listing = read_all(clouds, partial(read_databases, relays=False))
    database = resolve(target, first_of_each(listing.databases), what="database")
    return database, next(each for each in listing.found if each.context == database.context)


def find_relay(clouds: Clouds, database: Database, around: Found, preferences: Preferences = NO_PREFERENCES) -> Relay:
    """The relay for the database by the rule of the domain. Raises TargetError where there is none, with why."""
    cloud = clouds.open(database.context)
    near = candidates(database, read_nodes(cloud, access=False).nodes, around.terrain, preferences)
    # Access is asked for the nodes that stand where a relay must: every simulation costs a call.
    answers = {key: access for portion in cloud.access(near) for key, access in portion.items()}
    relay = choose_relay(database, [_with(node, answers) for node in near], around.terrain, preferences)
    if relay.node is None or relay.reachable is Reachable.NO:
        change = f"{relay.change} would allow it; or " if relay.change else ""
        raise TargetError(
            f"no relay reaches {database.id}: {relay.why}", f"{change}name one that does with --relay TARGET"
        )
    return relay


def named_relay(clouds: Clouds, target: str, database: Database, around: Found) -> Candidate:
    """The node that the user names as the relay, and what is to be said of its way to the database. Whether they may
    use it StartSession says. Raises TargetError, AwsError."""
    node = find_node(clouds, target)
    if node.vpc is None:  # taken at its word: where it stands is not known yet
        told = read_nodes(clouds.open(node.context), access=False).nodes
        node = next((each for each in told if each.id == node.id), node)
    return Candidate(node, reaches(around.terrain, node, database) if node.vpc else unclear(""))


def _with(node: Node, answers: Mapping[NodeKey, Access]) -> Node:
    return replace(node, access=answers.get(node.key, node.access))


def first_of_each(found: Iterable[N]) -> list[N]:
    """Two profiles of one account see the same things: the profile named first is used."""
    first: dict[tuple[str | None, str, str], N] = {}
    for each in found:
        first.setdefault((each.account, each.context.region, each.key[1]), each)
    return list(first.values())
