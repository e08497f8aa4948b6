"""What a client checks of the server behind a tunnel, in words: it dials 127.0.0.1, the certificate names another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.domain.connection.endpoint import Endpoint


class Check(IntEnum):
    """How much of a certificate a client can be made to check."""

    NOTHING = 0
    CHAIN = 1
    """That an authority of the bundle has signed it; not whose it is."""
    NAME = 2
    """That, and that it is the very server's."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a connection is written, and what the client that reads it checks at best. `why` says why not more, or what
    else is wanted for it. `own_store`: without a bundle it asks the system's own."""

    write: Callable[[Endpoint], str]
    check: Check = Check.NAME
    why: str = ""
    own_store: bool = False

    def checked(self, at: Endpoint) -> str:
        """What is checked and what is not, in one line."""
        if at.tls is False:
            return "no TLS: nothing is encrypted between the relay and the server"
        if at.tls is None:
            return "TLS if the server offers it and the client asks for it; nothing is checked"
        if self.check is Check.NOTHING:
            return _with("TLS; certificate not checked", self.why)
        if not at.ca and not self.own_store:
            return "TLS; certificate not checked (no CA bundle is known: ssm-tui ca fetch gets RDS's)"
        if self.check is Check.CHAIN:
            return _with("TLS; certificate checked: who signed it, not that it names the endpoint", self.why)
        return _with("TLS; certificate checked: who signed it, and that it names the endpoint", self.why)


def _with(text: str, why: str) -> str:
    return f"{text} ({why})" if why else text
