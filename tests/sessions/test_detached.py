"""The detached supervisor: who may speak with it, what it does and does not do, and when it ends."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ssm_tui.domain.tunnels import TunnelState
from ssm_tui.errors import SessionError
from ssm_tui.sessions.detached import server as detached
from ssm_tui.sessions.detached import visitor, wire
from ssm_tui.sessions.detached.attach import Attachment
from ssm_tui.sessions.detached.rendezvous import Rendezvous
from tests.sessions.detaching import ENVIRONMENT, ObedientTunnels, files, folder, request, serving, supervisors, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no detached supervisor on Windows")


@pytest.fixture
def place() -> Iterator[Path]:
    with folder() as place:
        yield place


@pytest.fixture
def tunnels() -> ObedientTunnels:
    return ObedientTunnels()


async def attached(place: Path) -> Attachment:
    found = await supervisors(place).find()
    assert found is not None
    return found


async def opened(attachment: Attachment, **fields: Any) -> int:
    """The id of a tunnel that is open now."""
    fingerprints = wire.fingerprints(ENVIRONMENT, attachment.hello.salt)
    return (await attachment.ask("open", request=request(**fields), environment=fingerprints)).tunnel


async def test_only_the_user_comes_near_it(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, tunnels):
        assert files(place.parent) == {"run": 0o700}
        assert files(place) == {"detached.lock": 0o600, "detached.sock": 0o600}
    assert list(files(place)) == ["detached.lock"]


async def test_another_user_is_sent_away(
    place: Path, tunnels: ObedientTunnels, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(place, tunnels):
        monkeypatch.setattr(detached, "is_ours", lambda _connection: False)
        reader, writer = await asyncio.open_unix_connection(str(place / "detached.sock"))
        assert await reader.read() == b""
        writer.close()


@pytest.mark.skipif(not hasattr(__import__("socket"), "SO_PEERCRED"), reason="the system does not tell")
async def test_who_is_at_the_other_end_is_asked_of_the_system(
    place: Path, tunnels: ObedientTunnels, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(place, tunnels):
        await (await attached(place)).close()
        own = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: own + 1)
        with pytest.raises(SessionError, match="another user"):
            await supervisors(place).find()
        monkeypatch.undo()


async def test_open_watch_and_stop(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, tunnels):
        attachment = await attached(place)
        heard: list[TunnelState] = []
        attachment.on_news = lambda status: heard.append(status.state)
        assert (await attachment.ask("watch")).statuses == ()
        number = await opened(attachment)
        tunnels.become(number, TunnelState.READY, local_port=5432)
        (status,) = (await attachment.ask("statuses")).statuses
        assert (status.state, status.address, status.request) == (TunnelState.READY, "127.0.0.1:5432", request())
        assert (await attachment.ask("history", tunnel=number)).history[0].text == f"of {number}"
        assert (await attachment.ask("carried", tunnel=number)).connections[0].peer == f"127.0.0.1:{number}"
        await attachment.ask("retry", tunnel=number)
        await attachment.ask("renew", profile="dev")
        assert tunnels.done == [("retry", number), ("renew", "dev")]
        await attachment.ask("stop", tunnel=number)
        assert (await attachment.ask("statuses")).statuses == ()
        assert heard == [TunnelState.STARTING, TunnelState.READY, TunnelState.STOPPING, TunnelState.STOPPED]
        await attachment.close()


async def test_what_is_open_already_is_not_opened_twice(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, tunnels):
        attachment = await attached(place)
        first = await opened(attachment)
        tunnels.become(first, TunnelState.READY, local_port=5432)
        assert await opened(attachment, target="i-1", title="by another name") == first
        assert await opened(attachment, local_port=5432) == first
        other = await opened(attachment, local_port=9999)
        assert other != first
        await attachment.ask("stop", tunnel=first)
        assert await opened(attachment, local_port=5432) not in (first, other)
        await attachment.close()


async def test_a_failed_tunnel_is_told_until_somebody_has_seen_it(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, tunnels):
        attachment = await attached(place)
        number = await opened(attachment)
        tunnels.become(number, TunnelState.FAILED, message="denied")
        assert [status.message for status in (await attachment.ask("statuses")).statuses] == ["denied"]
        assert await opened(attachment) != number
        await attachment.ask("stop", tunnel=number)
        assert [status.id for status in (await attachment.ask("statuses")).statuses] != [number]
        with pytest.raises(SessionError, match="not there any more"):
            await attachment.ask("stop", tunnel=number)
        await attachment.close()


async def test_other_credentials_are_refused_by_name_and_no_value_is_on_the_way(
    place: Path, tunnels: ObedientTunnels
) -> None:
    async with serving(place, tunnels):
        attachment = await attached(place)
        salt = attachment.hello.salt
        other = {**ENVIRONMENT, "AWS_SECRET_ACCESS_KEY": "other", "AWS_SESSION_TOKEN": "token"}
        with pytest.raises(SessionError, match="AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN differ") as caught:
            await attachment.ask("open", request=request(), environment=wire.fingerprints(other, salt))
        assert "stop --all" in caught.value.hint
        assert tunnels.statuses() == ()
        said = wire.fingerprints(ENVIRONMENT, salt)
        assert "hunter22" not in json.dumps(said)
        assert said != wire.fingerprints(ENVIRONMENT, "another salt")
        # Profile and region are in the request.
        chosen = {**ENVIRONMENT, "AWS_PROFILE": "prod", "AWS_REGION": "us-east-1", "PATH": "/bin"}
        await attachment.ask("check", environment=wire.fingerprints(chosen, salt))
        await attachment.close()


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends the connection, whatever it says before."""
    try:
        async with asyncio.timeout(20):
            while await reader.read(1 << 16):
                pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"nonsense\n",
        b"\xff\xfe\n",
        b"[]\n",
        b'{"kind": "ask", "number": 7, "do": "dance"}\n',
        b'{"kind": "ask", "number": 7, "do": "open", "request": {"target": 1}}\n',
        b'{"kind": "ask", "number": "x"}\n',
        b'{"kind": "ask", "number": 7, "do": "stop", "tunnel": 99}\n',
        b"[" * 100_000 + b"\n",
    ],
)
async def test_what_is_not_understood_is_answered_and_harms_nothing(
    place: Path, tunnels: ObedientTunnels, line: bytes
) -> None:
    async with serving(place, tunnels):
        reader, writer = await asyncio.open_unix_connection(str(place / "detached.sock"), limit=1 << 20)
        hello = json.loads(await reader.readline())
        assert hello["kind"] == "hello"
        writer.write(line + b'{"kind": "ask", "number": 8, "do": "statuses", "since": "a later version"}\n')
        answers = [json.loads(await reader.readline()) for _ in range(2)]
        wrong = next(each for each in answers if each["number"] != 8)
        assert wrong["message"]
        assert wrong["number"] == (7 if b"7" in line else 0)
        writer.close()
        await writer.wait_closed()


