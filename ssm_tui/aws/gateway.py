"""The one door to AWS's APIs: a call or its pages, by service and operation, with every failure translated.

What comes out are botocore's parsed responses; they end in `decode`. botocore is imported at the first use, not before.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from ssm_tui.aws.footprint import service_loaded
from ssm_tui.aws.login import Login
from ssm_tui.aws.throttling import Backoff
from ssm_tui.aws.translate import Request, translated
from ssm_tui.aws.whole_answers import refuse_cut_answers
from ssm_tui.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssm_tui.aws.signature import Signature
    from ssm_tui.domain.contexts import Context

CONNECT_TIMEOUT = 4.0
READ_TIMEOUT = 30.0
# The first contact tells "no network" from the rest and should do so soon; what follows waits with botocore's backoff
# (up to 20 s between two of the attempts). Calls that AWS throttles have a patience of their own: see `throttling`.
ATTEMPTS_AT_FIRST_CONTACT = 2
ATTEMPTS = 6


class Gateway(Protocol):
    """AWS's APIs as one context's caller reaches them. Every method blocks and may raise AwsError."""

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """One call: `call("ssm", "start_session", Target=…)`."""

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        """The pages of a paged operation, each a response."""

    def endpoint(self, service: str) -> str:
        """The URL that the service's calls go to."""

    def presigned(self, service: str, url: str, *, seconds: int) -> str:
        """A URL that whoever has it may GET in the caller's name, for so long; nothing is sent to it."""

    def signature(self) -> Signature:
        """How the calls are signed, as far as one has been made."""


class LiveGateway:
    """botocore behind the Gateway. Its clients are made once, and may be used from several threads. They sign with
    the profile's `login`, which its contexts share."""

    def __init__(self, context: Context, login: Login | None = None) -> None:
        self._context = context
        self._login = login or Login(context.profile)
        self._clients: dict[str, Any] = {}
        self._creating = threading.Lock()

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """One call. Raises AwsError."""
        request = self._request(service, operation, parameters)
        with translated(request):
            response: Mapping[str, Any] = getattr(self._client(service), operation)(**parameters)
            return response

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        """The pages of an operation. Raises AwsError while it is iterated."""
        request = self._request(service, operation, parameters)
        with translated(request):
            paginator = self._client(service).get_paginator(operation)
            pages = iter(paginator.paginate(**parameters, PaginationConfig={"PageSize": page_size}))
        while True:
            with translated(request):
                page: Mapping[str, Any] | None = next(pages, None)
            if page is None:
                return
            yield page

    def endpoint(self, service: str) -> str:
        """The URL that the service's calls go to. Raises AwsError."""
        with translated(Request(self._context, service)):
            return str(self._client(service).meta.endpoint_url)

    def presigned(self, service: str, url: str, *, seconds: int) -> str:
        """The URL with the caller's signature for the service. Raises AwsError where there are no credentials."""
        with translated(Request(self._context, f"{service}:connect")):
            return self._login.presigned(service, self._context.region, url, seconds)

    def signature(self) -> Signature:
        """How the calls are signed, as far as one has been made. Raises AwsError."""
        with translated(Request(self._context, "sts")):
            return self._login.signature()

    def _request(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Request:
        name = "".join(word.capitalize() for word in operation.split("_"))
        return Request(
            self._context,
            f"{_PREFIX.get(service, service)}:{_SPELLING.get(name, name)}",
            str(parameters.get("Target", "")),
        )

    def _client(self, service: str) -> Any:
        with self._creating:
            if service not in self._clients:
                self._clients[service] = self._create(service)
            return self._clients[service]

    def _create(self, service: str) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
        from botocore.handlers import json_decode_policies

        attempts = ATTEMPTS_AT_FIRST_CONTACT if service == "sts" else ATTEMPTS
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra="ssm-tui",
        )
        try:
            client = self._login.client(service, self._context.region, config)
        except BotoCoreError:
            raise
        except ValueError as error:
            raise NetworkError(str(error), "AWS_ENDPOINT_URL must be a URL, such as https://host:port") from None
        event = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}"
        client.meta.events.register_first(event, Backoff(service, attempts).needs_retry)
        refuse_cut_answers(client)
        if service == "iam":
            # Policies are wanted as they were written: IAM names statements by their lines.
            client.meta.events.unregister("after-call.iam", json_decode_policies)
        service_loaded(service)
        return client


# Where IAM's name of a service is not botocore's.
_PREFIX = {"opensearch": "es", "resourcegroupstaggingapi": "tag"}
# Where an IAM action is spelled otherwise than its method's words capitalised.
_SPELLING = {
    "DescribeDbClusterEndpoints": "DescribeDBClusterEndpoints",
    "DescribeDbClusters": "DescribeDBClusters",
    "DescribeDbInstances": "DescribeDBInstances",
    "DescribeDbProxies": "DescribeDBProxies",
    "DescribeDbProxyEndpoints": "DescribeDBProxyEndpoints",
    "DescribeDbSubnetGroups": "DescribeDBSubnetGroups",
    "SendSshPublicKey": "SendSSHPublicKey",
}
