"""What everything that makes the fleet needs: the administrator's clients, and the ids that names have been given."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssm_tui.demo.fleet import Fleet
    from ssm_tui.demo.registry import Registry


@dataclass(frozen=True, slots=True)
class Keys:
    """One caller's access key."""

    access_key: str
    secret: str = field(repr=False)


@dataclass(slots=True)
class Seeding:
    """The work in progress: clients by region, and the ids that names have been given."""

    url: str
    fleet: Fleet
    admin: Keys
    registry: Registry
    progress: Callable[[str], None]
    vpcs: dict[str, str] = field(default_factory=dict)
    subnets: dict[tuple[str, str], str] = field(default_factory=dict)
    groups: dict[tuple[str, str], str] = field(default_factory=dict)
    # One session: each reads botocore's 0.1 s of endpoint data anew.
    _session: Any = field(default_factory=boto3.session.Session)
    _ages: Iterator[int] = field(default_factory=itertools.count)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str) -> Any:
        """A client signed by the administrator; made once for each service and region."""
        if (service, region) not in self._clients:
            self._clients[service, region] = self._session.client(
                service,
                region_name=region,
                endpoint_url=self.url,
                aws_access_key_id=self.admin.access_key,
                aws_secret_access_key=self.admin.secret,
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service, region]

    def next_age(self) -> int:
        """How many days ago the next node was launched: a different number for each, the same in every run."""
        return 2 + next(self._ages) * 37 % 211

    def of_network(self, service: str, network: str) -> Any:
        """The same, for the region of a network."""
        return self.client(service, self.fleet.networks[network].region)
