"""One demo cloud a test worker, for every test that wants AWS: import `demo_cloud` in a conftest to use it.

Tests that change the cloud put it back, or change only what they made themselves.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import Fault, Order
from ssm_tui.demo.runner import DemoProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The cloud's own checks are what is tested, so the client makes none.
_QUICK = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30, parameter_validation=False)


@pytest.fixture(scope="session")
def demo_cloud() -> Iterator[DemoProcess]:
    """A running cloud; `environment` leads to it."""
    with DemoProcess() as cloud:
        yield cloud


@pytest.fixture
def faults(demo_cloud: DemoProcess) -> Iterator[FaultClient]:
    """Faults in the shared cloud. Those that last are ended after the test."""
    client = FaultClient(demo_cloud.environment)
    yield client
    client.inject(Order(Fault.CLEAR))


@functools.cache
def _session() -> Any:
    """One for all: each reads botocore's 0.1 s of endpoint data anew.

    It must not look at the environment: what one test sets there is missing in the files that it read for another.
    """
    nothing = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=nothing))


class Caller:
    """boto3 clients of one caller; every client is made once."""

    def __init__(self, environment: Mapping[str, str], access_key: str, secret: str, token: str | None = None) -> None:
        self._environment = environment
        self._keys = {"aws_access_key_id": access_key, "aws_secret_access_key": secret, "aws_session_token": token}
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str = "") -> Any:
        where = region or self._environment["AWS_REGION"]
        if (service, where) not in self._clients:
            self._clients[service, where] = _session().client(
                service,
                region_name=where,
                endpoint_url=self._environment["AWS_ENDPOINT_URL"],
                config=_QUICK,
                **self._keys,
            )
        return self._clients[service, where]

    def close(self) -> None:
        """Ends the clients' connections."""
        for client in self._clients.values():
            client.close()


def developer_of(cloud: DemoProcess) -> Caller:
    """The caller the tool runs as."""
    environment = cloud.environment
    return Caller(environment, environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])


def administrator_of(cloud: DemoProcess) -> Caller:
    """The caller who may change anything."""
    environment = cloud.environment
    return Caller(environment, environment["DEMO_ADMIN_ACCESS_KEY_ID"], environment["DEMO_ADMIN_SECRET_ACCESS_KEY"])
