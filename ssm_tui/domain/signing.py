"""How credentials are renewed: what a profile signs in with, a device login's code, the question for an MFA code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssm_tui.domain.sessions import Command

CODE_LENGTH = 6  # digits of an MFA code, at every device that AWS takes


@dataclass(frozen=True, slots=True)
class Way:
    """How a profile signs in. `login` names what is renewed: profiles of the same login go on together; empty where
    that is not known. `command` does it in the foreground of the terminal, `here` says that we can do it ourselves by
    a device login, `serial` is the MFA device whose code will be asked for."""

    login: str = ""
    command: Command | None = None
    here: bool = False
    serial: str = ""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What the user takes to a browser: the code to be compared, the address, and the one that holds the code too."""

    user_code: str
    uri: str
    complete_uri: str
    seconds: float
    """How long it is good for, from when it was given out."""


@dataclass(frozen=True, slots=True)
class CodeQuestion:
    """Whose MFA code is wanted, of which device, and what AWS said to the code before."""

    profile: str | None
    serial: str
    trouble: str = field(default="")


def is_code(text: str) -> bool:
    """Whether it may be an MFA code."""
    return len(text) == CODE_LENGTH and text.isascii() and text.isdigit()
