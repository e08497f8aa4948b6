"""One session on the node from its order to its end: handshake, the session proper, the last words.

Boundary: frames in and out through the data channel; the gateway starts it, cancels it, and is given the text that the
agent reports at the end. The order of everything is that of AWS's ssm-session-worker.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ssm_tui.demo.agent.channel import DataChannel, Receiver
from ssm_tui.demo.agent.command import Command
from ssm_tui.demo.agent.dialing import Dialer, ForbiddenTarget
from ssm_tui.demo.agent.handshake import Handshake, HandshakeFailed
from ssm_tui.demo.agent.mux import MuxPort
from ssm_tui.demo.agent.node import prepare
from ssm_tui.demo.agent.single import SinglePort
from ssm_tui.demo.agent.terminal import Terminal
from ssm_tui.plugin.framing import Flag, FrameError, Message, PayloadType, parse_flag
from ssm_tui.plugin.handshake import (
    LOCAL_PORT_FORWARDING,
    MUX_AFTER,
    PortProperties,
    SessionType,
    client_muxes,
    client_needs_keepalive,
    newer_than,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ssm_tui.demo.agent.order import FarNetwork, Pace, SessionOrder
    from ssm_tui.demo.servers import NodeServices

_FLUSH_PATIENCE = 2.0


class Session(Receiver, Protocol):
    """What a kind of session looks like to the worker."""

    async def run(self) -> str:
        """Until the session is over; the text for the user. Cancelled when the session is terminated."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every session of a gateway shares."""

    network: FarNetwork
    services: NodeServices
    folder: Path
    pace: Pace
    dial_patience: float


class Worker:
    """The agent's side of one session. `send` hands frames to the service."""

    def __init__(
        self,
        order: SessionOrder,
        surroundings: Surroundings,
        send: Callable[[bytes], None],
        *,
        congested: Callable[[], bool],
    ) -> None:
        self._order = order
        self._surroundings = surroundings
        self._session: Session | None = None
        self._terminated = asyncio.Event()
        self._channel = DataChannel(send, congested=congested, pace=surroundings.pace)
        self._handshake = Handshake(self._channel, order) if Handshake.needed(order) else None
        self._channel.attach(self)

    def take(self, frame: bytes) -> None:
        """A frame from the service."""
        self._channel.receive(frame)

    @property
    def full(self) -> bool:
        if self._session is not None:
            return self._session.full
        # Data is kept back until the session stands.
        return self._handshake is None or self._handshake.complete

    def receive(self, message: Message) -> None:
        """The client's messages, in order. As AWS's agent, throws away what comes during the handshake beside it."""
        if message.payload_type == PayloadType.FLAG:
            with contextlib.suppress(FrameError):
                if parse_flag(message.payload) == Flag.TERMINATE_SESSION:
                    self._terminated.set()
                    return
        if self._session is not None:
            self._session.receive(message)
        elif self._handshake is not None:
            self._handshake.receive(message)

    async def run(self) -> str:
        """The whole session; returns what the agent reports, empty for an ordinary end."""
        self._channel.announce("Connected", self._order.session_id)
        try:
            return await self._run()
        finally:
            await self._channel.close()

    async def _run(self) -> str:
        try:
            client_version = await self._handshake.run() if self._handshake else ""
            self._session = await self._make(client_version)
        except (HandshakeFailed, ForbiddenTarget) as error:
            await self._channel.flushed(_FLUSH_PATIENCE)
            return str(error)
        self._channel.receiver_drained()
        output = await self._until_over(self._session)
        if self._order.session_type != SessionType.PORT and not self._terminated.is_set():
            await self._channel.flushed(_FLUSH_PATIENCE)
            self._channel.announce("Terminating", self._order.session_id)
        return output

    async def _until_over(self, session: Session) -> str:
        running, terminated = asyncio.ensure_future(session.run()), asyncio.ensure_future(self._terminated.wait())
        try:
            await asyncio.wait({running, terminated}, return_when=asyncio.FIRST_COMPLETED)
            return running.result() if running.done() else ""
        finally:
            running.cancel()
            terminated.cancel()
            await asyncio.gather(running, terminated, return_exceptions=True)

    async def _make(self, client_version: str) -> Session:
        order, around = self._order, self._surroundings
        if order.session_type == SessionType.PORT:
            return await self._make_port(client_version)
        node = prepare(order, around.folder)
        commands = order.properties.get("commands", "")
        if order.session_type == SessionType.NON_INTERACTIVE_COMMANDS:
            separate = order.properties.get("separateOutputStream", "").lower() == "true"
            return Command(self._channel, node, commands, separate=separate)
        interactive = order.session_type == SessionType.INTERACTIVE_COMMANDS
        program = ("/bin/sh", "-c", commands) if interactive else node.shell
        return Terminal(self._channel, node, program, first_output=around.pace.first_output)

    async def _make_port(self, client_version: str) -> Session:
        order, around = self._order, self._surroundings
        dialer = Dialer(order, around.network, around.services, patience=around.dial_patience)
        await dialer.check()
        kind = PortProperties(kind=order.properties.get("type", ""))
        if newer_than(order.agent_version, MUX_AFTER) and client_muxes(client_version, kind):
            return MuxPort(self._channel, dialer, keepalive=client_needs_keepalive(client_version))
        return SinglePort(self._channel, dialer, redial=kind.kind == LOCAL_PORT_FORWARDING)
