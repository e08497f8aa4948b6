"""How long the plugin waits for what, in one place: no wait is without a bound. Seconds unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from ssm_tui.plugin.smux import KEEPALIVE_SECONDS


@dataclass(frozen=True, slots=True)
class Limits:
    dial: float = 10.0
    """One attempt to open the websocket: name, TCP, proxy, TLS and upgrade."""
    dial_attempts: int = 4
    dial_delay: float = 0.2
    """Before the second attempt; doubled before each further one."""
    first_message: float = 30.0
    """From the open message to the handshake or the first output. An agent's shell needs about one second."""
    silent_command: float = 300.0
    """The same for a document that may run a command which says nothing at first and needs no handshake."""
    handshake: float = 20.0
    """From our response to HandshakeComplete; the agent itself gives up after 15."""
    ping_every: float = 15.0
    pong: float = 10.0
    resume_delay: float = 0.15
    """Before the second attempt to resume; doubled before each further one."""
    resume_longest_delay: float = 15.0
    resume_total: float = 600.0
    """All attempts to resume one loss together. Time in which the machine or the process was suspended is not counted.
    The service ends a session whose client is away for long; then the first answer that comes ends the attempts."""
    late: float = 5.0
    """How much later than asked for a timer comes, by the wall clock, when we have been suspended."""
    pong_after_wake: float = 3.0
    outage_note: float = 3.0
    """How long a channel is away before a shell's screen is written on."""
    api: float = 5.0
    """One call of ResumeSession or TerminateSession, the import of botocore included."""
    kms: float = 12.0
    """One call of GenerateDataKey, as above; the agent waits 15 for the answer."""
    terminate: float = 1.5
    """For the acknowledgement of the TerminateSession flag, before the API is called instead."""
    close: float = 1.0
    """For the websocket's closing handshake."""
    keepalive: float = KEEPALIVE_SECONDS
    """Between smux keep-alives, with agents that want them; they give up after 30 without any frame."""
    linger: float = 5.0
    """How long a connection whose local client sent EOF may stay silent before its stream is ended."""
    flush: float = 2.0
    """After a signal, for a slow reader of our stdout."""
    quiet: float = 3.0
    """After EOF on stdin: silence from the far side that counts as the end of its output."""
    after_eof: float = 30.0
    """After EOF on stdin: the longest wait for output in all."""


DEFAULT_LIMITS = Limits()
