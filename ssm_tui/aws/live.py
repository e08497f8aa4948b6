"""AWS as the rest of the program sees it: `AwsClouds` and `AwsCloud` implement the seams in domain.services.

Nothing heavy is imported and no call is made before the first use: what reads is loaded behind the first paint.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.aws import profiles as profile_files
from ssm_tui.aws import regions as known_regions
from ssm_tui.aws.aliases import Aliases
from ssm_tui.aws.choosing import Chosen
from ssm_tui.aws.learning import School
from ssm_tui.aws.pacing import Pace
from ssm_tui.aws.prompts import CodeDesk
from ssm_tui.aws.starting import told
from ssm_tui.aws.translate import NOT_ACCEPTED, not_enabled
from ssm_tui.aws.verdicts import Verdicts
from ssm_tui.domain.access import Verdict, documents
from ssm_tui.domain.contexts import Caller, Context
from ssm_tui.domain.narrowing import NOTHING_NARROWED
from ssm_tui.domain.nodes import NodeKey
from ssm_tui.errors import AccessDeniedError, AwsError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.aws.login import Login
    from ssm_tui.aws.login_rights import Logins
    from ssm_tui.domain.access import Access, Answer
    from ssm_tui.domain.accounts import Choice, Profiles, Region
    from ssm_tui.domain.credentials import Credentials, PasswordMeans
    from ssm_tui.domain.databases import Database, DatabasePage
    from ssm_tui.domain.grants import Explanation, Target
    from ssm_tui.domain.narrowing import Narrowing
    from ssm_tui.domain.nodes import Node, NodePage
    from ssm_tui.domain.own import OwnDatabase
    from ssm_tui.domain.services import Lessons
    from ssm_tui.domain.sessions import SessionSpec, StartedSession


# IAM's limits are not documented; they are the account's, and a person's list must not use them up for its programs.
SIMULATIONS_AT_ONCE = 20
SIMULATIONS_PER_SECOND = 5.0


class AwsClouds:
    """Opens AWS per context. `profiles` and `regions` are what the user asked for; empty ones leave the choice to the
    environment and the AWS configuration files. MFA codes are asked for at `desk`; `lessons` are what sessions that
    were started or refused have taught, of this run alone where none are given; `shell_document` is what shells use,
    where that is not the account's default; `own` are the databases that the settings name.
    """

    def __init__(
        self,
        profiles: Sequence[str] = (),
        regions: Sequence[str] = (),
        *,
        desk: CodeDesk | None = None,
        lessons: Lessons | None = None,
        shell_document: str = "",
        own: Sequence[OwnDatabase] = (),
    ) -> None:
        self._desk = desk or CodeDesk()
        self._logins: dict[str | None, Login] = {}
        self._chosen = Chosen(profiles, regions, lambda context: self.open(context).enabled_regions())
        self.aliases = Aliases()
        self.school = School(lessons)
        self.documents = documents(shell_document)
        self.own = own
        self.simulations = Pace(SIMULATIONS_AT_ONCE, SIMULATIONS_PER_SECOND)
        self._clouds: dict[Context, AwsCloud] = {}
        self._opening = threading.Lock()

    def contexts(self) -> tuple[Context, ...]:
        """Those in force. Raises CredentialsError for an unknown profile, RegionError where none is set."""
        return self._chosen.contexts()

    def own_of(self, context: Context) -> Sequence[OwnDatabase]:
        """Those of the settings' databases that are listed in the context."""
        contexts = self.contexts() if self.own else ()
        return [each for each in self.own if each.stands_in(context, contexts)]

    def choose(self, choice: Choice) -> None:
        """Other profiles and regions are in force from now on."""
        self._chosen.choose(choice)

    @property
    def started(self) -> Choice:
        """The profiles and regions that the program was started with; no regions are each profile's own."""
        return self._chosen.started

    @property
    def everywhere(self) -> bool:
        """All regions are in force, none by its name."""
        return self._chosen.everywhere

    def profiles(self) -> Profiles:
        """Those of the user's AWS files. Blocks; broken files are told in it."""
        return profile_files.read_profiles()

    def regions(self, near: Sequence[str]) -> tuple[Region, ...]:
        """All regions of the partitions that these are of, by botocore's data. Blocks briefly."""
        partitions = dict.fromkeys(map(known_regions.partition_of, near or ("",)))
        return tuple(region for each in partitions for region in each.regions)

    def enabled(self, profile: str | None) -> frozenset[str] | None:
        """The regions that the profile's account has enabled; None where AWS does not say. Blocks."""
        return self._chosen.enabled(profile)

    def open(self, context: Context) -> AwsCloud:
        """AWS seen from the context; the same object for the same context."""
        with self._opening:
            if context not in self._clouds:
                from ssm_tui.aws.gateway import LiveGateway

                self._clouds[context] = AwsCloud(context, LiveGateway(context, self._login(context.profile)), self)
            return self._clouds[context]

    def _login(self, profile: str | None) -> Login:
        if profile not in self._logins:
            from ssm_tui.aws.login import Login

            self._logins[profile] = Login(profile, self._desk)
        return self._logins[profile]

    def renew(self, profile: str | None) -> None:
        """Forgets what was read with the profile's old credentials: clients, and who the caller is.

        The session that an MFA code has bought stays, unless the user wants to be asked for another.
        """
        with self._opening:
            self._logins.pop(profile, None)
            self._desk.renew(profile)
            self._chosen.renew(profile)
            for context in [each for each in self._clouds if each.profile == profile]:
                del self._clouds[context]

    def attend(self, listener: Callable[[Context], object]) -> None:
        """`listener` is called with the context, in any thread, when something new has been learned of access there."""
        self.school.attend(listener)

    def accepts(self, context: Context) -> bool:
        """Whether the keys are good there. Blocks."""
        try:
            self.open(context).identify()
        except AwsError:
            return False
        return True


