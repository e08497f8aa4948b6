"""What the demo cloud can be told to do wrong, seen by those whom it befalls: clients of sessions, callers of AWS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage
from websockets.frames import Frame, Opcode

from ssm_tui.demo.fault_client import FaultClient
from ssm_tui.demo.fault_orders import DURATION_WORDS, IDLE_WORDS, OF_SESSIONS, Fault, Order
from ssm_tui.demo.order_client import OrderError
from ssm_tui.plugin.opening import OpenMessage, encode_open
from tests.demo.agent.client import Client
from tests.demo.agent.streams import Streams
from tests.demo.control.conftest import refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ssm_tui.demo.runner import DemoProcess
    from tests.demo_cloud import Caller

PORT = {"DocumentName": "AWS-StartPortForwardingSession", "Parameters": {"portNumber": ["7"]}}
EXPIRED = ("ExpiredTokenException", "The security token included in the request is expired")


@pytest.fixture
def node(instance: Callable[..., str]) -> str:
    return instance("web-5")


@pytest.fixture
def session(developer: Caller, node: str) -> dict[str, str]:
    """A session with the node's echo port."""
    answer: dict[str, str] = developer.client("ssm").start_session(Target=node, **PORT)
    return answer


@contextlib.asynccontextmanager
async def echoing(session: dict[str, str]) -> AsyncIterator[tuple[Client, Streams, int]]:
    """A client of the session whose first stream has been answered by the far end."""
    async with await Client(session["StreamUrl"]).connect(session["TokenValue"]) as client:
        await client.shake_hands()
        streams = Streams(client)
        stream = await streams.open()
        await streams.write(stream, b"before ")
        assert await streams.read(stream, 7) == b"before "
        yield client, streams, stream


async def inject(faults: FaultClient, order: Order) -> tuple[str, ...]:
    return await asyncio.to_thread(faults.inject, order)


async def resumed(developer: Caller, session: dict[str, str]) -> str:
    """A new token by ResumeSession."""
    answer = await asyncio.to_thread(developer.client("ssm").resume_session, SessionId=session["SessionId"])
    return str(answer["TokenValue"])


async def closing(session: dict[str, str], faults: FaultClient, order: Order) -> int | None:
    """A bare websocket on the session, and its end by the order: the code of the goodbye, None without one."""
    async with connect(session["StreamUrl"], compression=None) as websocket:
        await websocket.send(encode_open(OpenMessage(session["TokenValue"], "client", "request", "1.2.764.0")))
        await websocket.recv()
        assert await inject(faults, order) == (session["SessionId"],)
        with pytest.raises(ConnectionClosed) as ended:
            await asyncio.wait_for(_drained(websocket), 20)
        return ended.value.rcvd.code if ended.value.rcvd else None


async def _drained(websocket: ClientConnection) -> None:
    while True:
        await websocket.recv()


async def test_a_websocket_closed_in_order(faults: FaultClient, session: dict[str, str]) -> None:
    assert await closing(session, faults, Order(Fault.CLOSE, session=session["SessionId"])) == 1000


async def test_a_websocket_cut(faults: FaultClient, session: dict[str, str]) -> None:
    assert await closing(session, faults, Order(Fault.CUT, session=session["SessionId"])) is None


async def test_a_frame_broken_off(faults: FaultClient, session: dict[str, str]) -> None:
    """Read as bytes: what comes last says that it is longer than it is."""
    place = urlsplit(session["StreamUrl"])
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    key = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    writer.write(f"GET {place.path} HTTP/1.1\r\nHost: x\r\n{key}Sec-WebSocket-Version: 13\r\n\r\n".encode())
    opening = encode_open(OpenMessage(session["TokenValue"], "client", "request", "1.2.764.0"))
    writer.write(Frame(Opcode.TEXT, opening.encode()).serialize(mask=True))
    await reader.readuntil(b"\x82\x7e")  # the agent's first word: the session stands
    await inject(faults, Order(Fault.HALF_FRAME, session=session["SessionId"]))
    _, header, rest = (await asyncio.wait_for(reader.read(-1), 20)).rpartition(b"\x82\x7e")
    writer.close()
    await writer.wait_closed()
    assert header
    assert 0 < len(rest) - 2 < int.from_bytes(rest[:2], "big")


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.CUT, Fault.HALF_FRAME])
async def test_a_session_outlives_its_connection(
    faults: FaultClient, developer: Caller, session: dict[str, str], fault: Fault
) -> None:
    async with echoing(session) as (client, streams, stream):
        await inject(faults, Order(fault, session=session["SessionId"]))
        await client.wait(lambda: client.gone)
        await client.connect(await resumed(developer, session))
        await streams.write(stream, b"after")
        assert await streams.read(stream, 5) == b"after"


