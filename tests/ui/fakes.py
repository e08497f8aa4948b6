"""In-memory stand-ins for AWS, sessions, clipboard and terminal, with real values of the domain."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ssm_tui.domain.access import Access, Answer, Verdict
from ssm_tui.domain.accounts import ALL, AS_STARTED, Choice, Profiles, Region
from ssm_tui.domain.clients import FoundClient, choose
from ssm_tui.domain.connection import Trust
from ssm_tui.domain.contexts import Caller, Context
from ssm_tui.domain.credentials import Credentials, PasswordMeans, Secret
from ssm_tui.domain.databases import Database, DatabasePage, Family, Kind, Role
from ssm_tui.domain.desktops import DesktopClient
from ssm_tui.domain.just_in_time import RequestProgress, RequestState, TemporaryKeys
from ssm_tui.domain.narrowing import NOTHING_NARROWED, Narrowing
from ssm_tui.domain.networks import NetworkAcl, Subnet
from ssm_tui.domain.nodes import Node, NodePage, Ping, Platform
from ssm_tui.domain.sessions import Command, StartedSession
from ssm_tui.domain.signing import DeviceCode, Way
from ssm_tui.domain.tunnels import Connection, Traffic, TunnelEvent, TunnelRequest, TunnelState, TunnelStatus
from ssm_tui.ui.absent import NoAccounts, NoChoices, NoClientFiles, NoMemory
from ssm_tui.ui.services import ClientFiles, Services, UiSettings
from tests.builders import OPEN, admits, group, network

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from textual.app import App

    from ssm_tui.domain.grants import Explanation, Target
    from ssm_tui.domain.nodes import NodeKey
    from ssm_tui.domain.relays import Preferences
    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.services import RowMemory
    from ssm_tui.domain.sessions import SessionSpec
    from ssm_tui.domain.signing import CodeQuestion
    from ssm_tui.errors import AccessDeniedError, SsmTuiError
    from ssm_tui.ui.services import ChoiceMemory, Clients

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONTEXT = Context("dev", "eu-west-1")
HOSTILE = "[/x]\x1b]0;pwned\x07"

YES = Answer(Verdict.ALLOWED, "policy PayTeam, tag team=pay")
NO = Answer(Verdict.DENIED, "no statement allows ssm:StartSession on it")
MAYBE = Answer(Verdict.UNKNOWN, "iam:SimulatePrincipalPolicy is denied")


def node(number: int, name: str = "", **facts: Any) -> Node:
    """A node whose id follows from its number."""
    given: dict[str, Any] = {
        "id": f"i-{number:017x}",
        "context": CONTEXT,
        "account": "123456789012",
        "name": name,
        "ping": Ping.ONLINE,
        "last_ping": NOW - timedelta(seconds=12),
        "platform": Platform.LINUX,
        "os": "Amazon Linux 2023",
        "agent_version": "3.3.987.0",
        "ip": f"10.1.{number // 250 % 250}.{number % 250 + 1}",
        "vpc": "vpc-1",
        "subnet": "subnet-3",
        "az": "eu-west-1a",
        "state": "running",
        "role": "app-node",
        "instance_type": "t3.medium",
        "launched": NOW - timedelta(days=41),
        "security_groups": ("sg-app",),
        "tags": {"env": "prod", "team": "web"},
    }
    return Node(**{**given, **facts})


def database(name: str, **facts: Any) -> Database:
    """A PostgreSQL that the nodes of vpc-1 reach."""
    given: dict[str, Any] = {
        "id": name,
        "context": CONTEXT,
        "kind": Kind.RDS,
        "engine": "postgres",
        "version": "17.4",
        "endpoint": f"{name.replace('/', '-')}.abc123.eu-west-1.rds.amazonaws.com",
        "port": 5432,
        "role": Role.INSTANCE,
        "status": "available",
        "vpc": "vpc-1",
        "security_groups": ("sg-db",),
        "database": "app",
        "user": "app",
    }
    return Database(**{**given, **facts})


NETWORK = network(
    group("sg-app"),
    group("sg-db", admits("sg-app")),
    acls=(NetworkAcl("acl-1", ("subnet-3",), OPEN, OPEN),),
    subnets=(Subnet("subnet-3", "vpc-1", "eu-west-1a", ("10.1.0.0/16",)),),
)


@dataclass
class FakeCloud:
    """A context's answers. `gate` holds each page back until the test opens it."""

    context: Context = CONTEXT
    pages: list[NodePage] = field(default_factory=list)
    answers: dict[str, Access] = field(default_factory=dict)
    database_list: list[DatabasePage] = field(default_factory=list)
    error: SsmTuiError | None = None
    gate: threading.Semaphore | None = None
    terminated: list[str] = field(default_factory=list)
    account: str = "123456789012"
    called: str | None = None  # the account's alias
    narrowed: list[Narrowing] = field(default_factory=list)  # of each read of nodes
    asked: list[tuple[str, ...]] = field(default_factory=list)  # the nodes of each question for access
    login: Answer | None = None  # to databases, by IAM
    looked_at: list[tuple[str, ...]] = field(default_factory=list)  # those on the screen at each question
    learned: list[tuple[SessionSpec, AccessDeniedError | None]] = field(default_factory=list)
    told: Callable[[Node], bool] = lambda _node: True  # what a narrowed read tells of
    password: str = "hunter2"
    doubt: str = ""
    refusal: SsmTuiError | None = None  # of a password
    passwords_asked: list[tuple[str, PasswordMeans, str]] = field(default_factory=list)
    explained: Callable[[Target], Explanation] | None = None  # why the caller may or may not

    def identify(self) -> Caller:
        return Caller(self.account, f"arn:aws:iam::{self.account}:user/dev")

    def alias(self) -> str | None:
        return self.called

    def node_pages(self, narrowing: Narrowing = NOTHING_NARROWED) -> Iterator[NodePage]:
        self.narrowed.append(narrowing)
        for page in self.pages:
            if self.gate:
                self.gate.acquire()
            yield replace(page, nodes=tuple(filter(self.told, page.nodes))) if narrowing else page
        if self.error:
            raise self.error

    def access(
        self, nodes: Sequence[Node], looked_at: Callable[[], Collection[NodeKey]] = tuple
    ) -> Iterator[Mapping[NodeKey, Access]]:
        self.looked_at.append(tuple(key.id for key in looked_at()))
        self.asked.append(tuple(n.id for n in nodes))
        yield {n.key: self.answers.get(n.id, Access(YES, YES, YES, YES)) for n in nodes}

    def logins(self, databases: Sequence[Database]) -> Mapping[tuple[Context, str], Answer]:
        return {each.key: self.login for each in databases if each.iam_auth and self.login is not None}

    def learn(self, spec: SessionSpec, refusal: AccessDeniedError | None) -> None:
        self.learned.append((spec, refusal))

    def explain(self, target: Target) -> Explanation:
        if self.explained is None:
            raise AssertionError("nobody has asked why")
        return self.explained(target)

    def database_pages(self) -> Iterator[DatabasePage]:
        if self.error:
            raise self.error
        yield from self.database_list

    def start_session(self, spec: SessionSpec) -> StartedSession:
        raise AssertionError("the interface starts no session itself")

    def terminate_session(self, session_id: str) -> None:
        self.terminated.append(session_id)

    def credentials(self, database: Database, means: PasswordMeans, user: str = "") -> Credentials:
        self.passwords_asked.append((database.id, means, user))
        if self.refusal:
            raise self.refusal
        seconds = 900 if means is PasswordMeans.TOKEN else 0
        return Credentials(user or database.user or "", Secret(self.password), means, seconds, self.doubt)

    def push_key(self, node_id: str, user: str, public_key: str) -> None:
        raise AssertionError("the interface pushes no keys")


