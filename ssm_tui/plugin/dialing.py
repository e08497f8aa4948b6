"""Opens one websocket of a data channel, through the proxy of the environment if any, and sends the open message."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, InvalidURI, WebSocketException

from ssm_tui.plugin import framing
from ssm_tui.plugin.handshake import CLIENT_VERSION
from ssm_tui.plugin.opening import OpenMessage, encode_open
from ssm_tui.plugin.websocket import SILENT, WRITE_LIMIT, Link

if TYPE_CHECKING:
    from ssm_tui.plugin.limits import Limits


class ChannelError(Exception):
    """The data channel could not be opened; says why, without a secret. `final` means that trying again cannot help."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


async def dial(url: str, token: str, client_id: str, limits: Limits) -> Link:
    """Raises `ChannelError`. Compression is off, as AWS's programs never negotiate it; pings are the caller's."""
    try:
        async with asyncio.timeout(limits.dial):
            connection = await connect(
                url,
                compression=None,
                max_size=framing.MAX_FRAME,
                max_queue=64,
                ping_interval=None,
                open_timeout=None,
                close_timeout=limits.close,
                write_limit=WRITE_LIMIT,
                logger=SILENT,
                create_connection=Link,
            )
            assert isinstance(connection, Link)  # noqa: S101 -- asked for above
            opening = OpenMessage(token, client_id, str(uuid.uuid4()), client_version=CLIENT_VERSION)
            try:
                await connection.send(encode_open(opening))
            except BaseException:
                connection.transport.abort()  # nobody else knows of it
                raise
    except TimeoutError:
        raise ChannelError(f"the data channel did not open within {limits.dial:g} s") from None
    except InvalidStatus as error:
        raise ChannelError(f"the data channel was refused with HTTP status {error.response.status_code}") from None
    except (InvalidURI, ValueError):  # the latter for a port or a host that is none
        raise ChannelError("StreamUrl is not the address of a websocket", final=True) from None
    except ImportError:
        reason = "the way leads through a SOCKS proxy, which needs the package python-socks"
        raise ChannelError(reason, final=True) from None
    except (OSError, WebSocketException) as error:
        raise ChannelError(f"the data channel could not be opened: {error}") from error
    return connection