async def test_silence_until_it_is_over(faults: FaultClient, session: dict[str, str]) -> None:
    async with echoing(session) as (client, streams, stream):
        await inject(faults, Order(Fault.SILENCE, session=session["SessionId"]))
        await streams.write(stream, b"unheard")
        pong = asyncio.create_task(client.round_trip())
        done, _ = await asyncio.wait({pong}, timeout=0.3)
        assert not done
        assert not client.gone
        assert await inject(faults, Order(Fault.SPEAK, session=session["SessionId"])) == (session["SessionId"],)
        assert await streams.read(stream, 7) == b"unheard"
        await pong


async def test_in_silence_not_even_the_end_is_heard(faults: FaultClient, session: dict[str, str]) -> None:
    async with echoing(session) as (client, _, _):
        await inject(faults, Order(Fault.SILENCE, session=session["SessionId"]))
        assert await inject(faults, Order(Fault.TERMINATE, session=session["SessionId"])) == (session["SessionId"],)
        with pytest.raises(TimeoutError):  # longer than the service waits for its clients to leave after the end
            await client.wait(lambda: client.gone or client.closed is not None, patience=1.5)


async def test_silence_for_a_time(faults: FaultClient, session: dict[str, str]) -> None:
    async with echoing(session) as (_, streams, stream):
        began = time.monotonic()
        await inject(faults, Order(Fault.SILENCE, session=session["SessionId"], seconds=0.4))
        await streams.write(stream, b"late")
        assert await streams.read(stream, 4) == b"late"
        assert time.monotonic() - began >= 0.4


async def test_a_silent_connection_gives_way_to_the_next(
    faults: FaultClient, developer: Caller, session: dict[str, str]
) -> None:
    async with echoing(session) as (client, streams, stream):
        await inject(faults, Order(Fault.SILENCE, session=session["SessionId"]))
        await client.connect(await resumed(developer, session))
        await streams.write(stream, b"again")
        assert await streams.read(stream, 5) == b"again"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order(Fault.CHANNEL_CLOSED), ""),
        (Order(Fault.CHANNEL_CLOSED, text="the agent was updated"), "the agent was updated"),
        (Order(Fault.TERMINATE), ""),
        (Order(Fault.IDLE_TIMEOUT), IDLE_WORDS),
        (Order(Fault.MAX_DURATION), DURATION_WORDS),
    ],
)
async def test_endings_with_their_words(
    faults: FaultClient, developer: Caller, session: dict[str, str], order: Order, words: str
) -> None:
    async with echoing(session) as (client, _, _):
        await inject(faults, Order(order.fault, session=session["SessionId"], text=order.text))
        assert await client.end() == words
    found = await asyncio.to_thread(
        developer.client("ssm").describe_sessions,
        State="History",
        Filters=[{"key": "SessionId", "value": session["SessionId"]}],
    )
    assert [each["Status"] for each in found["Sessions"]] == ["Terminated"]


def test_resumption_refused_and_allowed(faults: FaultClient, developer: Caller, session: dict[str, str]) -> None:
    ssm, name = developer.client("ssm"), session["SessionId"]
    faults.inject(Order(Fault.REFUSE_RESUME, session=name))
    answer = ssm.resume_session(SessionId=name)
    assert "TokenValue" not in answer
    faults.inject(Order(Fault.REFUSE_RESUME, session=name, code="DoesNotExistException"))
    assert refusal(ssm.resume_session, SessionId=name)[0] == "DoesNotExistException"
    faults.inject(Order(Fault.ALLOW_RESUME, session=name))
    assert ssm.resume_session(SessionId=name)["TokenValue"]
    faults.inject(Order(Fault.REFUSE_RESUME, node=session_node(faults, name)))
    assert "TokenValue" not in ssm.resume_session(SessionId=name)


def session_node(faults: FaultClient, session: str) -> str:
    return next(each.node for each in faults.sessions() if each.id == session)


async def test_a_node_goes_and_comes_back(
    faults: FaultClient, developer: Caller, session: dict[str, str], node: str
) -> None:
    ssm = developer.client("ssm")
    async with echoing(session) as (client, _, _):
        assert {node, session["SessionId"]} <= set(await inject(faults, Order(Fault.NODE_GONE, node="web-5")))
        await client.wait(lambda: client.gone)
    assert ping(developer, node) == "ConnectionLost"
    assert ssm.get_connection_status(Target=node)["Status"] == "notconnected"
    assert refusal(ssm.start_session, Target=node)[0] == "TargetNotConnected"
    assert refusal(ssm.resume_session, SessionId=session["SessionId"])[0] == "DoesNotExistException"
    faults.inject(Order(Fault.NODE_BACK, node=node))
    assert ping(developer, node) == "Online"
    assert ssm.get_connection_status(Target=node)["Status"] == "connected"
    ssm.terminate_session(SessionId=ssm.start_session(Target=node)["SessionId"])