@dataclass
class FakeClouds:
    """Contexts with their clouds."""

    clouds: dict[Context, FakeCloud]
    error: SsmTuiError | None = None
    renewed: list[str | None] = field(default_factory=list)
    listeners: list[Callable[[Context], object]] = field(default_factory=list)

    def attend(self, listener: Callable[[Context], object]) -> None:
        self.listeners.append(listener)

    def contexts(self) -> tuple[Context, ...]:
        if self.error:
            raise self.error
        return tuple(self.clouds)

    def open(self, context: Context) -> FakeCloud:
        return self.clouds[context]

    def renew(self, profile: str | None) -> None:
        self.renewed.append(profile)


@dataclass
class FakeAccounts:
    """Profiles times regions, of which each has a cloud; `gate` holds back which regions are enabled."""

    clouds: FakeClouds
    found: Profiles = field(default_factory=lambda: Profiles(()))
    started: Choice = field(default_factory=lambda: Choice((CONTEXT.profile,), (CONTEXT.region,)))
    known: dict[str, str] = field(default_factory=dict)  # regions and where they are
    on: dict[str | None, frozenset[str]] = field(default_factory=dict)
    make: Callable[[Context], FakeCloud] = FakeCloud
    gate: threading.Event | None = None
    chosen: Choice = AS_STARTED

    def choose(self, choice: Choice) -> None:
        self.chosen = choice
        profiles = choice.profiles or self.started.profiles or ()
        regions = choice.regions or self.started.regions or ()
        names = tuple(self.known) if ALL in regions else regions
        wanted = [Context(profile, region) for profile in profiles for region in names]
        before = self.clouds.clouds
        self.clouds.clouds = {context: before.get(context) or self.make(context) for context in wanted}

    def profiles(self) -> Profiles:
        return self.found

    def regions(self, near: Sequence[str]) -> tuple[Region, ...]:
        return tuple(Region(name, place) for name, place in self.known.items())

    def enabled(self, profile: str | None) -> frozenset[str] | None:
        if self.gate:
            self.gate.wait()
        return self.on.get(profile)


