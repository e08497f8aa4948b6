"""Gives orders to a running demo cloud: signs as its administrator, with the keys that the cloud's environment has."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ssm_tui.errors import SsmTuiError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATIENCE = 60.0
_NEEDED = ("AWS_ENDPOINT_URL", "AWS_REGION", "DEMO_ADMIN_ACCESS_KEY_ID", "DEMO_ADMIN_SECRET_ACCESS_KEY")


class OrderError(SsmTuiError):
    """The cloud did not take the order."""


class OrderClient:
    """`environment` is the cloud's, as `ssm-tui demo` prints it; what an order is about is looked for in `region`.
    `command` is the one whose help a refusal points to."""

    def __init__(self, environment: Mapping[str, str], region: str = "", *, command: str) -> None:
        missing = [name for name in _NEEDED if not environment.get(name)]
        if missing:
            raise OrderError(
                f"there is no demo cloud in this environment ({missing[0]} is not set)",
                "run it in the environment that `ssm-tui demo` prints, or after `ssm-tui demo --`",
            )
        self._environment = environment
        self._region = region or environment["AWS_REGION"]
        self._command = command

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        """The answer to the order. Raises OrderError."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        url = self._environment["AWS_ENDPOINT_URL"]
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Demo.{operation}"}
        request = AWSRequest("POST", f"{url}/", headers, json.dumps(parameters).encode())
        key, secret = (self._environment[name] for name in _NEEDED[2:])
        SigV4Auth(Credentials(key, secret), "demo", self._region).add_auth(request)
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE)
        try:
            connection.request("POST", "/", request.body, dict(request.headers))
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OrderError(f"the demo cloud does not answer: {error}", "is it still running?") from None
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise OrderError(str(answer.get("message", answer)), f"see: {self._command} --help")
        return answer