def ping(caller: Caller, node: str) -> str:
    only = [{"Key": "InstanceIds", "Values": [node]}]
    (found,) = caller.client("ssm").describe_instance_information(Filters=only)["InstanceInformationList"]
    return str(found["PingStatus"])


async def test_the_gateway_is_down_for_a_while(faults: FaultClient, developer: Caller, session: dict[str, str]) -> None:
    async with echoing(session) as (client, streams, stream):
        await inject(faults, Order(Fault.GATEWAY_DOWN))
        await client.wait(lambda: client.gone)
        with pytest.raises((OSError, InvalidMessage)):  # the reset comes at the connecting or right after
            await client.connect(await resumed(developer, session))
        await inject(faults, Order(Fault.GATEWAY_UP))
        await client.connect(await resumed(developer, session))
        await streams.write(stream, b"after")
        assert await streams.read(stream, 5) == b"after"


def test_calls_are_throttled_for_a_number_of_times(
    faults: FaultClient, developer: Caller, administrator: Caller, node: str
) -> None:
    faults.inject(Order(Fault.THROTTLE, action="ssm:GetConnectionStatus", calls=2))
    ssm = developer.client("ssm")
    assert administrator.client("ssm").get_connection_status(Target=node)["Status"] == "connected"
    for _ in range(2):
        assert refusal(ssm.get_connection_status, Target=node) == ("ThrottlingException", "Rate exceeded")
    assert ssm.get_connection_status(Target=node)["Status"] == "connected"


def test_calls_fail_until_that_is_ended(faults: FaultClient, developer: Caller, node: str) -> None:
    faults.inject(Order(Fault.FAIL, action="*"))
    assert refusal(developer.client("ssm").get_connection_status, Target=node)[0] == "InternalServerError"
    assert refusal(developer.client("ec2").describe_vpcs)[0] == "InternalError"
    assert refusal(developer.client("sts").get_caller_identity)[0] == "InternalServerError"
    faults.inject(Order(Fault.CLEAR))
    assert developer.client("ssm").get_connection_status(Target=node)["Status"] == "connected"


def test_calls_are_slow(faults: FaultClient, developer: Caller, node: str) -> None:
    faults.inject(Order(Fault.SLOW, action="ssm:GetConnectionStatus", seconds=1.5, calls=1))
    for least, most in ((1.5, 20), (0, 1.5)):
        began = time.monotonic()
        developer.client("ssm").get_connection_status(Target=node)
        assert least <= time.monotonic() - began < most


async def test_a_slow_call_is_answered_when_the_fault_is_ended(
    faults: FaultClient, developer: Caller, node: str
) -> None:
    await inject(faults, Order(Fault.SLOW, action="ssm:GetConnectionStatus", seconds=60, calls=1))
    call = asyncio.create_task(asyncio.to_thread(developer.client("ssm").get_connection_status, Target=node))
    done, _ = await asyncio.wait({call}, timeout=0.3)
    assert not done
    await inject(faults, Order(Fault.CLEAR))
    assert (await asyncio.wait_for(call, 20))["Status"] == "connected"


def test_credentials_expire_and_are_renewed(
    faults: FaultClient, developer: Caller, session: dict[str, str], node: str
) -> None:
    ssm = developer.client("ssm")
    faults.inject(Order(Fault.EXPIRE_CREDENTIALS))
    assert refusal(ssm.resume_session, SessionId=session["SessionId"]) == EXPIRED
    assert refusal(ssm.start_session, Target=node) == EXPIRED
    assert refusal(developer.client("sts").get_caller_identity)[0] == "ExpiredToken"
    faults.inject(Order(Fault.RENEW_CREDENTIALS))
    assert ssm.resume_session(SessionId=session["SessionId"])["TokenValue"]


REFUSES = b"\x00\x00\x00\x03"  # the flag that says that the agent could not connect