@dataclass
class FakePicked:
    """Remembers what was picked."""

    choice: Choice = AS_STARTED

    def last(self) -> Choice:
        return self.choice

    def keep(self, choice: Choice) -> None:
        self.choice = choice


@dataclass
class FakeShells:
    """Every shell is the same command; `gate` holds its preparation back."""

    command: Command = field(default_factory=lambda: Command(("bash",), session_id="s-1"))
    error: SsmTuiError | None = None
    prepared: list[SessionSpec] = field(default_factory=list)
    gate: threading.Event | None = None
    keys: list[TemporaryKeys | None] = field(default_factory=list)

    def prepare(self, spec: SessionSpec, keys: TemporaryKeys | None = None) -> Command:
        self.prepared.append(spec)
        self.keys.append(keys)
        if self.gate:
            self.gate.wait()
        if self.error:
            raise self.error
        return self.command


@dataclass
class FakeGrants:
    """One request a node, which is what `progress` says."""

    progress: RequestProgress = field(default_factory=lambda: RequestProgress(RequestState.PENDING))
    asked: list[tuple[str, str]] = field(default_factory=list)
    looks: int = 0
    error: SsmTuiError | None = None
    ended: list[str] = field(default_factory=list)

    def ask(self, context: Context, node_id: str, reason: str) -> str:
        del context
        if self.error:
            raise self.error
        self.asked.append((node_id, reason))
        return f"oi-{len(self.asked):012x}"

    def look(self, context: Context, request: str) -> RequestProgress:
        del context, request
        self.looks += 1
        return self.progress

    def opened(self, context: Context, keys: TemporaryKeys) -> FakeGrants:
        del context, keys
        return self

    def start_session(self, spec: SessionSpec) -> StartedSession:
        return StartedSession(f"s-{spec.target}", "wss://stream", "https://ssm", "token")

    def terminate_session(self, session_id: str) -> None:
        self.ended.append(session_id)


