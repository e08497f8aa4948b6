"""The seams: what the interface and the command line need of AWS and of sessions, as Protocols.

`ssm_tui.aws` and `ssm_tui.sessions` implement them, `ssm_tui.cli` hands them over, tests put fakes in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ssm_tui.domain.narrowing import NOTHING_NARROWED

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ssm_tui.domain.access import Access, Answer
    from ssm_tui.domain.accounts import Choice, Profiles, Region
    from ssm_tui.domain.contexts import Caller, Context
    from ssm_tui.domain.credentials import Credentials, PasswordMeans
    from ssm_tui.domain.databases import Database, DatabasePage
    from ssm_tui.domain.grants import Explanation, Target
    from ssm_tui.domain.just_in_time import RequestProgress, TemporaryKeys
    from ssm_tui.domain.lessons import Lesson
    from ssm_tui.domain.narrowing import Narrowing
    from ssm_tui.domain.nodes import Node, NodeKey, NodePage
    from ssm_tui.domain.sessions import Command, SessionSpec, StartedSession
    from ssm_tui.domain.signing import CodeQuestion, DeviceCode, Way
    from ssm_tui.domain.snapshots import Snapshot
    from ssm_tui.domain.tunnels import Connection, TunnelEvent, TunnelRequest, TunnelStatus
    from ssm_tui.errors import AccessDeniedError


class Cloud(Protocol):
    """AWS as seen from one context. Every method blocks and may raise AwsError: call it in a worker thread."""

    @property
    def context(self) -> Context:
        """Whose view this is."""

    def identify(self) -> Caller:
        """Who AWS says we are."""

    def alias(self) -> str | None:
        """What people call the account; None where it is called nothing or AWS does not say. One call an account."""

    def node_pages(self, narrowing: Narrowing = NOTHING_NARROWED) -> Iterator[NodePage]:
        """The nodes, page by page; every node tells its account where that can be known. A source that is denied, or
        ends early, becomes a note; AwsError only where nothing can be read or the credentials did not last to the end:
        the pages before it hold. With a narrowing, some of those that do not match it are left out."""

    def access(
        self, nodes: Sequence[Node], looked_at: Callable[[], Collection[NodeKey]] = tuple
    ) -> Iterator[Mapping[NodeKey, Access]]:
        """The caller's access to each node, in portions as they are known, those that are looked at first. A refusal
        becomes an unknown. `looked_at` is called from any thread."""

    def explain(self, target: Target) -> Explanation:
        """Why the caller may or may not start each kind of session on the node, or reach the database and log in by
        IAM: asked of IAM now, with the statements that decided. What AWS refuses to tell is said in it."""

    def database_pages(self) -> Iterator[DatabasePage]:
        """The databases, page by page and service by service."""

    def logins(self, databases: Sequence[Database]) -> Mapping[tuple[Context, str], Answer]:
        """By database that takes logins by IAM: whether the caller may, as its usual user. What AWS refuses to tell is
        unknown; raises nothing."""

    def start_session(self, spec: SessionSpec) -> StartedSession:
        """StartSession: its answer is the last word on access."""

    def learn(self, spec: SessionSpec, refusal: AccessDeniedError | None) -> None:
        """Another program has started the session, or was refused. Blocks, for a call where not even the caller is
        known yet; raises nothing."""

    def terminate_session(self, session_id: str) -> None:
        """TerminateSession; a session that has already ended is no error."""

    def credentials(self, database: Database, means: PasswordMeans, user: str = "") -> Credentials:
        """A password for the database, new at each call, and whose it is: `user`, else who it usually is. May raise
        TargetError too, where there is no such password or nobody says for whom."""

    def push_key(self, node_id: str, user: str, public_key: str) -> None:
        """SendSSHPublicKey of EC2 Instance Connect: for a minute the key opens the instance to ssh as that user."""


class Clouds(Protocol):
    """Opens AWS per context, lazily: nothing heavy is loaded and no call is made before the first use."""

    def contexts(self) -> tuple[Context, ...]:
        """The contexts asked for: profiles times regions, with what settings and environment say. Blocks."""

    def open(self, context: Context) -> Cloud:
        """AWS seen from the context. The same object for the same context. Blocks."""

    def renew(self, profile: str | None) -> None:
        """The profile's credentials have changed: whatever was read of them is forgotten, and read again at need."""

    def attend(self, listener: Callable[[Context], object]) -> None:
        """`listener` is called with the context, in any thread, when StartSession has taught something new about the
        access to nodes there."""


class Lessons(Protocol):
    """What StartSession has said about access, from run to run. Both block briefly; neither raises."""

    def all(self) -> tuple[Lesson, ...]:
        """Those that are kept, oldest first."""

    def keep(self, lesson: Lesson) -> None:
        """Another one."""


class Accounts(Protocol):
    """What could be opened, and the choice of what is. What looks into files or asks AWS blocks; none raises."""

    @property
    def started(self) -> Choice:
        """The profiles and regions that the program was started with; no regions are each profile's own."""

    def choose(self, choice: Choice) -> None:
        """This is in force from now on: `Clouds.contexts` gives other ones. At once."""

    def profiles(self) -> Profiles:
        """Those of the user's AWS files. Blocks."""

    def regions(self, near: Sequence[str]) -> tuple[Region, ...]:
        """All regions of the partitions that these are of. Blocks."""

    def enabled(self, profile: str | None) -> frozenset[str] | None:
        """The regions that the profile's account has enabled; None where AWS does not say. Blocks, for a call."""


