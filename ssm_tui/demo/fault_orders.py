"""What the demo cloud can be told to do wrong: the faults by name, and one order as a value. Shared by both ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """A fault by the name it has on the command line. Those of sessions fall on the ones that are open now."""

    CLOSE = "close"
    CUT = "cut"
    HALF_FRAME = "half-frame"
    SILENCE = "silence"
    SPEAK = "speak"
    CHANNEL_CLOSED = "channel-closed"
    TERMINATE = "terminate"
    IDLE_TIMEOUT = "idle-timeout"
    MAX_DURATION = "max-duration"
    REFUSE_RESUME = "refuse-resume"
    ALLOW_RESUME = "allow-resume"
    NODE_GONE = "node-gone"
    NODE_BACK = "node-back"
    GATEWAY_DOWN = "gateway-down"
    GATEWAY_UP = "gateway-up"
    THROTTLE = "throttle"
    SLOW = "slow"
    FAIL = "fail"
    EXPIRE_CREDENTIALS = "expire-credentials"
    RENEW_CREDENTIALS = "renew-credentials"
    DATABASE_DOWN = "database-down"
    DATABASE_SILENT = "database-silent"
    DATABASE_UP = "database-up"
    CLEAR = "clear"


ABOUT = {
    Fault.CLOSE: "the service closes the websocket with code 1000, as AWS's does about every hour",
    Fault.CUT: "the connection is reset (1006)",
    Fault.HALF_FRAME: "half a frame is written, then the connection ends",
    Fault.SILENCE: "the connection stays open and nothing passes, pongs neither: for --seconds, or until speak",
    Fault.SPEAK: "ends silence; what waited passes",
    Fault.CHANNEL_CLOSED: "the agent ends the session, with --text or without a word",
    Fault.TERMINATE: "the session is ended by TerminateSession",
    Fault.IDLE_TIMEOUT: "the service ends the session as idle",
    Fault.MAX_DURATION: "the service ends the session at its maximum duration",
    Fault.REFUSE_RESUME: "ResumeSession gives no token (with --code: is refused with it), of later sessions too",
    Fault.ALLOW_RESUME: "ends refuse-resume",
    Fault.NODE_GONE: "the agent of --node stops: ConnectionLost, TargetNotConnected, its sessions are cut and over",
    Fault.NODE_BACK: "the agent of --node is there again",
    Fault.GATEWAY_DOWN: "every websocket is reset, and every new one at once",
    Fault.GATEWAY_UP: "ends gateway-down",
    Fault.THROTTLE: "--calls calls of --action are refused as too many (all, until clear, without --calls)",
    Fault.SLOW: "--calls calls of --action are answered --seconds later",
    Fault.FAIL: "--calls calls of --action end with an error of the service's own (HTTP 500)",
    Fault.EXPIRE_CREDENTIALS: "the developer's keys (or --key) are refused as expired",
    Fault.RENEW_CREDENTIALS: "ends expire-credentials",
    Fault.DATABASE_DOWN: "the server of --database refuses new connections",
    Fault.DATABASE_SILENT: "the packets to --database are dropped: new connections are not answered",
    Fault.DATABASE_UP: "ends database-down and database-silent",
    Fault.CLEAR: "ends every fault that lasts",
}
"""What each does."""

OF_SESSIONS = frozenset(
    {
        Fault.CLOSE,
        Fault.CUT,
        Fault.HALF_FRAME,
        Fault.SILENCE,
        Fault.SPEAK,
        Fault.CHANNEL_CLOSED,
        Fault.TERMINATE,
        Fault.IDLE_TIMEOUT,
        Fault.MAX_DURATION,
        Fault.REFUSE_RESUME,
        Fault.ALLOW_RESUME,
    }
)
"""They want to be told of which: a session, the sessions of a node, or all."""

IDLE_WORDS = "Your session timed out due to inactivity and has been terminated."
"""The service's own words. Source: github.com/aws/amazon-ssm-agent/issues/261 (what its clients print)."""
DURATION_WORDS = "Your session reached its maximum duration and has been terminated."
"""In the manner of the above: the service's own words at the maximum duration are in no public source we know."""


@dataclass(frozen=True, slots=True)
class Order:
    """One fault, on what. Only what the fault asks for is looked at.

    `node` is an id or a name; `database` the first label of its host name, or the whole; `action` as in IAM
    (`ssm:StartSession`) or `*`; `calls` 0 is until cleared; `code` an AWS error code; `key` an access key id.
    """

    fault: Fault
    session: str = ""
    node: str = ""
    all: bool = False
    database: str = ""
    action: str = ""
    key: str = ""
    text: str = ""
    code: str = ""
    seconds: float = 0.0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session of the gateway. `connected`: its client's websocket is open."""

    id: str
    node: str
    connected: bool
