"""The relay for a database: every node that might be one, judged, and in the order in which they are taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from heapq import nsmallest
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.access import Answer, Verdict, everywhere
from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.ordering import node_order
from ssm_tui.domain.reachability.finding import Finding, blocked
from ssm_tui.domain.reachability.verdict import of_subnet, reaches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node, NodeKey
    from ssm_tui.domain.ordering import Order
    from ssm_tui.domain.reachability.terrain import Terrain

OTHERS: Final = 3
"""Relays that are kept beside the one chosen."""
REMOTE_HOST_FLOOR: Final = (3, 1, 1374, 0)
"""The documented floor of AWS-StartPortForwardingSessionToRemoteHost (Systems Manager guide, "Start a session")."""
FRESH: Final = 900.0
"""Seconds. Agents ping every five minutes: pings that are less apart than a few of these say nothing."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What is preferred among relays that reach alike: `relays` are the settings' globs over names and ids, the first
    best; `used` the ids of those that led to a database, by its endpoint, the latest first."""

    relays: tuple[str, ...] = ()
    used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def place(self, node: Node) -> int:
        """Which of the globs is the first that means the node; one more than there are where none does."""
        names = [each.casefold() for each in (node.name, node.id) if each]
        globs = enumerate(each.casefold() for each in self.relays)
        return next((at for at, glob in globs if any(fnmatchcase(each, glob) for each in names)), len(self.relays))


NO_PREFERENCES: Final = Preferences()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that might be the relay, and what was found of it."""

    node: Node
    finding: Finding

    @property
    def reachable(self) -> Reachable:
        """The verdict."""
        return self.finding.reachable


@dataclass(frozen=True, slots=True)
class Relay:
    """The node chosen to reach a database through (None where there is none), the verdict, and why in one line.

    `others` are the next best, for the time when that node is gone: none of which is known not to reach it. `change` is
    one command that would let it through, `permission` the IAM action that would tell, each where there is one.
    """

    node: Node | None
    reachable: Reachable
    why: str
    others: tuple[Node, ...] = ()
    change: str = ""
    permission: str = ""


def relay_if_allowed(database: Database, nodes: Sequence[Node], terrain: Terrain) -> Node | None:
    """The node that would be chosen if the caller might use all of them."""
    allowed = everywhere(Answer(Verdict.ALLOWED))
    return choose_relay(database, [replace(node, access=allowed) for node in nodes], terrain).node


def choose_relay(
    database: Database, nodes: Sequence[Node], terrain: Terrain, preferences: Preferences = NO_PREFERENCES
) -> Relay:
    """The best relay among `nodes`; the order is `Relays.ranked`'s."""
    return Relays(nodes, terrain, preferences).choose(database)


def candidates(
    database: Database, nodes: Iterable[Node], terrain: Terrain, preferences: Preferences = NO_PREFERENCES
) -> list[Node]:
    """The nodes of the database's region in its VPC and in those joined to it; of the user's own entries the one that
    the entry names, if it names one. Where the VPC is not known, those that the settings prefer."""
    here = [node for node in nodes if node.context.region == database.context.region]
    if database.relay is not None:
        return [node for node in here if database.relay in (node.id, node.name)]
    if database.vpc is None:
        return [node for node in here if preferences.place(node) < len(preferences.relays)]
    joined = terrain.joined(database.vpc)
    return [node for node in here if node.vpc in joined]


def forwards_to_hosts(node: Node) -> bool:
    """Whether the agent is new enough to forward to a remote host; one whose version is not known gets the benefit."""
    version = [int(part) for part in (node.agent_version or "").split(".") if part.isdecimal()]
    return not version or tuple(version) >= REMOTE_HOST_FLOOR


def in_words(candidate: Candidate, database: Database) -> str:
    """Why, with the node's name: one line."""
    node, why = candidate.node, candidate.finding.why
    where = " in its VPC" if node.vpc and node.vpc == database.vpc else f" in {node.vpc}" if node.vpc else ""
    match candidate.reachable:
        case Reachable.YES:
            return f"{node.label} is online{where}, you may use it, and {why}"
        case Reachable.UNKNOWN:
            return f"{node.label} is online{where}, but {why}"
        case Reachable.NO:
            return f"{node.label}: {why}"


def _why_none(database: Database, near: Sequence[Node]) -> Relay | None:
    """Where none of them can be a relay, whatever the network allows: one reason for all."""
    if not near:
        if database.relay is not None:
            return Relay(None, Reachable.NO, f"no node is called {database.relay}, the relay that the settings name")
        if database.vpc is None:
            return Relay(None, Reachable.UNKNOWN, "the database's VPC is not known: name a relay")
        return Relay(None, Reachable.NO, f"no node that Systems Manager knows is in {database.vpc}")
    where = f"in {database.vpc}" if database.vpc and not database.relay else "that the settings name"
    online = [node for node in near if node.online]
    if not online:
        return Relay(None, Reachable.NO, f"none of the {len(near)} nodes {where} is online")
    able = [node for node in online if forwards_to_hosts(node)]
    if not able:
        return Relay(None, Reachable.NO, f"the agents {where} are older than {_text(REMOTE_HOST_FLOOR)}")
    if all(node.access.remote.verdict is Verdict.DENIED for node in able):
        why = able[0].access.remote.reason
        return Relay(None, Reachable.NO, f"you may not forward through any of {len(able)} nodes {where}: {why}")
    return None


