"""What the control plane and the agent's side say to each other: the order of a session, the far network, the pace.

Pure values and one Protocol; no I/O. The control plane fills a `SessionOrder` from the document of StartSession and
implements `FarNetwork` over its live EC2 and RDS state; the agent carries the order out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """What StartSession decided: one session on one node."""

    session_id: str
    """`developer-0a1b2c…`."""
    target: str
    """`i-…` or `mi-…`."""
    hostname: str
    """The node's own name, `ip-10-1-4-17`."""
    platform: str
    """`linux` or `windows`."""
    agent_version: str
    """As the node reports it, `3.3.987.0`; 3.0.196.0 and older know no multiplexed port sessions."""
    session_type: str
    """`Standard_Stream`, `InteractiveCommands`, `NonInteractiveCommands` or `Port`."""
    properties: Mapping[str, str]
    """As the document yields them: portNumber, localPortNumber, host, type, commands, separateOutputStream, …"""
    encryption: Encryption | None = None
    """Where the session is to be encrypted. Port sessions never are."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """With which KMS key, and what the node may do with it."""

    key_id: str
    """As the session document names it: an id, an alias or an ARN."""
    decrypt: Callable[[bytes, Mapping[str, str]], bytes]
    """Asks KMS, as the node's role, for a key that was encrypted under a context. Raises `KeyRefused`. Blocks."""


class KeyRefused(Exception):  # noqa: N818 -- an answer, not a failure of ours
    """KMS did not decrypt; the text is AWS's code and sentence."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the agent sends. The data is cut alike at every pace, 1024 bytes a message at most."""

    message_gap: float
    """Seconds of sleep after each data message."""
    first_output: float
    """Seconds before a shell's first output."""


UNPACED = Pace(message_gap=0.0, first_output=0.0)
REAL = Pace(message_gap=0.001, first_output=1.0)
"""As AWS's agent does it: at most 1 MB/s towards the client, about a second until the prompt."""


class FarNetwork(Protocol):
    """What a node can reach. Called from any thread, quickly, and once for every connection that is dialled."""

    def resolve(self, node: str, host: str, port: int) -> tuple[str, int]:
        """The loopback address that stands for `host`:`port` as `node` (its id) sees it.

        Raises FarNameError, FarRefused or FarTimeout.
        """
        ...


class FarError(Exception):
    """The node cannot reach the host."""


class FarNameError(FarError):
    """The host name is unknown there. The text is the agent's: `lookup NAME on 10.1.0.2:53: no such host`."""


class FarRefused(FarError):  # noqa: N818 -- the field's own word for it
    """Nothing listens on that port."""


class FarTimeout(FarError):  # noqa: N818
    """No answer: a security group or a missing route drops the packets."""
