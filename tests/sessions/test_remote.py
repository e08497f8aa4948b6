"""The detached supervisor's tunnels as the interface sees them: coming, going, changing, and taken over."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ssm_tui.domain.tunnels import TunnelState, TunnelStatus
from ssm_tui.errors import SessionError
from ssm_tui.sessions.detached import remote as detached
from ssm_tui.sessions.detached.attach import Supervisors
from ssm_tui.sessions.detached.joined import JoinedTunnels
from ssm_tui.sessions.detached.remote import RemoteTunnels
from tests.sessions.detaching import (
    ENVIRONMENT,
    NOON,
    ObedientTunnels,
    files,
    folder,
    request,
    serving,
    supervisors,
    until,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no detached supervisor on Windows")
S = TunnelState


@pytest.fixture
def place() -> Iterator[Path]:
    """A place for a supervisor; whichever was started there is ended."""
    with folder() as place:
        yield place
        for pid in served(place):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def served(place: Path) -> list[int]:
    """The processes that have served there, oldest first."""
    file = place / "served"
    return [int(line.split()[1]) for line in file.read_text().splitlines()] if file.exists() else []


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return b"Z" not in Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1][:3] if Path("/proc").exists() else True


@asynccontextmanager
async def remote(how: Supervisors) -> AsyncIterator[RemoteTunnels]:
    tunnels = RemoteTunnels(how, clock=lambda: NOON, look_seconds=0.02)
    try:
        yield tunnels
    finally:
        await tunnels.leave()


def states(tunnels: RemoteTunnels) -> list[TunnelState]:
    return [status.state for status in tunnels.statuses()]


async def test_what_runs_is_seen_with_its_changes(place: Path) -> None:
    there = ObedientTunnels()
    async with serving(place, there), remote(supervisors(place)) as tunnels:
        told: list[TunnelStatus] = []
        unsubscribe = tunnels.subscribe(told.append)
        number = there.open(request())
        await until(lambda: states(tunnels) == [S.STARTING])
        there.become(number, S.READY, local_port=5432)
        await until(lambda: states(tunnels) == [S.READY])
        (status,) = tunnels.statuses()
        assert (status.detached, status.request, status.address) == (True, request(), "127.0.0.1:5432")
        assert [event.text for event in await tunnels.history(status.id)] == [f"of {number}"]
        assert [each.peer for each in await tunnels.carried(status.id)] == [f"127.0.0.1:{number}"]
        tunnels.retry(status.id)
        tunnels.renew("dev")
        await until(lambda: there.done == [("retry", number), ("renew", "dev")])
        await tunnels.stop(status.id)
        await until(lambda: states(tunnels) == [S.STOPPED])
        assert [each.state for each in told] == [S.STARTING, S.READY, S.STOPPING, S.STOPPED]
        unsubscribe()


async def test_traffic_is_asked_for_and_no_news(place: Path) -> None:
    from dataclasses import replace

    there = ObedientTunnels()
    async with serving(place, there), remote(supervisors(place)) as tunnels:
        number = there.open(request())
        await until(lambda: states(tunnels) == [S.STARTING])
        told: list[TunnelStatus] = []
        tunnels.subscribe(told.append)
        status = there._statuses[number]
        there._statuses[number] = replace(status, traffic=replace(status.traffic, received=7))
        await until(lambda: tunnels.statuses()[0].traffic.received == 7)
        assert told == []


async def test_nothing_is_started_only_to_look(place: Path) -> None:
    async with remote(supervisors(place)) as tunnels:
        await tunnels.looked()
        assert tunnels.statuses() == ()
    assert files(place.parent) == {}


async def test_opening_starts_a_supervisor_that_stays_and_ends_with_its_last_tunnel(place: Path) -> None:
    async with remote(supervisors(place)) as tunnels:
        number = tunnels.open(request())
        assert states(tunnels) == [S.STARTING]
        await until(lambda: states(tunnels) == [S.READY])
        assert tunnels.statuses()[0].id == number
    (pid,) = served(place)
    assert lives(pid)
    async with remote(supervisors(place)) as tunnels:
        await until(lambda: states(tunnels) == [S.READY])
        await tunnels.stop(tunnels.statuses()[0].id)
    await until(lambda: not lives(pid))
    assert "detached.sock" not in files(place)


async def test_two_that_start_one_at_once_get_one(place: Path) -> None:
    how = [supervisors(place) for _ in range(4)]
    attachments = await asyncio.gather(*(each.get() for each in how))
    assert len({attachment.hello.pid for attachment in attachments}) == 1
    assert len(served(place)) == 1
    await asyncio.gather(*(attachment.close() for attachment in attachments))
    await until(lambda: not lives(served(place)[0]))


async def test_another_version_takes_the_tunnels_over_on_their_ports(place: Path) -> None:
    async with remote(supervisors(place, "1")) as old:
        old.open(request("orders", local_port=15432))
        old.open(request("cache"))
        await until(lambda: states(old) == [S.READY, S.READY])
        ports = {status.request.title: status.local_port for status in old.statuses()}
        async with remote(supervisors(place, "2")) as new:
            await until(lambda: len(new.statuses()) == 2)
            assert len(served(place)) == 1  # to look on is no reason to disturb anybody
            new.open(request("events"))
            await until(lambda: [status.state for status in new.statuses()].count(S.READY) == 3)
            running = {each.request.title: each.local_port for each in new.statuses() if not each.state.ended}
            assert ports.items() <= running.items()
            assert set(running) == {"orders", "cache", "events"}
        first, second = served(place)
        await until(lambda: not lives(first))
        assert lives(second)
        # The old version's client sees them too.
        await until(lambda: sum(state is S.READY for state in states(old)) == 3)


async def test_a_killed_supervisor_is_noticed_and_the_next_is_found(place: Path) -> None:
    async with remote(supervisors(place)) as tunnels:
        number = tunnels.open(request())
        await until(lambda: states(tunnels) == [S.READY])
        os.kill(served(place)[0], signal.SIGKILL)
        await until(lambda: states(tunnels) == [S.FAILED])
        assert "gone" in tunnels.statuses()[0].message
        again = tunnels.open(request())
        await until(lambda: states(tunnels) == [S.FAILED, S.READY])
        assert again != number
        assert len(served(place)) == 2


async def test_one_that_is_open_already_is_what_there_is(place: Path) -> None:
    there = ObedientTunnels(at_once=True)
    async with serving(place, there, "1"), remote(supervisors(place)) as tunnels:
        tunnels.open(request())
        await until(lambda: states(tunnels) == [S.READY])
        tunnels.open(request())
        await until(lambda: states(tunnels) == [S.READY, S.STOPPED])
        assert tunnels.statuses()[1].message == "it is open already"
        assert len(there.statuses()) == 1


async def test_a_refusal_is_the_tunnels_own_failure(place: Path) -> None:
    other = {**ENVIRONMENT, "AWS_ACCESS_KEY_ID": "other"}
    async with serving(place, ObedientTunnels()), remote(supervisors(place, environment=other)) as tunnels:
        tunnels.open(request())
        await until(lambda: states(tunnels) == [S.FAILED])
        assert "AWS_ACCESS_KEY_ID" in tunnels.statuses()[0].message


async def test_one_that_cannot_start_says_so(place: Path) -> None:
    how = supervisors(place)
    broken = Supervisors(how.rendezvous, (sys.executable, "-c", "raise SystemExit(1)"), "1", how.environment, "the log")
    with pytest.raises(SessionError, match="did not start") as caught:
        await broken.get()
    assert "the log" in caught.value.hint
    missing = Supervisors(how.rendezvous, ("/nonexistent",), "1", how.environment)
    with pytest.raises(SessionError, match="cannot be started"):
        await missing.get()


async def test_a_supervisor_that_is_stopped_is_said_to_be(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssm_tui.sessions.detached.attach.HELLO_SECONDS", 0.2)
    attachment = await supervisors(place).get()
    await attachment.ask("open", request=request(), environment=supervisors(place).fingerprints(attachment))
    os.kill(attachment.hello.pid, signal.SIGSTOP)
    try:
        with pytest.raises(SessionError, match="does not answer"):
            await supervisors(place).find()
    finally:
        os.kill(attachment.hello.pid, signal.SIGCONT)
        await attachment.close()


async def test_a_supervisor_that_is_stopped_keeps_nobody_waiting(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssm_tui.sessions.detached.attach.ANSWER_SECONDS", 0.2)
    attachment = await supervisors(place).get()
    os.kill(attachment.hello.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(SessionError, match="does not answer"):
                await attachment.ask("statuses")
    finally:
        os.kill(attachment.hello.pid, signal.SIGCONT)
        await attachment.close()


async def test_of_ended_tunnels_the_last_are_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detached, "KEPT", 3)
    missing = Supervisors(supervisors(place).rendezvous, ("/nonexistent",), "1", {})
    tunnels = RemoteTunnels(missing)
    ended: asyncio.Queue[TunnelStatus] = asyncio.Queue()
    tunnels.subscribe(lambda status: ended.put_nowait(status) if status.state is S.FAILED else None)
    for number in range(1, 9):
        assert tunnels.open(request()) == number
        assert (await asyncio.wait_for(ended.get(), 10)).id == number
    assert [status.id for status in tunnels.statuses()] == [5, 6, 7, 8]
    await tunnels.stop(1)
    await tunnels.leave()


class TestJoined:
    """Own and detached tunnels as one."""

    async def test_both_are_there_and_each_order_goes_where_it_belongs(self, place: Path) -> None:
        own, there = ObedientTunnels(at_once=True), ObedientTunnels(at_once=True)
        async with serving(place, there):
            detached = RemoteTunnels(supervisors(place), look_seconds=0.02)
            joined = JoinedTunnels(own, detached)
            told: list[int] = []
            unsubscribe = joined.subscribe(lambda status: told.append(status.id))
            mine = joined.open(request("mine"))
            there.open(request("theirs"))
            await until(lambda: [status.state for status in joined.statuses()] == [S.READY, S.READY])
            first, second = joined.statuses()
            assert (first.id, first.detached, second.detached) == (mine, False, True)
            assert set(told) == {first.id, second.id}
            joined.retry(mine)
            joined.renew("dev")
            await until(lambda: there.done == [("renew", "dev")])
            assert own.done == [("retry", 1), ("renew", "dev")]
            assert [event.text for event in await joined.history(second.id)] == ["of 1"]
            assert [each.peer for each in await joined.carried(mine)] == ["127.0.0.1:1"]
            await joined.stop(second.id)
            assert there.statuses()[0].state is S.STOPPED
            unsubscribe()
            await joined.close()
            assert own.statuses()[0].state is S.STOPPED

    async def test_a_tunnel_is_handed_to_the_supervisor_with_its_port(self, place: Path) -> None:
        own, there = ObedientTunnels(at_once=True), ObedientTunnels(at_once=True)
        async with serving(place, there):
            joined = JoinedTunnels(own, RemoteTunnels(supervisors(place), look_seconds=0.02))
            mine = joined.open(request())
            await until(lambda: joined.statuses()[0].state is S.READY)
            port = joined.statuses()[0].local_port
            await joined.detach(mine)
            assert own.statuses()[0].state is S.STOPPED
            await until(lambda: [each.state for each in there.statuses()] == [S.READY])
            assert there.statuses()[0].local_port == port
            with pytest.raises(SessionError, match="has ended"):
                await joined.detach(mine)
            await joined.close()
            assert there.statuses()[0].state is S.READY

    async def test_one_that_the_supervisor_will_not_have_stays_what_it_was(self, place: Path) -> None:
        own, there = ObedientTunnels(at_once=True), ObedientTunnels()
        other = {**ENVIRONMENT, "AWS_ACCESS_KEY_ID": "other"}
        async with serving(place, there):
            joined = JoinedTunnels(own, RemoteTunnels(supervisors(place, environment=other), look_seconds=0.02))
            mine = joined.open(request())
            await until(lambda: joined.statuses()[0].state is S.READY)
            with pytest.raises(SessionError, match="AWS_ACCESS_KEY_ID"):
                await joined.detach(mine)
            assert own.statuses()[0].state is S.READY
            assert there.statuses() == ()
            await joined.close()
