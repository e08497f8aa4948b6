"""The cipher of a session that is encrypted with AWS KMS: AES-256-GCM over payloads, for both ends.

KMS makes 64 bytes for one session: the agent encrypts with the first half, the client with the second. On the wire a
payload is a nonce of 12 bytes and the ciphertext with its tag. `cryptography` is imported here alone, and only when a
session is encrypted: it costs 0.1 s.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

KEY_BYTES: Final = 64
_NONCE: Final = 12
_TAG: Final = 16


class KeyUnusableError(Exception):
    """There is no cipher for this key; says why."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key that KMS made for one session: as it is, and as only KMS can read it."""

    plain: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


def encryption_context(session_id: str, target: str) -> dict[str, str]:
    """What both ends name to KMS; a key is worth nothing under another."""
    return {"aws:ssm:SessionId": session_id, "aws:ssm:TargetId": target}


class SessionCipher:
    """One end of an encrypted session."""

    def __init__(self, key: bytes, *, agent: bool = False) -> None:
        """Raises `KeyUnusableError`."""
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise KeyUnusableError("it needs the package cryptography, which is not installed") from error
        if len(key) != KEY_BYTES:
            raise KeyUnusableError(f"KMS answered with a key of {len(key)} bytes instead of {KEY_BYTES}")
        halves = key[: KEY_BYTES // 2], key[KEY_BYTES // 2 :]
        ours, theirs = halves if agent else halves[::-1]
        self._ours, self._theirs = AESGCM(ours), AESGCM(theirs)
        self._invalid = InvalidTag

    def encrypt(self, payload: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._ours.encrypt(nonce, payload, None)

    def decrypt(self, payload: bytes) -> bytes | None:
        """None for what the other end did not encrypt with this key."""
        if len(payload) < _NONCE + _TAG:
            return None
        try:
            return self._theirs.decrypt(payload[:_NONCE], payload[_NONCE:], None)
        except self._invalid:
            return None