async def test_a_line_without_end_ends_its_own_connection_alone(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, tunnels):
        other = await attached(place)
        reader, writer = await asyncio.open_unix_connection(str(place / "detached.sock"))
        await reader.readline()
        writer.write(b"x" * (wire.MOST_BYTES * 3))
        assert await ended(reader)
        writer.close()
        assert (await other.ask("statuses")).statuses == ()
        await other.close()


async def test_a_client_that_does_not_listen_is_left(
    place: Path, tunnels: ObedientTunnels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "_MOST_BEHIND", 50_000)
    async with serving(place, tunnels):
        other = await attached(place)
        number = await opened(other)
        reader, writer = await asyncio.open_unix_connection(str(place / "detached.sock"), limit=1 << 12)
        writer.write(b'{"kind": "ask", "number": 1, "do": "watch"}\n')
        assert b"hello" in await reader.readline()
        assert b"statuses" in await reader.readline()  # it is watching now
        for count in range(5000):
            tunnels.become(number, TunnelState.READY, message=f"{count} {'x' * 200}")
        assert len((await other.ask("statuses")).statuses) == 1
        assert await ended(reader)
        writer.close()
        await other.close()


async def test_it_ends_with_its_last_tunnel_and_its_last_client(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, tunnels) as server:
        first, second = await attached(place), await attached(place)
        number = await opened(first)
        await first.close()
        await second.ask("stop", tunnel=number)
        assert (await second.ask("statuses")).statuses == ()
        await second.close()
        await until(server._over.is_set)
        assert not Rendezvous(place).answers()


async def test_it_stays_while_a_tunnel_is_there(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, tunnels) as server:
        await opened(attachment := await attached(place))
        await attachment.close()
        await until(lambda: not server._clients)
        assert not server._over.is_set()
        assert len(server.listed()) == 1


async def test_one_that_nobody_comes_to_ends(
    place: Path, tunnels: ObedientTunnels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detached, "LONELY_SECONDS", 0.05)
    async with serving(place, tunnels) as server:
        await asyncio.wait_for(server._over.wait(), 10)


async def test_one_serves_and_the_next_when_it_has_gone(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, tunnels):
        assert await Rendezvous(place).claim(5) is None
    async with serving(place, ObedientTunnels()):
        await (await attached(place)).close()


async def test_a_socket_left_over_from_a_kill_is_replaced(place: Path, tunnels: ObedientTunnels) -> None:
    import socket

    Rendezvous(place).prepare()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place / "detached.sock"))
    assert await supervisors(place).find() is None
    async with serving(place, tunnels):
        await (await attached(place)).close()


async def test_a_socket_that_is_taken_away_is_put_there_again(
    place: Path, tunnels: ObedientTunnels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detached, "KEEP_SECONDS", 0.02)
    async with serving(place, tunnels):
        before = await attached(place)
        await opened(before)
        shutil.rmtree(place)
        await until(Rendezvous(place).answers)
        after = await attached(place)
        assert (await after.ask("statuses")).statuses == (await before.ask("statuses")).statuses
        assert files(place) == {"detached.lock": 0o600, "detached.sock": 0o600}
        assert await Rendezvous(place).claim(5) is None
        await before.close()
        await after.close()


async def test_one_whose_place_was_taken_leaves_the_other_alone(place: Path, tunnels: ObedientTunnels) -> None:
    async with serving(place, ObedientTunnels()):
        shutil.rmtree(place)
        async with serving(place, tunnels, "2"):
            found = await supervisors(place).find()
            assert found is not None
            assert found.hello.version == "2"
            await found.close()


def test_a_folder_of_others_is_not_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    Rendezvous(place).prepare()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    with pytest.raises(SessionError, match="not a folder of yours"):
        Rendezvous(place).prepare()
    monkeypatch.undo()
    (place / "link").symlink_to(place)
    with pytest.raises(SessionError, match="not a folder of yours"):
        Rendezvous(place / "link").prepare()
    with pytest.raises(SessionError, match="too long"):
        Rendezvous(place / ("x" * 100)).prepare()
    (place / "file").write_text("", encoding="utf-8")
    with pytest.raises(SessionError, match="cannot be used"):
        Rendezvous(place / "file" / "run").prepare()
