"""How long tunnels wait for what, in one place. Seconds throughout."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """The defaults are for people; tests take shorter ones."""

    prepare: float = 90.0
    """StartSession with botocore's retries, credentials from a slow source included."""
    open: float = 45.0
    """From the start of the session process to its open port."""
    probe: float = 12.0
    """For the far end's first byte."""
    quiet_probe: float = 0.5
    """Beside the time that opening the session took: how long a far end of unknown protocol must not refuse. The agent
    repeats what came before its client was ready, and it dials."""
    word: float = 1.0
    """The plugin says that a stream failed on its output, the stream's end arrives by the socket: either may be first.
    """
    last_words: float = 5.0
    """For the end of a process whose port has gone: it says more than the port's silence."""
    answer: float = 3.0
    """For AWS's answer to calls that only clean up, while somebody waits for the end."""
    client: float = 30.0
    """How long a client's connection is kept waiting for a session."""
    share: float = 3.0
    """How long a client waits for a session of its own that is being started, before it shares one."""
    count: float = 2.0
    """Between two looks at what crowded sessions carry."""
    spare: float = 60.0
    """How long sessions without clients are kept, beyond one."""
    narrow: float = 60.0
    """After a further session was refused, none is asked for."""
    offline: float = 5.0
    """The same where the network was why."""
    idle: float = 300.0
    """Without clients, until an on-demand tunnel ends its session."""
    quiet: float = 60.0
    """A session that the service ends without a word after so long without traffic was idle: AWS's shortest idle
    timeout is a minute (userguide/session-preferences-timeout)."""
    steady: float = 3.0
    """A session that stood so long is replaced at once (within domain.recovery.Allowance); after a shorter one the
    backoff goes on."""
    first_try: float = 1.0
    last_try: float = 300.0
    """The bounds of the backoff."""
    first_look: float = 5.0
    last_look: float = 60.0
    """The bounds between two probes of a far end that does not answer."""
    login: float = 30.0
    """Between two looks at credentials that have expired."""
    tick: float = 5.0
    """Of the clock that notices a sleep."""
    late: float = 5.0
    """A tick that comes so late was slept through."""
