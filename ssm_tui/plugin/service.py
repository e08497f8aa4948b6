"""The calls of AWS's APIs that a plugin makes: ResumeSession and TerminateSession of SSM, GenerateDataKey of KMS.

The one module here that imports botocore, and only inside a call: it costs half a second, which an ordinary session
never needs. Calls run in daemon threads, so that a hanging one cannot keep the process alive.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssm_tui.plugin.encryption import KEY_BYTES, DataKey, encryption_context

if TYPE_CHECKING:
    from collections.abc import Callable

_RETRY_CODES = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "InternalServerError"}
)

_UNKNOWN_CREDENTIALS = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException"})


class ServiceError(Exception):
    """A call that failed. `final` means that trying again cannot mend it. Holds no secret."""

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class _Call:
    api: str
    operation: str
    parameters: dict[str, Any]
    endpoint: str


@dataclass(frozen=True, slots=True)
class Service:
    """Where and as whom to call: arguments 2, 4 and 6 of the plugin; empty means the SDK's defaults."""

    region: str
    profile: str = ""
    endpoint: str = ""
    seconds: float = 5.0
    kms_seconds: float = 12.0

    async def resume(self, session_id: str) -> str:
        """The new token of a session, empty where the service has none any more. Raises `ServiceError`."""
        response = await self._session_call("resume_session", session_id)
        token = response.get("TokenValue")
        return token if isinstance(token, str) else ""

    async def terminate(self, session_id: str) -> None:
        """Raises `ServiceError`."""
        await self._session_call("terminate_session", session_id)

    async def data_key(self, key_id: str, session_id: str, target: str) -> DataKey:
        """A key for one session. KMS has its own endpoint, not the one of SSM. Raises `ServiceError`."""
        parameters = {
            "KeyId": key_id,
            "NumberOfBytes": KEY_BYTES,
            "EncryptionContext": encryption_context(session_id, target),
        }
        call = _Call("kms", "generate_data_key", parameters, "")
        response = await self._call(call, "AWS KMS", self.kms_seconds)
        return DataKey(response["Plaintext"], response["CiphertextBlob"])

    async def _session_call(self, operation: str, session_id: str) -> dict[str, Any]:
        call = _Call("ssm", operation, {"SessionId": session_id}, self.endpoint)
        return await self._call(call, "the Systems Manager service", self.seconds)

    async def _call(self, call: _Call, who: str, seconds: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                return await _in_daemon_thread(lambda: self._blocking_call(call))
        except TimeoutError:
            raise ServiceError(f"{who} did not answer in time", final=False) from None

    def _blocking_call(self, call: _Call) -> dict[str, Any]:
        try:
            import botocore.session
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, HTTPClientError
            from botocore.exceptions import ConnectionError as SdkConnectionError
        except ImportError as error:
            raise ServiceError("botocore, which calls AWS, is not installed", final=True) from error

        try:
            session = botocore.session.Session(profile=self.profile or None)
            config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
            client = session.create_client(
                call.api, region_name=self.region or None, endpoint_url=call.endpoint or None, config=config
            )
            response: dict[str, Any] = getattr(client, call.operation)(**call.parameters)
        except ClientError as error:
            answer = error.response.get("Error", {})
            code = answer.get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            final = 400 <= status < 500 and status != 429 and code not in _RETRY_CODES
            text = f"{code}: {answer.get('Message', '')}".strip(": ")
            if code in _UNKNOWN_CREDENTIALS:  # in botocore's own words, which whoever runs us knows
                text = f"Unable to locate credentials that still hold: {text}"
            raise ServiceError(text, final=final) from error
        except (SdkConnectionError, HTTPClientError, CredentialRetrievalError) as error:
            # A program that fetches credentials fails without a network too.
            raise ServiceError(str(error), final=False) from error
        except (BotoCoreError, ValueError) as error:  # botocore answers some wrong endpoints with a bare ValueError
            raise ServiceError(str(error), final=True) from error
        return response


async def _in_daemon_thread(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[dict[str, Any]] = loop.create_future()

    def settle(result: dict[str, Any] | None, error: BaseException | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result or {})

    def run() -> None:
        result, problem = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 -- handed to whoever waits
            problem = error
        try:
            loop.call_soon_threadsafe(settle, result, problem)
        except RuntimeError:  # the loop is closed: the process is ending
            return

    threading.Thread(target=run, daemon=True, name="ssm-api").start()
    return await answer
