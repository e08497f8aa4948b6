"""The demo cloud as one object: starts the real servers, the gateway and the wire endpoint, fills them, and ends all.

Imports moto when started, not before: `isolate` must have cleared the environment first.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import tempfile
import threading
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ssm_tui.demo.environment import Access, exports, write_files
from ssm_tui.demo.fleet import Fleet, read_fleet
from ssm_tui.demo.gateway import UNPACED, Gateway
from ssm_tui.demo.reaper import Reaper
from ssm_tui.demo.remembering import remember_botocore, remember_moto
from ssm_tui.demo.servers import Authority, Database, Fronts, MySql, Postgres, PostgresFront, Redis, RedisFront
from ssm_tui.demo.servers.ssh import PushedKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssm_tui.demo.database_tokens import DatabaseTokens
    from ssm_tui.demo.endpoint import WireServer
    from ssm_tui.demo.gateway import Pace
    from ssm_tui.demo.patience import Patience
    from ssm_tui.demo.seeding import Keys
    from ssm_tui.demo.servers.front import Front


class CloudStopped(RuntimeError):  # noqa: N818 -- an order carried out, not a failure
    """The cloud was told to stop while it was still starting."""


class Cloud:
    """One running cloud. `progress` is called with a few words at a time, from any thread."""

    def __init__(
        self, progress: Callable[[str], None], *, pace: Pace = UNPACED, patience: Patience | None = None
    ) -> None:
        self._report = progress
        self._pace = pace
        self._patience = patience
        self._folder = Path(tempfile.mkdtemp(prefix="ssm-tui-demo-"))
        self._reaper = Reaper(self._folder)
        self._postgres = Postgres(self._folder / "postgres", reaper=self._reaper)
        self._redis = Redis()
        self._passwords: dict[str, str] = {}
        self._authority = Authority(self._folder)
        self._fronts: Fronts | None = None
        self._gateway: Gateway | None = None
        self._server: WireServer | None = None
        self._stopping = threading.Event()

    async def start(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Everything up and filled; the environment that leads to it. Raises ServerError, CloudStopped."""
        # Moto's data are a million objects that stay: looking through them again and again costs 0.5 s of the start.
        gc.disable()
        fleet = read_fleet()
        shared = secrets.token_urlsafe(18)
        for each in fleet.databases:
            if each.user:
                self._passwords[each.user] = secrets.token_urlsafe(18) if each.managed else shared
        databases = asyncio.create_task(self._start_databases(fleet))
        try:
            self._progress("starting AWS")
            await asyncio.to_thread(import_moto)
            developer, administrator, url = await self._start_aws(fleet)
            self._progress("starting PostgreSQL")
            await databases
        finally:
            databases.cancel()
            gc.freeze()
            gc.enable()
        access = Access(
            url=url,
            region=fleet.account.default_region,
            account=fleet.account.id,
            developer=(developer.access_key, developer.secret),
            administrator=(administrator.access_key, administrator.secret),
            psql=self._postgres.psql,
            database_password=shared,
            ca_bundle=self._authority.bundle,
        )
        files_folder = self._folder / "aws"
        write_files(files_folder, access)
        return exports(access, files_folder, inherited)

    async def stop(self) -> None:
        """Ends every session, server and process, and removes the folder. Safe at any moment of the start."""
        self._stopping.set()
        if self._gateway is not None:
            await self._gateway.stop()
        if self._fronts is not None:
            await self._fronts.stop()
        endings = [self._postgres.stop(), asyncio.to_thread(self._redis.stop)]
        if self._server is not None:
            endings.append(asyncio.to_thread(self._server.stop))
        await asyncio.gather(*endings)
        await asyncio.to_thread(self._reaper.close)

    async def _start_databases(self, fleet: Fleet) -> None:
        await self._postgres.start()
        # Redshift's place is taken by what it was made from.
        served = [each for each in fleet.databases if "postgres" in each.engine or each.engine == "redshift"]
        wanted = {each.database: each for each in served if each.database}
        await self._postgres.create(
            *(
                Database(each.database, each.user, self._passwords[each.user], each.token_user)
                for each in wanted.values()
            )
        )

    async def _start_aws(self, fleet: Fleet) -> tuple[Keys, Keys, str]:
        from ssm_tui.demo.database_tokens import DatabaseTokens
        from ssm_tui.demo.endpoint import Endpoint, WireServer
        from ssm_tui.demo.fault_control import FaultControl
        from ssm_tui.demo.faults import Faults
        from ssm_tui.demo.identity_center import IdentityCenter
        from ssm_tui.demo.instance_connect import InstanceConnectCalls
        from ssm_tui.demo.network import LiveNetwork
        from ssm_tui.demo.registry import Registry
        from ssm_tui.demo.seed import create_administrator, seed
        from ssm_tui.demo.seeding import Seeding
        from ssm_tui.demo.ssm_sessions import SessionCalls, SessionLog

        self._redis.start()
        registry, state, faults = Registry(), threading.Lock(), Faults()
        self._fronts = self._stand_before_servers(fleet, DatabaseTokens(state))
        network = LiveNetwork(registry, self._fronts.address, state, faults)
        log = SessionLog()
        keys = PushedKeys()
        self._gateway = Gateway(
            network,
            folder=self._folder / "nodes",
            pace=self._pace,
            on_ended=log.ended,
            patience=self._patience,
            keys=keys,
        )
        await self._gateway.start()
        control = FaultControl(faults, self._gateway, registry, log, state)
        sessions = SessionCalls(registry, self._gateway, log, state)
        identity = IdentityCenter(fleet.account.id, fleet.account.default_region)
        self._server = WireServer(Endpoint(sessions, state, control, InstanceConnectCalls(keys), identity))
        url = self._server.start()
        administrator = create_administrator(fleet)
        work = Seeding(url, fleet, administrator, registry, self._progress)
        developer = await asyncio.to_thread(seed, work, self._passwords)
        return developer, administrator, url

    def _stand_before_servers(self, fleet: Fleet, tokens: DatabaseTokens) -> Fronts:
        of_mysql = [each for each in fleet.databases if "mysql" in each.engine]
        postgres = PostgresFront(lambda: self._postgres.address, self._postgres.token_secret, self._authority, tokens)
        redis = RedisFront(self._redis.address, self._authority, tokens)
        passwords = {each.user: self._passwords[each.user] for each in of_mysql}
        mysql = MySql(passwords, {each.token_user for each in of_mysql if each.token_user}, self._authority, tokens)
        of_postgres: dict[str, Front] = {"postgres": postgres, "redshift": postgres}
        fronts = Fronts({**of_postgres, "redis": redis, "mysql": mysql, "mariadb": mysql})
        fronts.start()
        return fronts

    def _progress(self, words: str) -> None:
        if self._stopping.is_set():
            raise CloudStopped
        self._report(words)


def import_moto() -> None:
    """Moto as this cloud wants it. Before anything else imports it."""
    # Images of our own instead of moto's six hundred a region.
    os.environ["MOTO_AMIS_PATH"] = str(files("ssm_tui.demo").joinpath("images.json"))
    remember_botocore()
    remember_moto()
    from ssm_tui.demo.amendments import amend_moto

    amend_moto()
    for name in ("endpoint", "network", "seed"):
        import_module(f"ssm_tui.demo.{name}")