class FakeTunnels:
    """Tunnels that stand where the test says so."""

    def __init__(self) -> None:
        self._statuses: dict[int, TunnelStatus] = {}
        self._listeners: list[Callable[[TunnelStatus], None]] = []
        self.closed = False
        self.retried: list[int] = []
        self.renewed: list[str | None] = []
        self.events: dict[int, tuple[TunnelEvent, ...]] = {}
        self.clients: dict[int, tuple[Connection, ...]] = {}
        self.asked = 0  # how often it was asked what a tunnel carries or what became of it

    def open(self, request: TunnelRequest) -> int:
        number = len(self._statuses) + 1
        self._set(TunnelStatus(number, request, TunnelState.STARTING, NOW, message="starting the session"))
        return number

    def become(self, number: int, state: TunnelState, *, connections: int | None = None, **facts: Any) -> None:
        """What the test lets happen to a tunnel."""
        if connections is not None:
            facts["traffic"] = Traffic(connections)
        self._set(replace(self._statuses[number], state=state, **facts))

    def _set(self, status: TunnelStatus) -> None:
        self._statuses[status.id] = status
        for listener in self._listeners:
            listener(status)

    async def stop(self, tunnel: int) -> None:
        self.become(tunnel, TunnelState.STOPPED, local_port=None, connections=0)

    def retry(self, tunnel: int) -> None:
        self.retried.append(tunnel)

    def renew(self, profile: str | None) -> None:
        self.renewed.append(profile)

    async def history(self, tunnel: int) -> tuple[TunnelEvent, ...]:
        self.asked += 1
        return self.events.get(tunnel, ())

    async def carried(self, tunnel: int) -> tuple[Connection, ...]:
        self.asked += 1
        return self.clients.get(tunnel, ())

    async def close(self) -> None:
        self.closed = True
        for status in self.statuses():
            if not status.state.ended and not status.detached:
                await self.stop(status.id)

    def statuses(self) -> tuple[TunnelStatus, ...]:
        return tuple(self._statuses.values())

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)


class DetachableTunnels(FakeTunnels):
    """Tunnels that can be left running; `refusal` speaks against it."""

    refusal: SsmTuiError | None = None

    async def detach(self, tunnel: int) -> None:
        if self.refusal:
            raise self.refusal
        self._set(replace(self._statuses[tunnel], detached=True))


@dataclass
class FakeLeftOver:
    """What the last run left; `forgotten` counts how often that was asked for."""

    requests: tuple[TunnelRequest, ...] = ()
    forgotten: int = 0

    def offered(self) -> tuple[TunnelRequest, ...]:
        return self.requests

    def forget(self) -> None:
        self.forgotten += 1


@dataclass
class FakeDirectory:
    """Saved tunnels and what they mean; `gate` holds the looking up back."""

    saved: tuple[SavedTunnel, ...] = ()
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    error: SsmTuiError | None = None
    gate: threading.Semaphore | None = None
    target: str = "i-1"

    def resolve(self, saved: SavedTunnel) -> TunnelRequest:
        if self.gate:
            self.gate.acquire()
        if self.error:
            raise self.error
        return TunnelRequest(CONTEXT, self.target, saved.port or 5432, host=f"{saved.name}.internal", name=saved.name)


@dataclass
class FakeClipboard:
    """Remembers what was copied. `now` is what it has."""

    copied: list[str] = field(default_factory=list)
    lends: bool = True
    lent: list[str] = field(default_factory=list)
    now: str = ""

    async def copy(self, app: App[Any], text: str) -> str:
        self.copied.append(text)
        self.now = text
        return "to the clipboard"

    async def lend(self, app: App[Any], secret: Secret) -> bool:
        self.lent.append(secret.reveal())
        self.now = secret.reveal()
        return self.lends

    async def take_back(self) -> bool:
        if not self.lends or not self.lent or self.now != self.lent[-1]:
            return False
        self.now = ""
        return True


@dataclass
class FakeHandOver:
    """Remembers what the terminal was given to."""

    status: int = 0
    runs: list[tuple[Command, str]] = field(default_factory=list)

    async def __call__(self, app: App[Any], command: Command, title: str) -> int:
        self.runs.append((command, title))
        return self.status


@dataclass
class FakeDesktops:
    """A client where the test has one; remembers what was started beside us."""

    client: tuple[str, ...] = ()
    asks_here: bool = False
    status: int | None = None
    started: list[Command] = field(default_factory=list)

    def find(self, address: str) -> DesktopClient | None:
        return DesktopClient(Command((*self.client, address)), self.asks_here) if self.client else None

    async def start(self, command: Command) -> int | None:
        self.started.append(command)
        return self.status


@dataclass
class FakeClients:
    """A client where the test has one."""

    program: str = "psql"

    def find(self, family: Family) -> FoundClient:
        return choose(family, self.program, lambda name: f"/usr/bin/{name}", str)


