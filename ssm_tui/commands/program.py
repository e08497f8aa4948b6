"""What the commands are made of, composed once: AWS, launcher, tunnels here and in the detached supervisor."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from ssm_tui import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ssm_tui.aws.live import AwsClouds
    from ssm_tui.aws.prompts import CodeDesk
    from ssm_tui.commands.handout import Handout
    from ssm_tui.commands.requests import Requests
    from ssm_tui.config import Paths, Settings
    from ssm_tui.domain.connection import Trust
    from ssm_tui.domain.filters import Filter
    from ssm_tui.domain.relays import Preferences
    from ssm_tui.domain.saved import SavedTunnel
    from ssm_tui.domain.services import Grants, PickedBefore, RowMemory, Tunnels
    from ssm_tui.domain.tunnels import TunnelRequest
    from ssm_tui.sessions.detached.attach import Supervisors
    from ssm_tui.sessions.detached.rendezvous import Rendezvous
    from ssm_tui.sessions.launch import Launcher
    from ssm_tui.store.choices import KeptChoices
    from ssm_tui.store.client_files import ClientFiles
    from ssm_tui.store.lessons import KeptLessons
    from ssm_tui.store.relays import UsedRelays
    from ssm_tui.store.wanted import WantedTunnels


class Program:
    """Makes each thing when it is first asked for: what a command does not need is not loaded.

    `profiles` and `regions` are those in force, `config` the settings file that was named, `may_ask` whether the
    terminal is free for a question, `remember` whether what is read may be shown again by the next run.
    """

    def __init__(
        self,
        settings: Settings,
        profiles: Sequence[str] = (),
        regions: Sequence[str] = (),
        *,
        config: Path | None = None,
        may_ask: bool = False,
        remember: bool = True,
    ) -> None:
        self.settings = settings
        self._profiles = tuple(profiles)
        self._regions = tuple(regions)
        self._config = config
        self._may_ask = may_ask
        self._remember = remember

    @cached_property
    def clouds(self) -> AwsClouds:
        """AWS by the profiles and regions in force."""
        return self.clouds_for((), ())

    def clouds_for(self, profiles: Sequence[str], regions: Sequence[str]) -> AwsClouds:
        """AWS by these; empty ones stand for those in force."""
        from ssm_tui.aws.live import AwsClouds

        return AwsClouds(
            profiles or self._profiles,
            regions or self._regions,
            desk=self.desk,
            lessons=self._lessons,
            shell_document=self.settings.shell_document,
            own=self.settings.databases,
        )

    @cached_property
    def _lessons(self) -> KeptLessons | None:
        """What sessions that were started or refused have taught about access."""
        if not self._remember:
            return None
        from ssm_tui.store.lessons import KeptLessons

        return KeptLessons(self._paths.state)

    @cached_property
    def desk(self) -> CodeDesk:
        """Where MFA codes are asked for: on the terminal where that is free, else where the interface attends."""
        from ssm_tui.aws.prompts import CodeDesk

        desk = CodeDesk()
        if self._may_ask:
            from ssm_tui.commands.terminal_code import ask_code

            desk.attend(ask_code, "")
        return desk

    @property
    def context_options(self) -> tuple[str, ...]:
        """The options by which another of us has the same profiles and regions in force."""
        named = [("--profile", each) for each in self._profiles] + [("--region", each) for each in self._regions]
        return tuple(word for pair in named for word in pair)

    @property
    def argv(self) -> tuple[str, ...]:
        """How another of us is started, with the same settings file. By name where that is found: people read it."""
        program = ("ssm-tui",) if shutil.which("ssm-tui") else (sys.executable, "-m", "ssm_tui")
        return (*program, *self._config_option)

    @property
    def _config_option(self) -> tuple[str, ...]:
        return ("--config", str(self._config.absolute())) if self._config else ()

    @cached_property
    def _paths(self) -> Paths:
        from ssm_tui.config import paths

        return paths()

    @cached_property
    def launcher(self) -> Launcher:
        """By the settings' choice of programs."""
        from ssm_tui.sessions.launch import Launcher
        from ssm_tui.sessions.prerequisites import LauncherChoice, PluginChoice

        settings = self.settings
        return Launcher(
            self.clouds,
            LauncherChoice(settings.launcher),
            PluginChoice(settings.plugin),
            self._paths.programs,
            self.grants,
        )

    @cached_property
    def grants(self) -> Grants:
        """Just-in-time access by the profiles and regions in force."""
        from ssm_tui.aws.just_in_time import AwsGrants

        return AwsGrants(self.clouds)

    @cached_property
    def requests(self) -> Requests:
        """Looks up what names of tunnels mean."""
        from ssm_tui.commands.requests import Requests

        return Requests(self.clouds, self.clouds_for, self.settings, self.preferences)

    def resolve(self, saved: SavedTunnel) -> TunnelRequest:
        """What a saved tunnel means. Blocks; raises SsmTuiError."""
        return self.requests.resolve(saved)

    @cached_property
    def filters(self) -> Mapping[str, str]:
        """The saved filters by name: those kept by the interface, and before them the settings'."""
        from ssm_tui.store.choices import KeptChoices

        return {**KeptChoices(self._paths.state).read().filters, **self.settings.filters}

    @cached_property
    def production(self) -> Filter | None:
        """What is asked about before a session there, None for nothing."""
        from ssm_tui.domain.production import parse_mark

        return parse_mark(self.settings.production) if self.settings.production else None

    def own_tunnels(self) -> Tunnels:
        """Tunnels of this process. On a running event loop."""
        from ssm_tui.sessions.tunnels.supervisor import TunnelSupervisor
        from ssm_tui.store.ports import Ports

        return TunnelSupervisor(
            self.launcher,
            self.clouds,
            memory=Ports(self._paths.state),
            wanted=self.wanted,
            relays=self._used_relays,
            wait_seconds=self.settings.wait_seconds,
        )

    def all_tunnels(self) -> Tunnels:
        """Tunnels of this process and, where there can be, of the detached supervisor. On a running event loop."""
        from ssm_tui.sessions.detached.joined import JoinedTunnels
        from ssm_tui.sessions.detached.remote import RemoteTunnels
        from ssm_tui.sessions.detached.rendezvous import AVAILABLE

        own = self.own_tunnels()
        return JoinedTunnels(own, RemoteTunnels(self.supervisors)) if AVAILABLE else own

    @cached_property
    def _used_relays(self) -> UsedRelays:
        from ssm_tui.store.relays import UsedRelays

        return UsedRelays(self._paths.state)

    def preferences(self) -> Preferences:
        """Which relays are preferred: by the settings, and by what led there last. Blocks briefly."""
        from ssm_tui.domain.relays import Preferences

        return Preferences(self.settings.relays, self._used_relays.read())

    @cached_property
    def wanted(self) -> WantedTunnels:
        """What is open, and what was open when the machine stopped."""
        from ssm_tui.store.wanted import WantedTunnels

        return WantedTunnels(self._paths.state)

    @cached_property
    def memory(self) -> RowMemory | None:
        """The rows of the last run, by the profiles and regions in force."""
        if not self._remember:
            return None
        from ssm_tui.aws import origin
        from ssm_tui.store.inventory import KeptRows

        return KeptRows(self._paths.rows, self._asked, lambda profile: origin.origin(profile, os.environ))

    @cached_property
    def picked(self) -> PickedBefore | None:
        """What was picked while running, by the profiles and regions that the program was started with."""
        if not self._remember:
            return None
        from ssm_tui.store.picked import LastPicked

        return LastPicked(self._paths.state, self._asked)

    @property
    def _asked(self) -> str:
        from ssm_tui.aws import origin

        return origin.asked(self._profiles, self._regions, os.environ)

    @cached_property
    def choices(self) -> KeptChoices | None:
        """What the user has chosen about the list."""
        if not self._remember:
            return None
        from ssm_tui.store.choices import KeptChoices

        return KeptChoices(self._paths.state)

    def start_log(self) -> None:
        """What happens from now on is written to the log file too."""
        from ssm_tui.commands.logs import start_log

        start_log(self._paths.log)

    def trust(self) -> Trust:
        """The files of certificates that there are now. Blocks briefly."""
        from ssm_tui.store.authorities import known

        return known(self.settings.ca_bundle, self._paths.ca_bundle)

    def handout(self, show: str, write: str | None) -> Handout:
        """A connection string in this format, and an entry in this client's file. Blocks briefly."""
        from ssm_tui.commands.handout import Handout
        from ssm_tui.domain.connection.entries import ClientFile

        return Handout(show, ClientFile(write) if write else None, self.trust(), self.client_files)

    @cached_property
    def client_files(self) -> ClientFiles:
        """Where entries for database clients are written."""
        from ssm_tui.store.client_files import ClientFiles

        return ClientFiles(self._paths.state, os.environ)

    @cached_property
    def rendezvous(self) -> Rendezvous:
        """Where the detached supervisor is found."""
        from ssm_tui.sessions.detached.rendezvous import Rendezvous

        return Rendezvous(self._paths.runtime)

    @cached_property
    def supervisors(self) -> Supervisors:
        """How to come by the detached supervisor."""
        from ssm_tui.sessions.detached.attach import Supervisors

        argv = (sys.executable, "-m", "ssm_tui.commands.supervisor", *self._config_option)
        return Supervisors(self.rendezvous, argv, __version__, dict(os.environ), str(self._paths.log))
