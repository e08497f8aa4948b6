"""Sessions encrypted with KMS: the cipher against recorded traffic, the handshake through the real plugin process."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ssm_tui.plugin import handshake
from ssm_tui.plugin.encryption import KeyUnusableError, SessionCipher
from ssm_tui.plugin.framing import PayloadType
from ssm_tui.plugin.handshake import HandshakeComplete, HandshakeRequest
from tests.plugin.gateway import SESSION, TARGET, ApiCall, Gateway, gateway, plugin
from tests.plugin.recordings import load_json

if TYPE_CHECKING:
    from tests.plugin.gateway import Plugin

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PLAIN = bytes(range(64))
TERMINATED = ApiCall("TerminateSession", {"SessionId": SESSION})
ASKED = ApiCall(
    "GenerateDataKey",
    {
        "KeyId": KEY,
        "NumberOfBytes": 64,
        "EncryptionContext": {"aws:ssm:SessionId": SESSION, "aws:ssm:TargetId": TARGET},
    },
)


def test_the_recorded_payloads_can_be_read_by_the_right_end() -> None:
    recorded = load_json("kms.json")
    key = bytes.fromhex(recorded["data_key_hex"])
    plugin_end, agent_end = SessionCipher(key), SessionCipher(key, agent=True)
    assert len(recorded["payloads"]) > 15
    for payload in recorded["payloads"]:
        wire = bytes.fromhex(payload["nonce_hex"] + payload["ciphertext_and_tag_hex"])
        reader, other = (plugin_end, agent_end) if payload["key"].startswith("agent") else (agent_end, plugin_end)
        assert reader.decrypt(wire) == bytes.fromhex(payload["plaintext_hex"])
        assert other.decrypt(wire) is None


def test_what_one_end_encrypts_the_other_reads_and_each_time_is_another() -> None:
    plugin_end, agent_end = SessionCipher(PLAIN), SessionCipher(PLAIN, agent=True)
    first, second = plugin_end.encrypt(b"secret"), plugin_end.encrypt(b"secret")
    assert first != second
    assert len(first) == 12 + 6 + 16
    assert agent_end.decrypt(first) == agent_end.decrypt(second) == b"secret"
    assert plugin_end.decrypt(agent_end.encrypt(b"")) == b""


@pytest.mark.parametrize("damage", ["cut", "empty", "bit", "nonce"])
def test_damaged_payloads_are_refused(damage: str) -> None:
    wire = bytearray(SessionCipher(PLAIN).encrypt(b"secret"))
    if damage == "cut":
        del wire[-1:]
    elif damage == "empty":
        wire.clear()
    else:
        wire[0 if damage == "nonce" else 15] ^= 1
    assert SessionCipher(PLAIN, agent=True).decrypt(bytes(wire)) is None


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(KeyUnusableError, match="a key of 32 bytes instead of 64"):
        SessionCipher(bytes(32))


def test_an_ordinary_session_does_not_load_cryptography() -> None:
    code = "import sys, ssm_tui.plugin.session; print('cryptography' in sys.modules, 'botocore' in sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert loaded.split() == ["False", "False"]


async def ask_for_encryption(service: Gateway) -> None:
    actions = (
        handshake.session_action("Standard_Stream", None),
        handshake.encryption_action(KEY, b"0123456789abcdef"),
    )
    await service.request(HandshakeRequest("3.3.987.0", actions))
    await service.until(lambda: bool(service.of_type(PayloadType.HANDSHAKE_RESPONSE)), "a handshake response")


def with_key(service: Gateway) -> None:
    answer = {
        "KeyId": KEY,
        "Plaintext": base64.b64encode(PLAIN).decode(),
        "CiphertextBlob": base64.b64encode(b"sealed").decode(),
    }
    service.data_key = lambda: (200, answer)
    service.cipher = SessionCipher(PLAIN, agent=True)


async def encrypted_shell(service: Gateway, running: Plugin) -> None:
    with_key(service)
    assert service.cipher is not None
    await ask_for_encryption(service)
    challenge = os.urandom(64)
    asked = handshake.encode_challenge(service.cipher.encrypt(challenge))
    await service.say(PayloadType.ENCRYPTION_CHALLENGE_REQUEST, asked)
    await service.until(lambda: bool(service.of_type(PayloadType.ENCRYPTION_CHALLENGE_RESPONSE)), "the answer")
    answer = handshake.decode_challenge(service.of_type(PayloadType.ENCRYPTION_CHALLENGE_RESPONSE)[0])
    assert service.cipher.decrypt(answer) == challenge
    text = "This session is encrypted using AWS KMS."
    await service.say(PayloadType.HANDSHAKE_COMPLETE, handshake.encode_complete(HandshakeComplete(7, text)))
    await running.shows(f"{text}\n")


async def test_an_encrypted_shell() -> None:
    async with gateway() as service, plugin(service) as running:
        await encrypted_shell(service, running)
        assert service.calls == [ASKED]
        response = handshake.decode_response(service.of_type(PayloadType.HANDSHAKE_RESPONSE)[0])
        assert [action.status for action in response.actions] == [1, 1]
        assert handshake.sealed_key(response.actions[1].result) == b"sealed"
        await service.output(b"the agent's secret")
        await running.shows("the agent's secret")
        running.type(b"my own secret")
        await service.until(lambda: service.data() == b"my own secret", "the keys")
        assert not any(b"secret" in message.payload for message in service.wire)
        assert [m.payload for m in service.wire if m.payload_type == PayloadType.SIZE] == [b'{"cols":300,"rows":100}']
        await service.end()
        assert await running.ends() == 0


async def test_what_was_encrypted_is_repeated_as_it_was_after_an_outage() -> None:
    async with gateway() as service, plugin(service) as running:
        await encrypted_shell(service, running)
        service.acknowledge = False
        running.type(b"keys")
        await service.until(lambda: service.data() == b"keys", "the keys")
        await service.cut()
        service.acknowledge = True
        await service.until(lambda: len(service.opens) == 2, "a new websocket")
        running.type(b" and more")
        await service.until(lambda: service.data() == b"keys and more", "the rest")
        copies = [m.payload for m in service.wire if m.payload_type == PayloadType.OUTPUT]
        assert len(set(copies)) == 2


async def test_a_message_of_another_key_ends_the_session() -> None:
    async with gateway() as service, plugin(service) as running:
        await encrypted_shell(service, running)
        service.cipher = None
        await service.output(b"not encrypted at all: do not print")
        assert await running.ends() == 1
        assert "do not print" not in running.text
        lost = f"Session: {SESSION} lost: a message that was not encrypted with the session's key\n"
        assert running.text.endswith(lost)
        assert service.calls == [ASKED, TERMINATED]


async def test_an_agent_with_another_key_is_refused() -> None:
    async with gateway() as service, plugin(service) as running:
        with_key(service)
        await ask_for_encryption(service)
        stranger = SessionCipher(bytes(64), agent=True)
        asked = handshake.encode_challenge(stranger.encrypt(b"challenge"))
        await service.say(PayloadType.ENCRYPTION_CHALLENGE_REQUEST, asked)
        assert await running.ends() == 1
        refusal = f"Cannot perform start session: the agent has another data key than ours, of the KMS key {KEY}\n"
        assert running.text.endswith(refusal)
        assert service.calls == [ASKED, TERMINATED]


@pytest.mark.parametrize("code", ["AccessDeniedException", "DisabledException", "NotFoundException"])
async def test_a_refused_data_key_is_one_line_and_the_session_is_ended(code: str) -> None:
    async with gateway() as service, plugin(service) as running:
        service.data_key = lambda: (400, {"__type": code, "message": "as AWS says it"})
        await ask_for_encryption(service)
        assert await running.ends() == 1
        assert running.text == (
            f"\nStarting session with SessionId: {SESSION}\n"
            f"Cannot perform start session: kms:GenerateDataKey with the key {KEY} failed: {code}: as AWS says it\n"
        )
        assert service.calls == [ASKED, TERMINATED]
        response = handshake.decode_response(service.of_type(PayloadType.HANDSHAKE_RESPONSE)[0])
        assert response.actions[1].status == 2


async def test_a_kms_that_cannot_be_reached_is_named() -> None:
    server = await asyncio.start_server(lambda _, w: w.close(), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()
    async with gateway() as service:
        endpoint, service.endpoint = service.endpoint, address
        async with plugin(service) as running:
            service.endpoint = endpoint
            await ask_for_encryption(service)
            assert await running.ends() == 1
            assert f"kms:GenerateDataKey with the key {KEY} failed: Could not connect to the endpoint" in running.text


async def test_an_agent_that_ends_the_session_without_a_word_may_lack_the_key() -> None:
    async with gateway() as service, plugin(service) as running:
        with_key(service)
        await ask_for_encryption(service)
        await service.end()
        assert await running.ends() == 1
        assert running.text.endswith(f"its node's role needs kms:Decrypt with the key {KEY}\n")
