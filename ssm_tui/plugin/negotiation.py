"""From the agent's first message to the handler of the session: the handshake, or its absence.

A local port is bound before the agent hears that we are ready, so a busy one fails the session before it stands.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ssm_tui.plugin import handshake
from ssm_tui.plugin.basic import BasicPorts
from ssm_tui.plugin.encryption import KeyUnusableError, SessionCipher
from ssm_tui.plugin.framing import Message, PayloadType
from ssm_tui.plugin.handshake import ActionStatus, ActionType, HandshakeError, ProcessedAction, SessionType
from ssm_tui.plugin.mux import MuxPorts
from ssm_tui.plugin.service import ServiceError
from ssm_tui.plugin.shell import Shell
from ssm_tui.plugin.sockets import Listener, ListenError
from ssm_tui.plugin.stdio import StandardStreams

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ssm_tui.plugin.channel import DataChannel
    from ssm_tui.plugin.console import Console
    from ssm_tui.plugin.encryption import DataKey
    from ssm_tui.plugin.handler import Handler
    from ssm_tui.plugin.handshake import HandshakeRequest, PortProperties, RequestedAction
    from ssm_tui.plugin.limits import Limits

_COMMAND_DOCUMENT: Final = "AWS-StartInteractiveCommand"


class RefusalError(Exception):
    """This session cannot be taken: not this kind, or not on this machine. Says why."""


class Negotiation:
    """`begun` is set by the first message, `settled` by the handler or by the `RefusalError` that came of it."""

    def __init__(
        self,
        channel: DataChannel,
        console: Console,
        *,
        session_id: str,
        document: str,
        data_key: Callable[[str], Awaitable[DataKey]],
        limits: Limits,
    ) -> None:
        self._channel, self._console = channel, console
        self._session_id = session_id
        self._document = document
        self._data_key = data_key
        self._limits = limits
        self._answering: asyncio.Task[None] | None = None
        self._response: bytes | None = None
        self._cipher: SessionCipher | None = None
        self._key_id = ""
        self._completed = False
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
            case PayloadType.ENCRYPTION_CHALLENGE_REQUEST:
                self._challenge(message.payload)
            case PayloadType.ENCRYPTION_CHALLENGE_RESPONSE:
                pass  # ours, never the agent's
            case _:
                if first:
                    self._without_handshake()
                return False
        return True

    @property
    def undecided_key(self) -> str:
        """The KMS key whose use the agent has yet to confirm; empty where nothing is to be encrypted, or all is."""
        return self._key_id if self._cipher is not None and not self._completed else ""

    def close(self) -> None:
        """Releases a port that no handler took over."""
        if self._answering is not None:
            self._answering.cancel()
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
        if self._response is not None:  # a repeated request gets the same answer
            self._channel.send(PayloadType.HANDSHAKE_RESPONSE, self._response)
        elif self._answering is None:
            try:
                request = handshake.decode_request(payload)
            except HandshakeError as error:
                self._settle(RefusalError(f"the agent's handshake cannot be read: {error}"))
                return
            self.agent_version = request.agent_version
            self._answering = asyncio.get_running_loop().create_task(self._answer(request))
            self._answering.add_done_callback(self._report)

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (defect := task.exception()) is not None and not self.settled.done():
            self.settled.set_exception(defect)

    async def _answer(self, request: HandshakeRequest) -> None:
        errors: list[str] = []
        actions = tuple([await self._process(action, errors) for action in request.actions])
        response = handshake.HandshakeResponse(handshake.CLIENT_VERSION, actions, tuple(errors))
        self._response = handshake.encode_response(response)
        self._channel.send(PayloadType.HANDSHAKE_RESPONSE, self._response)
        self._channel.cipher = self._cipher

    async def _process(self, action: RequestedAction, errors: list[str]) -> ProcessedAction:
        kind = action.action_type
        result: object = None
        try:
            if kind == ActionType.KMS_ENCRYPTION:
                result = await self._take_key(action)
            elif kind == ActionType.SESSION_TYPE:
                self._take_type(action)
            else:
                errors.append(f"Unsupported action {kind}")
                return ProcessedAction(kind, ActionStatus.UNSUPPORTED, error=errors[-1])
        except RefusalError as refusal:
            errors.append(str(refusal))
            self._settle(refusal)
        except _UnknownTypeError as error:
            errors.append(str(error))
        else:
            return ProcessedAction(kind, ActionStatus.SUCCESS, result)
        return ProcessedAction(kind, ActionStatus.FAILED, error=f"Failed to process action {kind}: {errors[-1]}")

    # -- encryption ---------------------------------------------------------------------------------------------------

    async def _take_key(self, action: RequestedAction) -> object:
        try:
            self._key_id = handshake.encryption_key_id(action)
            key = await self._data_key(self._key_id)
            self._cipher = SessionCipher(key.plain)
        except HandshakeError as error:
            raise RefusalError(str(error)) from error
        except ServiceError as error:
            raise RefusalError(f"kms:GenerateDataKey with the key {self._key_id} failed: {error}") from error
        except KeyUnusableError as error:
            raise RefusalError(f"this session is encrypted with AWS KMS: {error}") from error
        return handshake.encryption_result(key.sealed)

    def _challenge(self, payload: bytes) -> None:
        """Proves to the agent that both have the same key, by its own words under ours."""
        if self._cipher is None:
            return
        try:
            challenge = self._cipher.decrypt(handshake.decode_challenge(payload))
        except HandshakeError:
            challenge = None
        if challenge is None:
            self._settle(RefusalError(f"the agent has another data key than ours, of the KMS key {self._key_id}"))
            return
        answer = handshake.encode_challenge(self._cipher.encrypt(challenge))
        self._channel.send(PayloadType.ENCRYPTION_CHALLENGE_RESPONSE, answer)

    # -- the kind of session ------------------------------------------------------------------------------------------

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
        self._completed = True
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
