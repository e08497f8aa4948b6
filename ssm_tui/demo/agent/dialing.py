"""From a node to the host and port a session names: the agent's own rules, the node itself, the far network."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING

from ssm_tui.demo.agent.order import FarNameError, FarNetwork, FarRefused, FarTimeout, SessionOrder

if TYPE_CHECKING:
    from ssm_tui.demo.servers import NodeServices

SSH_PORT = 22
# What the agent denies by default (DeniedPortForwardingRemoteIPs of its configuration): metadata, DNS, time, licences.
_FORBIDDEN = frozenset(
    ipaddress.ip_address(address)
    for address in (
        *("169.254.169.254", "169.254.169.253", "169.254.169.123", "169.254.169.250"),
        *("fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::123", "fd00:ec2::250"),
    )
)


class DialError(Exception):
    """The target was not reached; the text is what Go's dialer says."""


class ForbiddenTarget(Exception):  # noqa: N818 -- the agent's own word
    """The agent will not dial this at all; the text ends the session."""


class Dialer:
    """Dials the one target of a port session, as often as wanted."""

    def __init__(self, order: SessionOrder, network: FarNetwork, services: NodeServices, *, patience: float) -> None:
        self._order = order
        self._node = order.target
        self._hostname = order.hostname
        self._host = order.properties.get("host", "").strip()
        self._port_text = order.properties.get("portNumber", "").strip()
        self._network = network
        self._services = services
        self._patience = patience

    @property
    def _port(self) -> int:
        return int(self._port_text) if self._port_text.isascii() and self._port_text.isdecimal() else 0

    @property
    def _local(self) -> bool:
        return self._host in {"", "localhost", self._hostname} or _is_loopback(self._host)

    async def check(self) -> None:
        """What the agent looks at before it takes connections. Raises `ForbiddenTarget`."""
        if not 0 < self._port < 65536:
            raise ForbiddenTarget(f"dial tcp: address {self._port_text}: invalid port")
        if _address(self._host) in _FORBIDDEN:
            raise ForbiddenTarget(f"Forwarding to IP address {self._host} is forbidden.")
        if not self._local:
            try:
                await asyncio.to_thread(self._network.resolve, self._node, self._host, self._port)
            except FarNameError as error:
                raise ForbiddenTarget(str(error)) from error
            except (FarRefused, FarTimeout):
                pass  # found out, and told, at each connection

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the target. Raises `DialError`."""
        shown = f"{self._host or '127.0.0.1'}:{self._port}"
        try:
            return await asyncio.open_connection(*await self._resolve())
        except FarNameError as error:
            raise DialError(f"dial tcp: {error}") from error
        except FarTimeout as error:
            await asyncio.sleep(self._patience)  # dropped packets are noticed by their silence alone
            raise DialError(f"dial tcp {shown}: connect: connection timed out") from error
        except (FarRefused, ConnectionError) as error:
            raise DialError(f"dial tcp {shown}: connect: connection refused") from error
        except OSError as error:
            raise DialError(f"dial tcp {shown}: {error.strerror or error}") from error

    async def _resolve(self) -> tuple[str, int]:
        if not self._local:
            return await asyncio.to_thread(self._network.resolve, self._node, self._host, self._port)
        if self._port == SSH_PORT:
            address = await self._services.ssh_address(self._order)
        else:
            windows = self._order.platform == "windows"
            address = await self._services.address(self._hostname, self._port, windows=windows)
        if address is None:
            raise FarRefused(f"nothing listens on port {self._port} of the node")
        return address


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_loopback
