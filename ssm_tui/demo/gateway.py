"""The message gateway: the websocket server between a session's client and the agent on the node.

Boundary: the control plane opens, resumes and terminates sessions here from any thread; clients come over the websocket
with a token; the agent's side (`ssm_tui.demo.agent`) runs in the gateway's event loop.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from ssm_tui.demo.agent import (
    REAL,
    UNPACED,
    FarError,
    FarNameError,
    FarNetwork,
    FarRefused,
    FarTimeout,
    Pace,
    SessionOrder,
)
from ssm_tui.demo.agent.worker import Surroundings, Worker
from ssm_tui.demo.fault_orders import LiveSession
from ssm_tui.demo.patience import Patience
from ssm_tui.demo.reaper import end_inhabitants
from ssm_tui.demo.relay import Relay
from ssm_tui.demo.servers import NodeServices
from ssm_tui.demo.servers.ssh import PushedKeys, SshServers
from ssm_tui.demo.websocket import PATH, ClientLink, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ssm_tui.plugin.opening import OpenMessage

__all__ = [
    "REAL",
    "UNPACED",
    "FarError",
    "FarNameError",
    "FarNetwork",
    "FarRefused",
    "FarTimeout",
    "Gateway",
    "Pace",
    "Patience",
    "SessionOrder",
]


_TURN = 30.0  # seconds in which the event loop surely comes to what another thread asks of it


class Gateway:
    """One websocket server and the sessions behind it.

    `folder` is a private folder in which nodes get their homes. `on_ended` is called once for every session that has
    ended, with its id and a reason (`""` for an ordinary end), in the event loop's thread; it must return quickly.
    `keys` are those that EC2 Instance Connect was given. `start` and `stop` belong to one event loop, which must keep
    running between them.
    """

    def __init__(
        self,
        network: FarNetwork,
        *,
        folder: Path,
        pace: Pace = UNPACED,
        on_ended: Callable[[str, str], None],
        patience: Patience | None = None,
        keys: PushedKeys | None = None,
    ) -> None:
        self._network = network
        self._folder = folder
        self._keys = keys or PushedKeys()
        self._pace = pace
        self._on_ended = on_ended
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._sessions: dict[str, tuple[Relay, SessionOrder]] = {}  # under the lock: asked from any thread
        self._works: set[asyncio.Task[str]] = set()  # of sessions that have ended but whose processes may not have yet
        self._links: set[ClientLink] = set()
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._around: Surroundings | None = None
        self._port = 0
        self.refusing = False
        """Whether new connections are reset as they come. May be set from any thread."""

    async def start(self) -> int:
        """Listens on a free loopback port and returns it."""
        self._loop = asyncio.get_running_loop()
        self._around = Surroundings(
            network=self._network,
            services=NodeServices(SshServers(self._folder, self._keys)),
            folder=self._folder,
            pace=self._pace,
            dial_patience=self._patience.dial,
        )
        self._server = await self._loop.create_server(self._receive, "127.0.0.1", 0, backlog=256)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    def open(self, order: SessionOrder) -> tuple[str, str]:
        """Prepares a session: its token and its StreamUrl. Thread-safe."""
        relay = Relay(order.session_id, order.target, patience=self._patience, over=self._forget)
        token = relay.new_token()
        with self._lock:
            self._sessions[order.session_id] = (relay, order)
        self._running_loop().call_soon_threadsafe(relay.expect)
        return token, self._stream_url(order.session_id)

    def resume(self, session_id: str) -> tuple[str, str] | None:
        """A new token and the same StreamUrl; None when the session is gone. Thread-safe."""
        with self._lock:
            found = self._sessions.get(session_id)
        return (found[0].new_token(), self._stream_url(session_id)) if found else None

    def terminate(self, session_id: str) -> bool:
        """Ends a session; its client gets channel_closed. False when there is none by that id. Thread-safe."""
        with self._lock:
            found = self._sessions.get(session_id)
        if found:
            self._running_loop().call_soon_threadsafe(found[0].end)
        return found is not None

    def live(self) -> list[LiveSession]:
        """The sessions there are. Thread-safe."""
        with self._lock:
            found = list(self._sessions.values())
        return [LiveSession(order.session_id, order.target, relay.link is not None) for relay, order in found]

    def each(self, chosen: Callable[[SessionOrder], bool], act: Callable[[Relay], bool]) -> list[str]:
        """Does something to sessions in the event loop; returns the ids of those for which it was true, when it is
        done. Thread-safe, for any thread but the event loop's."""

        async def do() -> list[str]:
            return [relay.session_id for relay in found if act(relay)]

        with self._lock:
            found = [relay for relay, order in self._sessions.values() if chosen(order)]
        return asyncio.run_coroutine_threadsafe(do(), self._running_loop()).result(_TURN)

    async def stop(self) -> None:
        """Ends every session and every process behind them, and closes the port."""
        if self._server is None or self._around is None:
            return
        self._server.close()
        self._server = None
        with self._lock:
            relays = [relay for relay, _ in self._sessions.values()]
        for relay in relays:
            relay.end()
        await asyncio.gather(*self._works, return_exceptions=True)
        for link in list(self._links):
            link.release()
            link.close()
        await self._around.services.stop()
        # Whatever left its terminal behind (nohup, setsid) ends here at the latest.
        await asyncio.to_thread(end_inhabitants, self._folder)

    def admit(self, link: ClientLink, session_id: str, opening: OpenMessage) -> Relay | None:
        """A client has opened a connection: the session it belongs to, if its token is right."""
        around = self._around
        with self._lock:
            relay, order = self._sessions.get(session_id, (None, None))
        if relay is None or order is None or around is None or not relay.admits(opening.token):
            return None
        relay.attach(link, lambda: Worker(order, around, relay.from_agent, congested=lambda: relay.congested))
        return relay

    def gone(self, link: ClientLink) -> None:
        """A connection has ended, admitted or not."""
        self._links.discard(link)

    def _receive(self) -> asyncio.Protocol:
        if self.refusing:
            return Refusal()
        link = ClientLink(self)
        self._links.add(link)
        return link

    def _forget(self, relay: Relay, reason: str) -> None:
        """A session has ended; its processes may need another moment."""
        with self._lock:
            self._sessions.pop(relay.session_id, None)
        if relay.work is not None and not relay.work.done():
            self._works.add(relay.work)
            relay.work.add_done_callback(self._works.discard)
        self._on_ended(relay.session_id, reason)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the gateway is not running")
        return self._loop

    def _stream_url(self, session_id: str) -> str:
        return f"ws://127.0.0.1:{self._port}{PATH}{session_id}?role=publish_subscribe"
