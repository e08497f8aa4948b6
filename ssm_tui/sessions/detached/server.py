"""The detached supervisor: tunnels that outlive the terminal, opened, watched and stopped over a socket.

Wraps any `Tunnels`. Keeps nothing on disk but the socket and its lock.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import SessionError
from ssm_tui.sessions.detached import wire
from ssm_tui.sessions.detached.rendezvous import is_ours
from ssm_tui.sessions.detached.visitor import Visitor
from ssm_tui.sessions.detached.wire import Answer, Hello

if TYPE_CHECKING:
    from collections.abc import Mapping
    from socket import socket

    from ssm_tui.domain.services import Tunnels
    from ssm_tui.domain.tunnels import TunnelRequest, TunnelStatus
    from ssm_tui.sessions.detached.rendezvous import Claim
    from ssm_tui.sessions.detached.wire import Ask

_log = logging.getLogger("ssm_tui.detached")
# Nobody came: whoever started it was killed before it could ask for anything.
LONELY_SECONDS: Final = 20.0
# How often it is looked whether the socket is there: systems take the runtime folder away when the user logs out.
KEEP_SECONDS: Final = 5.0


class DetachedServer:
    """Serves clients until its last tunnel has been stopped and the last client has gone, or `end` is called.

    Construct and use it on a running event loop. `environment` is what the tunnels are opened with. `claim` is released
    at the end.
    """

    def __init__(self, tunnels: Tunnels, claim: Claim, *, version: str, environment: Mapping[str, str]) -> None:
        self._tunnels = tunnels
        self._claim = claim
        self._hello = Hello(version, wire.PROTOCOL, os.getpid(), secrets.token_hex(16))
        self._environment = environment
        self._clients: set[Visitor] = set()
        self._dismissed: set[int] = set()
        self._opening = False
        self._ending = False
        self._over = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def serve(self) -> None:
        """Returns when nothing is left: no tunnel, no client, no socket."""
        await self._open_door()
        keeping = asyncio.create_task(self._keep_door())
        unsubscribe = self._tunnels.subscribe(self._tell)
        lonely = asyncio.get_running_loop().call_later(LONELY_SECONDS, self._look_round)
        _log.info("detached supervisor %s begins", self._hello.version)
        try:
            await self._over.wait()
        finally:
            lonely.cancel()
            keeping.cancel()
            self._close_door()
            await self._tunnels.close()
            unsubscribe()
            await asyncio.gather(*(client.leave() for client in tuple(self._clients)))
            self._claim.release()
            _log.info("detached supervisor ends")

    def end(self) -> None:
        """Nobody is let in from now on; all tunnels end, then the service."""
        self._close_door()
        self._over.set()

    async def _open_door(self) -> None:
        self._server = await asyncio.start_unix_server(self._welcome, sock=self._claim.listener, limit=wire.MOST_BYTES)

    async def _keep_door(self) -> None:
        """Where the folder has been taken away the socket is put there again, as soon as that can be done."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            if self._ending or self._claim.stands:
                continue
            try:
                self._claim.place.prepare()
                fresh = self._claim.place.claim_at_once()
            except (OSError, SessionError):
                continue  # the user is not logged in, perhaps
            if fresh is None:
                continue  # another serves there now: it may end before we do
            if self._server is not None:
                self._server.close()  # before its socket: the loop looks at that
            self._claim.release()
            self._claim = fresh
            await self._open_door()
            _log.info("the socket had been taken away, and is there again")

    def _close_door(self) -> None:
        self._ending = True
        self._claim.take_down()
        if self._server is not None:
            self._server.close()

    def listed(self) -> tuple[TunnelStatus, ...]:
        """The tunnels that somebody may care about: not those that were stopped, or failed and have been dismissed."""
        return tuple(
            status
            for status in self._tunnels.statuses()
            if status.state is not TunnelState.STOPPED and status.id not in self._dismissed
        )

    def _look_round(self) -> None:
        if not self._ending and not self._clients and not self.listed():
            self.end()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket = writer.get_extra_info("socket")
        if self._ending or not is_ours(connection):
            writer.close()
            return
        client = Visitor(reader, writer, self.do)
        self._clients.add(client)
        try:
            await client.attend(self._hello)
        finally:
            self._clients.discard(client)
            writer.close()
            self._look_round()

    def _tell(self, status: TunnelStatus) -> None:
        if not self._opening:
            for client in tuple(self._clients):
                client.tell(status)

    # -- what clients ask ---------------------------------------------------------------------------------------------

    async def do(self, ask: Ask) -> Answer:
        """Does what is asked. Raises SsmTuiError."""
        match ask.do:
            case "statuses" | "watch":
                return Answer(ask.number, statuses=self.listed())
            case "check":
                self._check_environment(ask)
                return Answer(ask.number)
            case "open":
                self._check_environment(ask)
                return self._open(ask.number, ask.request)
            case "hand over":
                self._check_environment(ask)
                return self._hand_over(ask.number)
            case "stop all":
                await asyncio.gather(*(self._stop(status) for status in self.listed()))
                return Answer(ask.number)
            case "renew":
                self._tunnels.renew(ask.profile)
                return Answer(ask.number)
        status = self._find(ask.tunnel)
        match ask.do:
            case "stop":
                await self._stop(status)
                return Answer(ask.number)
            case "retry":
                self._tunnels.retry(status.id)
                return Answer(ask.number)
            case "history":
                return Answer(ask.number, history=await self._tunnels.history(status.id))
            case "carried":
                return Answer(ask.number, connections=await self._tunnels.carried(status.id))

    def _find(self, tunnel: int) -> TunnelStatus:
        for status in self.listed():
            if status.id == tunnel:
                return status
        raise SessionError("that tunnel is not there any more", "see: ssm-tui tunnels")

    async def _stop(self, status: TunnelStatus) -> None:
        self._dismissed.add(status.id)
        if not status.state.ended:
            await self._tunnels.stop(status.id)

    def _open(self, ask: int, request: TunnelRequest | None) -> Answer:
        if self._ending or request is None:
            raise SessionError("the detached supervisor is ending", "try again")
        same = next((status for status in self.listed() if _same(status, request)), None)
        if same is not None:
            return Answer(ask, tunnel=same.id, statuses=(same,))
        self._dismissed &= {status.id for status in self._tunnels.statuses()}
        self._opening = True  # the client must know the id before it hears of the tunnel
        try:
            number = self._tunnels.open(request)
        finally:
            self._opening = False
        status = next(each for each in self._tunnels.statuses() if each.id == number)
        asyncio.get_running_loop().call_soon(self._tell, status)
        return Answer(ask, tunnel=number, statuses=(status,))

    def _hand_over(self, ask: int) -> Answer:
        """What another version has to open in this one's place."""
        requests = tuple(
            replace(status.request, local_port=status.local_port or status.request.local_port)
            for status in self.listed()
            if not status.state.ended
        )
        _log.info("hands %d tunnels over to another version", len(requests))
        asyncio.get_running_loop().call_soon(self.end)  # after the answer
        return Answer(ask, requests=requests)

    def _check_environment(self, ask: Ask) -> None:
        own = wire.fingerprints(self._environment, self._hello.salt)
        theirs = ask.environment or {}
        names = sorted(name for name in own.keys() | theirs.keys() if own.get(name) != theirs.get(name))
        if names:
            raise SessionError(
                f"the detached supervisor was started with other credentials: {', '.join(names)} differ",
                "stop its tunnels with `ssm-tui tunnels stop --all`, then open them from here",
            )


def _same(status: TunnelStatus, wanted: TunnelRequest) -> bool:
    """Whether the tunnel is what is wanted already."""
    has = status.request
    if status.state.ended or (has.context, has.host, has.port) != (wanted.context, wanted.host, wanted.port):
        return False
    if not has.host and has.target != wanted.target:
        return False
    return wanted.local_port in (None, status.local_port, has.local_port) and has.bind == wanted.bind
