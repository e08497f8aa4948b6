"""The service's half of one session: token, the client that is there or away, publication, the end.

Boundary: frames of the client on one side, the agent's worker on the other; used from the gateway's event loop, except
for the token. What the real service does is known from its traffic alone: it pauses the agent's publication when the
client is gone and starts it when one is back, and turns the agent's last report into channel_closed.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from typing import TYPE_CHECKING, Protocol

from ssm_tui.demo.fault_orders import DURATION_WORDS, IDLE_WORDS
from ssm_tui.plugin.framing import MessageType, control, encode
from ssm_tui.plugin.opening import ChannelClosed, channel_closed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.demo.patience import Patience

_FROM_CLIENT = (MessageType.INPUT.encode(), MessageType.ACKNOWLEDGE.encode())
_DATA = (MessageType.INPUT.encode(), MessageType.OUTPUT.encode())
_AGENT_STATE = MessageType.AGENT_SESSION_STATE.encode()
_CLOSING_PATIENCE = 1.0  # seconds for a client to leave by itself after channel_closed

LOST = "the client did not come back"
TERMINATED = "terminated"


class Link(Protocol):
    """A client's connection."""

    @property
    def congested(self) -> bool: ...
    def send(self, frame: bytes) -> None: ...
    def close(self, code: int = 1000) -> None: ...
    def abort(self) -> None: ...
    def reset(self) -> None: ...
    def break_off(self) -> None: ...
    def hold(self, seconds: float = 0.0) -> None: ...
    def release(self) -> None: ...


class Agent(Protocol):
    """The agent's side of the session."""

    def take(self, frame: bytes) -> None: ...
    async def run(self) -> str: ...


class Relay:
    """One session from StartSession to its end, across any number of connections of its client."""

    def __init__(self, session_id: str, target: str, *, patience: Patience, over: Callable[[Relay, str], None]) -> None:
        self.session_id = session_id
        self._target = target
        self._patience = patience
        self._over = over
        self._token = ""
        self._link: Link | None = None
        self._agent: Agent | None = None
        self._work: asyncio.Task[str] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        self._last_data = 0.0

    def new_token(self) -> str:
        """A token for the next connection; the one before is worth nothing any more. Thread-safe."""
        self._token = secrets.token_urlsafe(48)
        return self._token

    def admits(self, token: str) -> bool:
        return not self._ended and hmac.compare_digest(self._token.encode(), token.encode())

    @property
    def link(self) -> Link | None:
        """The connection of the client that is here."""
        return self._link

    @property
    def congested(self) -> bool:
        return self._link is not None and self._link.congested

    @property
    def work(self) -> asyncio.Task[str] | None:
        """The agent's task, for whoever waits for its end."""
        return self._work

    def expect(self) -> None:
        """The client is away; the session ends if it does not come in time."""
        if not self._ended:
            self._timer = asyncio.get_running_loop().call_later(self._patience.client, self.end, "", LOST)

    def attach(self, link: Link, agent: Callable[[], Agent]) -> None:
        """A client with a valid token is here. The first starts the agent, a later one takes the place of the last."""
        before, self._link = self._link, link
        if before is not None:
            before.abort()
        if self._timer is not None:
            self._timer.cancel()
        if self._agent is None:
            self._agent = agent()
            self._agent.take(_publication(MessageType.START_PUBLICATION))
            self._work = asyncio.create_task(self._agent.run())
            self._work.add_done_callback(self._agent_ended)
            self._bound()
        else:
            self._agent.take(_publication(MessageType.START_PUBLICATION))

    def detach(self, link: Link) -> None:
        """A connection has ended; nothing happens if another has taken its place."""
        if link is not self._link:
            return
        self._link = None
        if self._agent is not None and not self._ended:
            self._agent.take(_publication(MessageType.PAUSE_PUBLICATION))
        self.expect()

    def from_client(self, link: Link, frame: bytes) -> None:
        if link is self._link and self._agent is not None and not self._ended and _type(frame) in _FROM_CLIENT:
            self._count(frame)
            self._agent.take(frame)

    def from_agent(self, frame: bytes) -> None:
        """Frames for the client; what the agent says of its state is for the service alone."""
        if self._link is not None and _type(frame) != _AGENT_STATE:
            self._count(frame)
            self._link.send(frame)

    def end(self, output: str = "", reason: str = TERMINATED) -> None:
        """Ends the session once; the client is told `output`."""
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._work is not None:
            self._work.cancel()
        if (link := self._link) is not None:
            closed = ChannelClosed(session_id=self.session_id, output=output, destination_id=self._target)
            link.send(encode(channel_closed(closed)))
            asyncio.get_running_loop().call_later(_CLOSING_PATIENCE, link.close)
        self._over(self, reason)

    def _bound(self) -> None:
        """Sets the limits of the session's idleness and of its life, where there are any."""
        loop = asyncio.get_running_loop()
        if self._patience.longest:
            loop.call_later(self._patience.longest, self.end, DURATION_WORDS, "")
        if self._patience.idle:
            self._last_data = loop.time()
            self._look_for_data()

    def _count(self, frame: bytes) -> None:
        if self._patience.idle and _type(frame) in _DATA:
            self._last_data = asyncio.get_running_loop().time()

    def _look_for_data(self) -> None:
        """Ends the session when it has been without data for too long, and looks again when that may be."""
        loop = asyncio.get_running_loop()
        left = self._last_data + self._patience.idle - loop.time()
        if left <= 0:
            self.end(IDLE_WORDS, "")
        elif not self._ended:
            loop.call_later(left, self._look_for_data)

    def _agent_ended(self, work: asyncio.Task[str]) -> None:
        if work.cancelled():
            return
        if (error := work.exception()) is not None:
            # A defect of ours: the session ends like any other, and whoever runs the loop hears of it.
            work.get_loop().call_exception_handler(
                {"message": "the agent's side of a session failed", "exception": error}
            )
            self.end("The agent failed.", "the agent failed")
        else:
            self.end(work.result(), work.result())


def _publication(message_type: MessageType) -> bytes:
    return encode(control(message_type, b"{}"))


def _type(frame: bytes) -> bytes:
    return frame[4:36].rstrip(b" \0")
