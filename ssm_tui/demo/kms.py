"""KMS keys as policies name them, and a node's own use of one. The keys and the cryptography are moto's.

Identity policies decide; moto's key policies leave that to them, as the default ones of AWS do. Moto's KMS is imported
with the first call: most clouds never need it.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.demo.agent import KeyRefused
from ssm_tui.demo.answers import AwsFault
from ssm_tui.demo.policy import Request, evaluate
from ssm_tui.demo.principals import partition_of, role_policies

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from ssm_tui.demo.policy_conditions import Values
    from ssm_tui.demo.wire import WireRequest

_KEY_ID_LENGTH = 36  # in front of everything that moto encrypts
_USES = ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "Encrypt", "Decrypt", "ReEncrypt")


def key_arn(parameters: Mapping[str, Any], account: str, region: str) -> str:
    """The key that a call is about, `*` where it names none. A key that does not exist is a resource too."""
    named = str(parameters.get("KeyId") or _key_of(parameters.get("CiphertextBlob")))
    if not named:
        return "*"
    key = _find(named, account, region)
    if key is not None:
        return str(key.arn)
    return named if named.startswith("arn:") else f"arn:{partition_of(region)}:kms:{region}:{account}:key/{named}"


def context_keys(parameters: Mapping[str, Any]) -> dict[str, Values]:
    """The condition keys of a call's encryption context."""
    given = parameters.get("EncryptionContext")
    pairs = given.items() if isinstance(given, dict) else ()
    return {f"kms:EncryptionContext:{name}": (str(value),) for name, value in pairs}


def check_enabled(request: WireRequest, account: str) -> None:
    """Raises AwsFault for the use of a key that is disabled, which moto allows."""
    if request.service != "kms" or request.operation not in _USES:
        return
    key = _find(key_arn(request.json(), account, request.region), account, request.region)
    if key is not None and not key.enabled:
        raise AwsFault("DisabledException", f"{key.arn} is disabled.")


@dataclass(frozen=True, slots=True)
class NodeRole:
    """As whom a node's agent calls AWS."""

    account: str
    region: str
    role: str
    node: str

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:sts::{self.account}:assumed-role/{self.role}/{self.node}"


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """KMS as a node's agent sees it. `state` guards moto's state."""

    role: NodeRole
    state: threading.Lock

    def decrypt(self, sealed: bytes, context: Mapping[str, str]) -> bytes:
        """The key, if the role's policies allow it now. Raises KeyRefused in AWS's words."""
        account, region = self.role.account, self.role.region
        parameters = {"CiphertextBlob": base64.b64encode(sealed).decode(), "EncryptionContext": dict(context)}
        with self.state:
            arn = key_arn(parameters, account, region)
            policies = role_policies(account, region, self.role.role)
            verdict = evaluate(policies, Request("kms:Decrypt", arn, context_keys(parameters)))
            if not verdict.allowed:
                reason = "because no identity-based policy allows the kms:Decrypt action"
                raise KeyRefused(
                    f"AccessDeniedException: User: {self.role.arn} is not authorized to perform: kms:Decrypt on "
                    f"resource: {arn} {reason}"
                )
            key = _find(arn, account, region)
            if key is not None and not key.enabled:
                raise KeyRefused(f"DisabledException: {arn} is disabled.")
            from moto.kms.exceptions import AccessDeniedException, InvalidCiphertextException

            try:
                plain, _ = _backend(account, region).decrypt(sealed, dict(context))
            except InvalidCiphertextException as error:
                raise KeyRefused("InvalidCiphertextException: ") from error
            except AccessDeniedException as error:
                raise KeyRefused(f"AccessDeniedException: {error.message}") from error
        return bytes(plain)


def _key_of(sealed: object) -> str:
    try:
        return base64.b64decode(str(sealed or ""))[:_KEY_ID_LENGTH].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _find(named: str, account: str, region: str) -> Any:
    """Moto's key by id, alias or either's ARN; None where there is none."""
    backend = _backend(account, region)
    short = named.rpartition(":key/")[2]
    if ":alias/" in short:
        short = f"alias/{short.rpartition(':alias/')[2]}"
    if short.startswith("alias/"):
        short = backend.get_key_id_from_alias(short) or ""
    return backend.keys.get(short.rpartition(":key/")[2])


def _backend(account: str, region: str) -> Any:
    from moto.kms.models import kms_backends

    return kms_backends[account][region]