class PickedBefore(Protocol):
    """What was picked when the program was started alike. Every method blocks briefly; none raises."""

    def last(self) -> Choice:
        """The last of it."""

    def keep(self, choice: Choice) -> None:
        """This has been picked now."""


class DeviceLogin(Protocol):
    """A login that waits for the user's yes in a browser, on this machine or another."""

    @property
    def code(self) -> DeviceCode:
        """What the user needs for it."""

    def wait(self, stop: threading.Event) -> bool:
        """True once the user has said yes and the token is kept; False where `stop` was set before. Blocks. Raises
        AwsError where it was denied or took too long."""


class SignIns(Protocol):
    """New credentials for profiles. Every method blocks."""

    def way(self, profile: str | None) -> Way:
        """How the profile signs in."""

    def begin(self, profile: str | None) -> DeviceLogin:
        """Begins a device login. Raises AwsError."""

    def stamp(self, profile: str | None) -> object:
        """Differs once somebody else has signed in: the files have changed that credentials come from."""


class Codes(Protocol):
    """The desk where MFA codes are asked for, from threads that read."""

    def attend(self, tell: Callable[[CodeQuestion, Callable[[str | None], None]], None], again: str) -> None:
        """From now on `tell` is told of each question, in the asking thread, one at a time, with what takes the answer
        from any thread: a code, or None where the user would rather not. `again` says how he is asked again."""

    def leave(self) -> None:
        """Nobody answers any more; the open question ends without a code."""

    def invite(self, profile: str | None) -> None:
        """The user wants to be asked for this profile's code, once more."""


class RowMemory(Protocol):
    """The last known rows of contexts, from run to run. Every method blocks briefly; none raises."""

    def contexts(self) -> tuple[Context, ...]:
        """Those that were found when the same profiles and regions were asked for last."""

    def found(self, contexts: tuple[Context, ...]) -> None:
        """These are found now."""

    def renew(self, profile: str | None) -> None:
        """The profile's credentials have changed, and with them perhaps whose rows it reads."""

    def recall(self, context: Context) -> Iterator[Snapshot]:
        """The context's rows in portions, the first of them small; nothing where none are kept, or they are of other
        keys than the profile's present ones."""

    def keep(self, snapshot: Snapshot) -> None:
        """These are the context's rows from now on."""

    def forget(self, context: Context) -> None:
        """The context's rows are not shown again."""


class Shells(Protocol):
    """Shell sessions."""

    def prepare(self, spec: SessionSpec, keys: TemporaryKeys | None = None) -> Command:
        """The process that holds the session, to be run in the foreground of the terminal; with `keys` the session is
        theirs, not the profile's. Blocks (it may call StartSession). Raises AwsError, PrerequisiteError."""


class GrantedSessions(Protocol):
    """Sessions under granted keys. Both methods block and may raise AwsError."""

    def start_session(self, spec: SessionSpec) -> StartedSession:
        """StartSession."""

    def terminate_session(self, session_id: str) -> None:
        """TerminateSession; a session that has already ended is no error."""


class Grants(Protocol):
    """Just-in-time access to nodes. The first two block and may raise AwsError."""

    def ask(self, context: Context, node_id: str, reason: str) -> str:
        """StartAccessRequest for one node; the id of the request."""

    def look(self, context: Context, request: str) -> RequestProgress:
        """GetAccessToken: what has become of a request, with the keys that it has earned."""

    def opened(self, context: Context, keys: TemporaryKeys) -> GrantedSessions:
        """Sessions that these keys may start. At once."""


class Tunnels(Protocol):
    """Tunnels, of this process or of the supervisor that outlives it. All on the event loop's thread."""

    def open(self, request: TunnelRequest) -> int:
        """Begins a tunnel and returns its id at once; what becomes of it comes as statuses."""

    async def stop(self, tunnel: int) -> None:
        """Ends it: its processes are gone and its port is free when this returns."""

    async def close(self) -> None:
        """Ends all of them, and returns when nothing of them is left."""

    def statuses(self) -> tuple[TunnelStatus, ...]:
        """Every tunnel of this run, oldest first, the ended ones too. The traffic is that of this moment."""

    def subscribe(self, listener: Callable[[TunnelStatus], None]) -> Callable[[], None]:
        """Calls `listener` at every change but the bytes'; the returned function ends that."""

    def retry(self, tunnel: int) -> None:
        """Tries at once what would be tried at `next_try`; nothing where it is not waiting."""

    def renew(self, profile: str | None) -> None:
        """There are new credentials for the profile: its paused tunnels go on."""

    async def history(self, tunnel: int) -> tuple[TunnelEvent, ...]:
        """What has become of it, oldest first; at most the last few hundred lines."""

    async def carried(self, tunnel: int) -> tuple[Connection, ...]:
        """The connections that it carries, oldest first."""


class Detachable(Protocol):
    """Tunnels that can go on without this program."""

    async def detach(self, tunnel: int) -> None:
        """Hands the tunnel to the supervisor that outlives this program; its local port stays the same. Raises
        SsmTuiError where that could not be done, and then the tunnel is what it was."""
