"""From what the user named to the tunnels that are meant: saved ones, groups, databases, and the relay for each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ssm_tui.commands.handout import NO_HANDOUT, Handout
from ssm_tui.commands.targets import find_database, find_node, find_relay, named_relay
from ssm_tui.domain.databases import Reachable
from ssm_tui.domain.relays import Preferences
from ssm_tui.domain.saved import group_members
from ssm_tui.domain.tunnels import TunnelRequest, Way
from ssm_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssm_tui.config import Settings
    from ssm_tui.domain.contexts import Context
    from ssm_tui.domain.databases import Database
    from ssm_tui.domain.nodes import Node
    from ssm_tui.domain.reachability.finding import Finding
    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.services import Cloud, Clouds

    CloudsFor = Callable[[Sequence[str], Sequence[str]], Clouds]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line says about a tunnel; what it leaves out is the saved tunnel's, or the settings'."""

    relay: str = ""
    local_port: int | None = None
    on_demand: bool = False
    width: int | None = None
    bind: str = ""
    handout: Handout = NO_HANDOUT


NOTHING = Choices()


@dataclass(frozen=True, slots=True)
class TunnelPlan:
    """A tunnel to be opened. `doubt` is what is not known about its relay, `missing` what is known to keep the one that
    was named from the database; `handout` is what is wanted of its connection, `name` what its lines end with where
    there are several, `end` what it leads to: a database, else its node."""

    request: TunnelRequest
    doubt: str = ""
    handout: Handout = NO_HANDOUT
    name: str = ""
    end: Database | Node | None = None
    missing: Finding | None = None


class Requests:
    """Looks up what the names of tunnels mean. `clouds_for` opens AWS for profiles and regions, where empty ones stand
    for those in force; `preferences` are those among relays. Every method blocks and raises SsmTuiError."""

    def __init__(
        self,
        clouds: Clouds,
        clouds_for: CloudsFor,
        settings: Settings,
        preferences: Callable[[], Preferences] = Preferences,
    ) -> None:
        self._clouds = clouds
        self._clouds_for = clouds_for
        self._settings = settings
        self._preferences = preferences

    def named(self, name: str, choices: Choices = NOTHING) -> TunnelPlan:
        """The saved tunnel of this name, else the database."""
        saved = next((each for each in self._settings.tunnels if each.name == name), None)
        return self._saved(saved, choices) if saved else self._database(self._clouds, name, choices)

    def group(self, name: str, choices: Choices = NOTHING) -> tuple[TunnelPlan, ...]:
        """The group's tunnels, each with its name to be told by."""
        members = group_members(name, self._settings.groups, self._settings.tunnels)
        return tuple(replace(self._saved(member, choices), name=member.name) for member in members)

    def resolve(self, saved: SavedTunnel) -> TunnelRequest:
        """What a saved tunnel means: where it names a database, that is looked up now."""
        return self._saved(saved, NOTHING).request

    def _saved(self, saved: SavedTunnel, choices: Choices) -> TunnelPlan:
        clouds = self._within(saved)
        if saved.database:
            found = self._database(clouds, saved.database, replace(choices, relay=choices.relay or saved.relay))
            request = found.request
            return replace(
                found,
                request=replace(
                    request,
                    local_port=choices.local_port or saved.local_port,
                    title=saved.name,
                    name=saved.name,
                    on_demand=choices.on_demand or saved.on_demand,
                    most_sessions=choices.width or saved.width or request.most_sessions,
                    probe_every=saved.probe_every,
                    bind=choices.bind or saved.bind,
                ),
            )
        choices.handout.check(None, saved.name)
        if choices.relay and not saved.host:
            raise UsageError(f"{saved.name} leads to its node itself", "leave out --relay")
        node = find_node(clouds, choices.relay or saved.target)
        request = saved.request(node.context, node.id, label=node.label, width=self._settings.sessions_per_tunnel)
        return TunnelPlan(_chosen(request, choices), end=node)

    def _database(self, clouds: Clouds, name: str, choices: Choices) -> TunnelPlan:
        database, around = find_database(clouds, name)
        choices.handout.check(database, database.id)
        others: tuple[Way, ...] = ()
        doubt, missing = "", None
        if choices.relay:
            named = named_relay(clouds, choices.relay, database, around)
            node = named.node
            missing = named.finding if named.finding.blocks else None
            doubt = named.finding.why if named.finding.unknown else ""
        else:
            relay = find_relay(clouds, database, around, self._preferences())
            assert relay.node is not None  # noqa: S101 - find_relay raises where there is none
            node = relay.node
            others = tuple(Way(other.id, other.label) for other in relay.others)
            doubt = "" if relay.reachable is Reachable.YES else relay.why
        request = TunnelRequest(
            node.context,
            node.id,
            database.port,
            host=database.endpoint,
            title=database.id,
            family=database.family,
            database=database,
            label=node.label,
            others=others,
            most_sessions=self._settings.sessions_per_tunnel,
        )
        plan = TunnelPlan(_chosen(request, choices), doubt=doubt, handout=choices.handout, end=database)
        return replace(plan, missing=missing)

    def _within(self, saved: SavedTunnel) -> Clouds:
        """AWS as the saved tunnel sees it: its profile and region, where it names them."""
        if not saved.profile and not saved.region:
            return self._clouds
        narrow = self._clouds_for([saved.profile] if saved.profile else [], [saved.region] if saved.region else [])
        return _Within(self._clouds, narrow)


def _chosen(request: TunnelRequest, choices: Choices) -> TunnelRequest:
    return replace(
        request,
        local_port=choices.local_port or request.local_port,
        on_demand=choices.on_demand or request.on_demand,
        most_sessions=choices.width or request.most_sessions,
        bind=choices.bind or request.bind,
    )


@dataclass(frozen=True, slots=True)
class _Within:
    """Some contexts alone, opened as everybody else opens them."""

    whole: Clouds
    narrow: Clouds

    def contexts(self) -> tuple[Context, ...]:
        return self.narrow.contexts()

    def open(self, context: Context) -> Cloud:
        return self.whole.open(context)

    def attend(self, listener: Callable[[Context], object]) -> None:
        self.whole.attend(listener)

    def renew(self, profile: str | None) -> None:
        self.whole.renew(profile)
