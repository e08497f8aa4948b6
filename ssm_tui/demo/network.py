"""The far side of sessions: which private endpoints a node reaches, by the live EC2, RDS and ElastiCache state.

A name resolves only in the VPC of its endpoint and in those joined to it; what gets there is `passage`'s to say. What
gets there leads to the real server of that engine on loopback, if there is one.
"""

from __future__ import annotations

import ipaddress
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.demo.agent import FarNameError, FarRefused, FarTimeout
from ssm_tui.demo.landscape import machines
from ssm_tui.demo.passage import Passage, Spot
from ssm_tui.demo.private_endpoints import PrivateEndpoint, endpoints
from ssm_tui.demo.servers import Far

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from ssm_tui.demo.faults import Faults
    from ssm_tui.demo.landscape import Machine
    from ssm_tui.demo.registry import Registry


@dataclass(frozen=True, slots=True)
class LiveNetwork:
    """FarNetwork over moto's state. `servers`: where an endpoint's real server is, None where there is none."""

    registry: Registry
    servers: Callable[[Far], tuple[str, int] | None]
    state: threading.Lock
    faults: Faults

    def resolve(self, node: str, host: str, port: int) -> tuple[str, int]:
        """As FarNetwork has it; names compare as DNS compares them."""
        wanted = host.rstrip(".").lower()
        with self.state:
            place = self.registry.whereabouts(node)
            source = self.registry.source(*place, node) if place is not None else None
            if place is None or source is None:
                raise _unknown(host, "")
            found = self._named(wanted, port, source, *place)
            if found is None:
                return self._elsewhere(source, host, port)
            self._pass(source, found, port)
        self.faults.reach(found.host, port)
        far = Far(found.host, found.port, found.engine, *place, source.private_ip, found.terms)
        server = self.servers(far) if port == found.port else None
        if server is None:
            raise FarRefused(f"dial tcp {host}:{port}: connect: connection refused")
        return server

    def _named(self, host: str, port: int, source: Machine, account: str, region: str) -> PrivateEndpoint | None:
        """The endpoint on the port, of the few names that have several; else any of that name."""
        passage = Passage(account, region)
        every = [each for each in endpoints(account, region) if each.host == host]
        known = [each for each in every if passage.knows(each.vpc, source.vpc)]
        return next((each for each in known if each.port == port), known[0] if known else None)

    def _pass(self, source: Machine, found: PrivateEndpoint, port: int) -> None:
        passage = Passage(source.account, source.region)
        if not (passage.connects(_spot(source), _endpoint_spot(passage, found), port) and found.available):
            raise FarTimeout(f"dial tcp {found.host}:{port}: i/o timeout")

    def _elsewhere(self, source: Machine, host: str, port: int) -> tuple[str, int]:
        """Addresses: a machine that packets get to refuses, everything else is silent."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise _unknown(host, source.private_ip) from None
        passage = Passage(source.account, source.region)
        for each in machines(source.account, source.region):
            if each.private_ip == host and each.running and passage.knows(each.vpc, source.vpc):
                if passage.connects(_spot(source), _spot(each), port):
                    raise FarRefused(f"dial tcp {host}:{port}: connect: connection refused")
                break
        raise FarTimeout(f"dial tcp {host}:{port}: i/o timeout")


def _spot(machine: Machine) -> Spot:
    return Spot(machine.vpc, machine.subnet, machine.zone, machine.private_ip, machine.groups, machine.platform)


def _endpoint_spot(passage: Passage, found: PrivateEndpoint) -> Spot:
    """Where a database stands, which no call tells: in a subnet of its zone, at an address that its name gives."""
    known = passage.subnets(found.vpc)
    named = [known[each] for each in found.subnets if each in known] or list(known.values())
    here = [each for each in named if each.availability_zone == found.zone] or named
    number = zlib.crc32(found.host.encode())
    subnet = here[number % len(here)]
    network = ipaddress.ip_network(subnet.cidr_block)
    address = network[4 + number % (network.num_addresses - 5)]  # the first four and the last are AWS's
    return Spot(found.vpc, subnet.id, subnet.availability_zone, str(address), found.groups)


def _unknown(host: str, address: str) -> FarNameError:
    # A VPC's resolver is the third address of its range; a machine outside one asks its own.
    resolver = f"{'.'.join(address.split('.')[:2])}.0.2" if address else "127.0.0.53"
    return FarNameError(f"lookup {host} on {resolver}:53: no such host")