def _hopeless(node: Node) -> Finding | None:
    """Why it is no relay, whatever the network allows."""
    if not node.online:
        return blocked(f"its agent is not online but {node.ping.value}")
    if not forwards_to_hosts(node):
        update = f"aws ssm send-command --document-name AWS-UpdateSSMAgent --instance-ids {node.id}"
        return blocked(f"its agent {node.agent_version} is older than {_text(REMOTE_HOST_FLOOR)}", update)
    if node.access.remote.verdict is Verdict.DENIED:
        return blocked(f"you may not forward through it: {node.access.remote.reason}")
    return None


def _unsure(node: Node) -> Finding | None:
    remote = node.access.remote
    if remote.verdict is not Verdict.UNKNOWN:
        return None
    return Finding(Reachable.UNKNOWN, f"whether you may use it is not known: {remote.reason}")


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


_ORDER = {Reachable.YES: 0, Reachable.UNKNOWN: 1, Reachable.NO: 2}
_Place = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Stand:
    """What is to be said of a node whatever the database: `position` is the same for all that packets cannot tell
    apart, but for their addresses; `hopeless` and `unsure` are what speaks against it beside the network."""

    node: Node
    position: int
    hopeless: Finding | None
    unsure: Finding | None
    before_place: tuple[int, bool]
    age: int
    name: Order


class Relays:
    """Nodes as relays for many databases: what does not depend on the database is found out once. Of 5,000 nodes in the
    VPC of 200 databases a million pairs are asked about: so it is found out in a third of the time."""

    def __init__(self, nodes: Sequence[Node], terrain: Terrain, preferences: Preferences = NO_PREFERENCES) -> None:
        self._terrain, self._preferences = terrain, preferences
        newest = max((node.last_ping for node in nodes if node.last_ping), default=None)
        positions: dict[object, int] = {}
        self._stands: dict[NodeKey, _Stand] = {}
        for node in nodes:
            family = ":" in (node.ip or "")
            where = (node.vpc, node.subnet, node.az, node.security_groups, node.platform, family, not node.ip)
            self._stands[node.key] = _Stand(
                node,
                positions.setdefault(where, len(positions)),
                _hopeless(node),
                _unsure(node),
                (preferences.place(node), node.container),
                _age(node.last_ping, newest),
                node_order(node),
            )
        self._nodes = nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def choose(self, database: Database) -> Relay:
        """The best relay, and those that stand by."""
        near = candidates(database, self._nodes, self._terrain, self._preferences)
        if all(self._stands[node.key].hopeless is not None for node in near):
            none = _why_none(database, near)
            if none is not None:
                return none
        best, *rest = (each for _, each in nsmallest(1 + OTHERS, self._judged(database, near), key=itemgetter(0)))
        others = tuple(each.node for each in rest if each.reachable is not Reachable.NO)
        found = best.finding
        return Relay(best.node, found.reachable, in_words(best, database), others, found.change, found.permission)

    def ranked(self, database: Database) -> list[Candidate]:
        """Every node that might be the relay, the best first: one that is known to reach the database before one of
        which something is unknown; then as the settings prefer, machines before containers (tasks are replaced with
        each deployment), in the database's VPC and zone, with a fresh ping, used with success not long ago. Among
        equals the one that shares most tags with the database (its env, its team), then the name decides, so that the
        choice stays the same from read to read."""
        near = candidates(database, self._nodes, self._terrain, self._preferences)
        return [each for _, each in sorted(self._judged(database, near), key=itemgetter(0))]

    def _judged(self, database: Database, near: Sequence[Node]) -> Iterator[tuple[_Place, Candidate]]:
        known: dict[int, tuple[Finding, bool]] = {}
        vpc, az, tags = database.vpc, database.az, database.tags.items()
        used = self._preferences.used.get(database.endpoint, ())
        for node in near:
            stand = self._stands[node.key]
            finding = stand.hopeless
            if finding is None:
                if stand.position not in known:
                    known[stand.position] = of_subnet(self._terrain, node, database)
                finding, whole = known[stand.position]
                if not whole:
                    finding = reaches(self._terrain, node, database)
                if stand.unsure is not None and not finding.blocks:
                    finding = stand.unsure
            place = (
                _ORDER[finding.reachable],
                stand.before_place,
                node.vpc != vpc,
                az is not None and node.az != az,
                stand.age,
                used.index(node.id) if node.id in used else len(used),
                -len(tags & node.tags.items()) if tags else 0,
                stand.name,
            )
            yield place, Candidate(node, finding)


def _age(ping: datetime | None, newest: datetime | None) -> int:
    """How much staler than the newest; one that is not known counts as no staler."""
    if ping is None or newest is None:
        return 0
    return int((newest - ping).total_seconds() // FRESH)