class AwsCloud:
    """One context's AWS. Its methods block and may be called from several threads."""

    def __init__(self, context: Context, gateway: Gateway | None = None, clouds: AwsClouds | None = None) -> None:
        from ssm_tui.aws.gateway import LiveGateway

        self._context = context
        self._gateway = gateway or LiveGateway(context)
        self._clouds = clouds or AwsClouds()
        self._identifying = threading.Lock()
        self._caller: tuple[Caller, str] | None = None
        self._untagged: set[str] = set()
        self._verdicts = Verdicts()
        self._logins: Logins | None = None

    @property
    def context(self) -> Context:
        """Whose view this is."""
        return self._context

    @property
    def gateway(self) -> Gateway:
        """The door to AWS's APIs from here."""
        return self._gateway

    def identify(self) -> Caller:
        """Who AWS says we are; asked once. Raises AwsError."""
        return self._identity()[0]

    def _identity(self) -> tuple[Caller, str]:
        with self._identifying:
            if self._caller is None:
                with self._told_apart():
                    answer = self._gateway.call("sts", "get_caller_identity")
                caller = Caller(told(answer, "Account"), told(answer, "Arn"))
                self._caller = caller, str(answer.get("UserId", ""))
            return self._caller

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        """A region that is not enabled does not know keys that are good elsewhere."""
        try:
            yield
        except CredentialsError as error:
            first = Context(self._context.profile, known_regions.partition_of(self._context.region).first)
            if error.code not in NOT_ACCEPTED or first == self._context or not self._clouds.accepts(first):
                raise
            raise not_enabled(self._context, error.code, named=not self._clouds.everywhere) from None

    def alias(self) -> str | None:
        """What the account is called; asked once an account. Raises AwsError where not even the account is known."""
        return self._clouds.aliases.of(self.identify().account, self._gateway)

    def enabled_regions(self) -> frozenset[str] | None:
        """Those of the account; None where AWS does not say."""
        return known_regions.enabled(self._gateway)

    def node_pages(self, narrowing: Narrowing = NOTHING_NARROWED) -> Iterator[NodePage]:
        """The nodes, page by page as they come; every node tells its account where that can be known. Raises AwsError
        where nothing can be read."""
        from ssm_tui.aws.nodes import read_nodes

        self._untagged.clear()
        with self._told_apart():
            yield from read_nodes(self._gateway, self._context, self._account, self._untagged.add, narrowing)

    def _account(self) -> str:
        return self.identify().account

    def access(
        self, nodes: Sequence[Node], looked_at: Callable[[], Collection[NodeKey]] = tuple
    ) -> Iterator[Mapping[NodeKey, Access]]:
        """The caller's access to each node, in portions, those that are looked at first. What cannot be told is
        unknown, with the reason."""
        from ssm_tui.aws.access import Asking, read_access, unknown

        try:
            caller, user_id = self._identity()
        except AwsError as error:
            yield unknown(nodes, error)
            return
        asking = Asking(
            self._gateway,
            caller,
            user_id,
            self._verdicts,
            self._tags_known,
            looked_at,
            self._clouds.simulations.step,
            self._clouds.documents,
        )
        for portion in read_access(asking, nodes):
            yield self._clouds.school.applied(caller, self._context.region, portion)

    def explain(self, target: Target) -> Explanation:
        """Why the caller may or may not start each kind of session there, or reach the database and log in by IAM,
        asked of IAM now. Raises AwsError where not even the caller is known."""
        from ssm_tui.aws.explaining import Explainer

        def known(node: Node) -> Access:
            return {key: each for part in self.access([node]) for key, each in part.items()}[node.key]

        caller, user_id = self._identity()
        explainer = Explainer(self._gateway, caller, user_id, target, self._tags_known, self._clouds.documents)
        found = explainer.explain(known)
        if (node := target.node) is not None:
            learned = self._clouds.school.applied(caller, self._context.region, {node.key: found.access})
            found = found.corrected(learned[node.key])
        return replace(found, alias=self.alias())

    def _tags_known(self, node: Node) -> bool:
        # EC2 gives tags and network together: an instance in no VPC is one that EC2 was not read for.
        if node.container:
            return True
        return node.id not in self._untagged if node.hybrid else node.vpc is not None or bool(node.tags)

    def database_pages(self) -> Iterator[DatabasePage]:
        """The databases as they come, those of the settings first, then the networks around them. Raises AwsError where
        nothing can be read."""
        from ssm_tui.aws.databases import read_databases

        try:
            account = self._account()
        except AccessDeniedError:
            account = None
        own = [each.seen_from(self._context, account) for each in self._clouds.own_of(self._context)]
        yield from read_databases(self._gateway, self._context, account, own)

    def start_session(self, spec: SessionSpec) -> StartedSession:
        """StartSession, or for a command in a container ECS's ExecuteCommand, which starts a session too. What it says
        of the caller's access is kept.

        Raises AwsError: AccessDeniedError where the caller may not.
        """
        from ssm_tui.aws.starting import start_session

        try:
            started = start_session(self._gateway, spec)
        except AccessDeniedError as error:
            self.learn(spec, error)
            raise
        # The user waits for the session: who he is may be asked behind it.
        if self._caller is not None:
            self.learn(spec, None)
        else:
            threading.Thread(target=self.learn, args=(spec, None), name="learn", daemon=True).start()
        return started

    def learn(self, spec: SessionSpec, refusal: AccessDeniedError | None) -> None:
        """The session was started, or refused: that is kept, and what IAM's simulation says against it is not believed
        any more. Blocks, for a call where the caller is not known yet; raises nothing."""
        try:
            caller = self.identify()
        except AwsError:
            return
        last = self._verdicts.last(NodeKey(self._context, spec.target))
        held = Verdict.UNKNOWN if last is None else last.of(spec.kind).verdict
        lesson = self._clouds.school.learn(caller, spec, held, refusal)
        if lesson is not None and lesson.contradicts:
            self._verdicts.clear()

    def terminate_session(self, session_id: str) -> None:
        """TerminateSession; one that has already ended is no error."""
        try:
            self._gateway.call("ssm", "terminate_session", SessionId=session_id)
        except AwsError as error:
            if error.code != "DoesNotExistException":
                raise

    def logins(self, databases: Sequence[Database]) -> Mapping[tuple[Context, str], Answer]:
        """By database that takes logins by IAM: whether the caller may, as its usual user. Blocks; what AWS refuses to
        tell is unknown."""
        if self._logins is None:
            from ssm_tui.aws.login_rights import Logins

            self._logins = Logins()
        return self._logins.of(self._gateway, self._identity, databases)

    def credentials(self, database: Database, means: PasswordMeans, user: str = "") -> Credentials:
        """A user and a password for the database. Raises TargetError, AwsError."""
        from ssm_tui.aws.credentials import read_credentials
        from ssm_tui.aws.login_rights import doubt

        return read_credentials(
            self._gateway, database, means, user, lambda each, who: doubt(self._gateway, self._identity, each, who)
        )

    def push_key(self, node_id: str, user: str, public_key: str) -> None:
        """SendSSHPublicKey (EC2 Instance Connect API); instances alone can be given a key. Raises AwsError."""
        self._gateway.call(
            "ec2-instance-connect",
            "send_ssh_public_key",
            InstanceId=node_id,
            InstanceOSUser=user,
            SSHPublicKey=public_key,
        )
