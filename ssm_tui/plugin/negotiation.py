"""From the agent's first message to the handler of the session: the handshake, or its absence.

A local port is bound before the agent hears that we are ready, so a busy one fails the session before it stands.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ssm_tui.plugin import handshake
from ssm_tui.plugin.basic import BasicPorts
from ssm_tui.plugin.framing import Message, PayloadType
from ssm_tui.plugin.handshake import ActionStatus, ActionType, HandshakeError, ProcessedAction, SessionType
from ssm_tui.plugin.mux import MuxPorts
from ssm_tui.plugin.shell import Shell
from ssm_tui.plugin.sockets import Listener, ListenError
from ssm_tui.plugin.stdio import StandardStreams

if TYPE_CHECKING:
    from ssm_tui.plugin.channel import DataChannel
    from ssm_tui.plugin.console import Console
    from ssm_tui.plugin.handler import Handler
    from ssm_tui.plugin.handshake import HandshakeRequest, PortProperties, RequestedAction
    from ssm_tui.plugin.limits import Limits

_COMMAND_DOCUMENT: Final = "AWS-StartInteractiveCommand"


class RefusalError(Exception):
    """This session cannot be taken: not this kind, or not on this machine. Says why."""


class Negotiation:
    """`begun` is set by the first message, `settled` by the handler or by the `RefusalError` that came of it."""

    def __init__(
        self, channel: DataChannel, console: Console, *, session_id: str, document: str, limits: Limits
    ) -> None:
        self._channel, self._console = channel, console
        self._session_id = session_id
        self._document = document
        self._limits = limits
        self._response: bytes | None = None
        self._session_type: SessionType | None = None
        self._properties: PortProperties | None = None
        self._listener: Listener | None = None
        self.agent_version = ""
        self.begun = asyncio.Event()
        self.settled: asyncio.Future[Handler] = asyncio.get_running_loop().create_future()

    def receive(self, message: Message) -> bool:
        """Takes a message if it belongs to the handshake."""
        first = not self.begun.is_set()
        self.begun.set()
        match message.payload_type:
            case PayloadType.HANDSHAKE_REQUEST:
                self._request(message.payload)
            case PayloadType.HANDSHAKE_COMPLETE:
                self._complete(message.payload)
            case PayloadType.ENCRYPTION_CHALLENGE_REQUEST | PayloadType.ENCRYPTION_CHALLENGE_RESPONSE:
                pass  # only after an encryption that we have refused
            case _:
                if first:
                    self._without_handshake()
                return False
        return True

    def close(self) -> None:
        """Releases a port that no handler took over."""
        if self._listener is not None:
            self._listener.close()

    def _settle(self, outcome: Handler | RefusalError) -> None:
        if self.settled.done():
            return
        if isinstance(outcome, RefusalError):
            self.settled.set_exception(outcome)
            self.settled.exception()  # a session that has just ended otherwise asks no more
        else:
            self.settled.set_result(outcome)

    def _without_handshake(self) -> None:
        command = self._document == _COMMAND_DOCUMENT
        self._session_type = SessionType.INTERACTIVE_COMMANDS if command else SessionType.STANDARD_STREAM
        self._settle(self._handler(self._session_type))

    # -- request and response -----------------------------------------------------------------------------------------

    def _request(self, payload: bytes) -> None:
        if self._response is None:
            try:
                request = handshake.decode_request(payload)
            except HandshakeError as error:
                self._settle(RefusalError(f"the agent's handshake cannot be read: {error}"))
                return
            self.agent_version = request.agent_version
            self._response = self._respond(request)
        self._channel.send(PayloadType.HANDSHAKE_RESPONSE, self._response)  # a repeated request gets the same answer

    def _respond(self, request: HandshakeRequest) -> bytes:
        errors: list[str] = []
        actions = tuple(self._process(action, errors) for action in request.actions)
        return handshake.encode_response(handshake.HandshakeResponse(handshake.CLIENT_VERSION, actions, tuple(errors)))

    def _process(self, action: RequestedAction, errors: list[str]) -> ProcessedAction:
        kind = action.action_type
        if kind not in (ActionType.SESSION_TYPE, ActionType.KMS_ENCRYPTION):
            errors.append(f"Unsupported action {kind}")
            return ProcessedAction(kind, ActionStatus.UNSUPPORTED, error=errors[-1])
        try:
            if kind == ActionType.KMS_ENCRYPTION:
                raise RefusalError("this session is to be encrypted with AWS KMS, which this plugin cannot do yet")
            self._take_type(action)
        except RefusalError as refusal:
            errors.append(str(refusal))
            self._settle(refusal)
        except _UnknownTypeError as error:
            errors.append(str(error))
        else:
            return ProcessedAction(kind, ActionStatus.SUCCESS)
        return ProcessedAction(kind, ActionStatus.FAILED, error=f"Failed to process action {kind}: {errors[-1]}")

    def _take_type(self, action: RequestedAction) -> None:
        name = action.parameters.get("SessionType")
        if name not in [kind.value for kind in SessionType]:
            raise _UnknownTypeError(f"Unknown session type {name}")
        self._session_type = SessionType(str(name))
        if self._session_type is not SessionType.PORT:
            return
        try:
            self._properties = handshake.port_properties(action.parameters.get("Properties"))
            if self._properties.kind and self._listener is None:
                self._listener = Listener.bind(self._properties)
        except (HandshakeError, ListenError) as error:
            raise RefusalError(str(error)) from error

    def _complete(self, payload: bytes) -> None:
        try:
            complete = handshake.decode_complete(payload)
        except HandshakeError:
            complete = handshake.HandshakeComplete(0)
        if complete.customer_message:
            self._console.line(f"{complete.customer_message}\n")
        if self._session_type is not None and not self.settled.done():
            self._settle(self._handler(self._session_type))

    def _handler(self, session_type: SessionType) -> Handler:
        channel, console, limits = self._channel, self._console, self._limits
        if session_type is not SessionType.PORT or self._properties is None:
            return Shell(channel, console, session_type=session_type, limits=limits)
        listener, self._listener = self._listener, None
        if listener is None:
            return StandardStreams(channel, console, session_id=self._session_id, limits=limits)
        if handshake.agent_muxes(self.agent_version, self._properties):
            keepalive = handshake.agent_needs_keepalive(self.agent_version)
            return MuxPorts(channel, console, listener, session_id=self._session_id, keepalive=keepalive, limits=limits)
        return BasicPorts(channel, console, listener, session_id=self._session_id, limits=limits)


class _UnknownTypeError(Exception):
    """A session type that we do not know; the agent ends such a session, with its own words."""
