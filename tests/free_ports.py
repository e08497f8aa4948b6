"""Ports that nobody else is given between two uses: below those that systems deal out themselves."""

from __future__ import annotations

import random
import socket

_FROM, _TO = 20_000, 32_000  # Linux deals out 32768 to 60999, other systems higher ones
_given: set[int] = set()


def free_port() -> int:
    """A free port of 127.0.0.1, another at each call."""
    while True:
        port = random.SystemRandom().randrange(_FROM, _TO)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
