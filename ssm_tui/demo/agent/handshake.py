"""The agent's half of a session's handshake: what kind of session it is, and the key of one that is encrypted.

Waits, checks and words are those of AWS's agent (agent/session/datachannel/datachannel.go of aws/amazon-ssm-agent; how
they reach the client: its issue 275).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
import uuid
from typing import TYPE_CHECKING

from ssm_tui.demo.agent.order import KeyRefused
from ssm_tui.plugin.encryption import KeyUnusableError, SessionCipher, encryption_context
from ssm_tui.plugin.framing import PayloadType
from ssm_tui.plugin.handshake import (
    ActionStatus,
    ActionType,
    HandshakeComplete,
    HandshakeError,
    HandshakeRequest,
    HandshakeResponse,
    SessionType,
    decode_challenge,
    decode_response,
    encode_challenge,
    encode_complete,
    encode_request,
    encryption_action,
    sealed_key,
    session_action,
)

if TYPE_CHECKING:
    from ssm_tui.demo.agent.channel import DataChannel
    from ssm_tui.demo.agent.order import Encryption, SessionOrder
    from ssm_tui.plugin.framing import Message

_PATIENCE = 15.0  # seconds for each answer
_ENCRYPTED = "This session is encrypted using AWS KMS."
_TIMED_OUT = "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."


class HandshakeFailed(Exception):  # noqa: N818 -- the agent's own word
    """The session does not begin; the text is what the agent reports of it."""


class Handshake:
    """One handshake, from the request to HandshakeComplete."""

    def __init__(self, channel: DataChannel, order: SessionOrder) -> None:
        self._channel = channel
        self._order = order
        loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[HandshakeResponse] = loop.create_future()
        self._challenged: asyncio.Future[bytes] = loop.create_future()
        self.complete = False
        """From here on the client's data belongs to the session."""

    @staticmethod
    def needed(order: SessionOrder) -> bool:
        shaken = {SessionType.PORT, SessionType.NON_INTERACTIVE_COMMANDS}
        return order.session_type in shaken or order.encryption is not None

    def receive(self, message: Message) -> None:
        """The client's answers; as AWS's agent, throws away what comes beside them."""
        with contextlib.suppress(HandshakeError):
            if message.payload_type == PayloadType.HANDSHAKE_RESPONSE and not self._answer.done():
                self._answer.set_result(decode_response(message.payload))
                self.complete = self._order.encryption is None
            elif message.payload_type == PayloadType.ENCRYPTION_CHALLENGE_RESPONSE and not self._challenged.done():
                self._challenged.set_result(decode_challenge(message.payload))
                self.complete = True

    async def run(self) -> str:
        """The client's version. Raises `HandshakeFailed`."""
        began = time.monotonic_ns()
        try:
            version = await self._run()
        except (HandshakeError, KeyRefused, KeyUnusableError) as error:
            raise HandshakeFailed(
                f"\n----------ERROR-------\nEncountered error while initiating handshake. {error}\n"
            ) from error
        text = _ENCRYPTED if self._order.encryption is not None else ""
        complete = HandshakeComplete(time.monotonic_ns() - began, text)
        self._channel.post(PayloadType.HANDSHAKE_COMPLETE, encode_complete(complete))
        return version

    async def _run(self) -> str:
        order, encryption = self._order, self._order.encryption
        # Only a port session tells its properties; the client needs them to listen.
        shown = dict(sorted(order.properties.items())) if order.session_type == SessionType.PORT else None
        actions = [session_action(order.session_type, shown)]
        if encryption is not None:
            actions.append(encryption_action(encryption.key_id, secrets.token_bytes(16)))
        request = HandshakeRequest(order.agent_version, tuple(actions))
        self._channel.post(PayloadType.HANDSHAKE_REQUEST, encode_request(request))
        try:
            response = await asyncio.wait_for(self._answer, _PATIENCE)
        except TimeoutError as error:
            raise HandshakeError(_TIMED_OUT) from error
        for action in response.actions:
            if action.status != ActionStatus.SUCCESS:
                kind, status = action.action_type, action.status
                raise HandshakeError(f"{kind} failed on client with status {status} error: {action.error}")
        if encryption is not None:
            await self._encrypt(encryption, response)
        return response.client_version

    async def _encrypt(self, encryption: Encryption, response: HandshakeResponse) -> None:
        results = [each.result for each in response.actions if each.action_type == ActionType.KMS_ENCRYPTION]
        sealed = sealed_key(results[0] if results else None)
        context = encryption_context(self._order.session_id, self._order.target)
        try:
            plain = await asyncio.to_thread(encryption.decrypt, sealed, context)
        except KeyRefused as error:
            where = f"\n\tstatus code: 400, request id: {uuid.uuid4()}"
            wrapped = f"Unable to retrieve data key, Error when decrypting data key {error}{where}"
            raise HandshakeError(f"Fetching data key failed: {wrapped}") from error
        cipher = self._channel.cipher = SessionCipher(plain, agent=True)
        challenge = secrets.token_bytes(64)
        self._channel.post(PayloadType.ENCRYPTION_CHALLENGE_REQUEST, encode_challenge(cipher.encrypt(challenge)))
        try:
            answer = cipher.decrypt(await asyncio.wait_for(self._challenged, _PATIENCE))
        except TimeoutError as error:
            raise HandshakeError("Timed out waiting for encryption challenge.") from error
        if answer != challenge:
            raise HandshakeError("Encryption challenge does not match!")