@dataclass
class FakeLogin:
    """A device login that ends when the test says so."""

    code: DeviceCode = field(
        default_factory=lambda: DeviceCode(
            "BCDF-GHJK", "https://sso/device", "https://sso/device?user_code=BCDF-GHJK", 600
        )
    )
    approved: threading.Event = field(default_factory=threading.Event)
    error: SsmTuiError | None = None
    stop: threading.Event | None = None

    def wait(self, stop: threading.Event) -> bool:
        self.stop = stop
        while not stop.wait(0.01):
            if self.approved.is_set():
                if self.error:
                    raise self.error
                return True
        return False


@dataclass
class FakeSignIns:
    """How each profile signs in; `begun` are the profiles whose device login was begun."""

    ways: dict[str | None, Way] = field(default_factory=dict)
    login: FakeLogin = field(default_factory=FakeLogin)
    begun: list[str | None] = field(default_factory=list)
    stamps: dict[str | None, int] = field(default_factory=dict)
    stamped: int = 0  # how often somebody looked

    def way(self, profile: str | None) -> Way:
        return self.ways.get(profile, Way())

    def begin(self, profile: str | None) -> FakeLogin:
        self.begun.append(profile)
        return self.login

    def stamp(self, profile: str | None) -> object:
        self.stamped += 1
        return self.stamps.get(profile)


@dataclass
class FakeCodes:
    """The desk; `tell` is the interface's, for the test to ask by."""

    tell: Callable[[CodeQuestion, Callable[[str | None], None]], None] | None = None
    again: str = ""
    invited: list[str | None] = field(default_factory=list)
    left: bool = False

    def attend(self, tell: Callable[[CodeQuestion, Callable[[str | None], None]], None], again: str) -> None:
        self.tell, self.again = tell, again

    def leave(self) -> None:
        self.left = True

    def invite(self, profile: str | None) -> None:
        self.invited.append(profile)


@dataclass
class World:
    """All fakes, and the services made of them."""

    cloud: FakeCloud = field(default_factory=FakeCloud)
    clouds: FakeClouds | None = None
    shells: FakeShells = field(default_factory=FakeShells)
    tunnels: FakeTunnels = field(default_factory=FakeTunnels)
    clipboard: FakeClipboard = field(default_factory=FakeClipboard)
    hand_over: FakeHandOver | None = field(default_factory=FakeHandOver)
    settings: UiSettings = field(default_factory=UiSettings)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    filters: dict[str, str] = field(default_factory=dict)
    left_over: FakeLeftOver = field(default_factory=FakeLeftOver)
    memory: RowMemory = field(default_factory=NoMemory)
    desktops: FakeDesktops = field(default_factory=FakeDesktops)
    clients: Clients = field(default_factory=FakeClients)
    choices: ChoiceMemory = field(default_factory=NoChoices)
    accounts: FakeAccounts | None = None
    picked: FakePicked = field(default_factory=FakePicked)
    sign_ins: FakeSignIns = field(default_factory=FakeSignIns)
    codes: FakeCodes = field(default_factory=FakeCodes)
    grants: FakeGrants = field(default_factory=FakeGrants)
    has_browser: bool = False
    client_files: ClientFiles = field(default_factory=NoClientFiles)
    preferences: Callable[[], Preferences] | None = None
    now: datetime = NOW

    def services(self) -> Services:
        return Services(
            clouds=self.clouds or FakeClouds({self.cloud.context: self.cloud}),
            shells=self.shells,
            tunnels=lambda: self.tunnels,
            clipboard=self.clipboard,
            hand_over=self.hand_over,
            settings=self.settings,
            clock=lambda: self.now,
            saved=self.directory.saved,
            groups=self.directory.groups,
            filters=self.filters,
            resolve=self.directory.resolve,
            desktops=self.desktops,
            clients=self.clients,
            choices=self.choices,
            sign_ins=self.sign_ins,
            codes=self.codes,
            grants=self.grants,
            browser=lambda url: Command(("browser", url)) if self.has_browser else None,
            left_over=self.left_over,
            memory=self.memory,
            accounts=self.accounts or NoAccounts(),
            picked=self.picked,
            trust=lambda: Trust(rds="/rds.pem", system="/system.pem"),
            client_files=self.client_files,
            preferences=self.preferences,
        )