@pytest.mark.parametrize(("database", "service"), [("orders", "rds"), ("sessions", "elasticache")])
async def test_a_database_is_down_and_up_again(
    faults: FaultClient, developer: Caller, instance: Callable[..., str], database: str, service: str
) -> None:
    host, port, question, answer = await asyncio.to_thread(_far, developer, service)
    parameters = {"host": [host], "portNumber": [str(port)]}
    started = await asyncio.to_thread(
        developer.client("ssm").start_session,
        Target=instance("web-5"),
        DocumentName="AWS-StartPortForwardingSessionToRemoteHost",
        Parameters=parameters,
    )
    async with await Client(started["StreamUrl"]).connect(started["TokenValue"]) as client:
        await client.shake_hands()
        streams = Streams(client)
        await inject(faults, Order(Fault.DATABASE_DOWN, database=database))
        refused = await streams.open()
        assert await streams.until_ended(refused) == b""
        assert REFUSES in bytes(client.output[10])
        await inject(faults, Order(Fault.DATABASE_SILENT, database=database))
        silent = await streams.open()
        with pytest.raises(TimeoutError):
            await streams.until_ended(silent, patience=0.5)
        await inject(faults, Order(Fault.DATABASE_UP, database=database))
        served = await streams.open()
        await streams.write(served, question)
        assert await streams.read(served, len(answer)) == answer


def _far(developer: Caller, service: str) -> tuple[str, int, bytes, bytes]:
    """Host and port of the test's database, something to say to it and what it says then."""
    if service == "rds":
        (found,) = developer.client("rds").describe_db_instances(DBInstanceIdentifier="orders")["DBInstances"]
        # SSLRequest: the database speaks TLS, and says S.
        return found["Endpoint"]["Address"], found["Endpoint"]["Port"], b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"S"
    (group,) = developer.client("elasticache").describe_replication_groups(ReplicationGroupId="sessions")[
        "ReplicationGroups"
    ]
    place = group["NodeGroups"][0]["PrimaryEndpoint"]
    return place["Address"], place["Port"], b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"


def test_nobody_but_the_administrator_orders_faults(demo_cloud: DemoProcess, session: dict[str, str]) -> None:
    environment = demo_cloud.environment
    developers = {
        "DEMO_ADMIN_ACCESS_KEY_ID": environment["AWS_ACCESS_KEY_ID"],
        "DEMO_ADMIN_SECRET_ACCESS_KEY": environment["AWS_SECRET_ACCESS_KEY"],
    }
    with pytest.raises(OrderError, match="not authorized to perform: demo:InjectFault"):
        FaultClient(environment | developers).inject(Order(Fault.CUT, all=True))
    with pytest.raises(OrderError, match="not authorized to perform: demo:ListSessions"):
        FaultClient(environment | developers).sessions()
    forged = {"DEMO_ADMIN_SECRET_ACCESS_KEY": "not the administrator's"}
    with pytest.raises(OrderError, match="signature we calculated does not match"):
        FaultClient(environment | forged).inject(Order(Fault.CUT, session=session["SessionId"]))
    unsigned = _unsigned(environment["AWS_ENDPOINT_URL"], Order(Fault.CUT, session=session["SessionId"]))
    assert unsigned.startswith(b"HTTP/1.1 403 ")


def _unsigned(url: str, order: Order) -> bytes:
    body = json.dumps({"fault": order.fault, "session": order.session}).encode()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = (
            f"POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: Demo.InjectFault\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        return connection.recv(4096)


@pytest.mark.parametrize("fault", sorted(OF_SESSIONS))
def test_faults_of_sessions_say_of_which(faults: FaultClient, fault: Fault) -> None:
    with pytest.raises(OrderError, match="needs one of session, node, all"):
        faults.inject(Order(fault))


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order(Fault.THROTTLE), "throttle needs action"),
        (Order(Fault.DATABASE_DOWN), "database-down needs database"),
        (Order(Fault.NODE_GONE), "node-gone needs node"),
        (Order(Fault.NODE_GONE, node="no-such-node"), "No node of ap-northeast-2 is called no-such-node"),
        (Order(Fault.NODE_GONE, node="pay-worker"), "2 nodes of ap-northeast-2 are called pay-worker: use an id"),
    ],
)
def test_orders_that_lack_something(faults: FaultClient, order: Order, words: str) -> None:
    with pytest.raises(OrderError, match=words):
        faults.inject(order)


def test_there_is_no_cloud_to_order_from(demo_cloud: DemoProcess) -> None:
    environment: dict[str, Any] = demo_cloud.environment
    with pytest.raises(OrderError, match="DEMO_ADMIN_ACCESS_KEY_ID is not set"):
        FaultClient({name: value for name, value in environment.items() if name != "DEMO_ADMIN_ACCESS_KEY_ID"})
    with pytest.raises(OrderError, match="does not answer"):
        FaultClient(environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).sessions()
