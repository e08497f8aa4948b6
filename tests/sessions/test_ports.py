"""Local ports: both loopbacks, the same from run to run, and never anybody else's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ssm_tui.domain.tunnels import TunnelRequest
from ssm_tui.errors import PortError
from ssm_tui.sessions.local import ports
from tests.builders import SEOUL

HOLDER = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    print("ready", flush=True)
    sys.stdin.read()
"""


class Memory:
    """What is remembered, for as long as a test lasts."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}

    def recall(self, request: TunnelRequest) -> int | None:
        return self.kept.get(request.far_end)

    def keep(self, request: TunnelRequest, port: int) -> None:
        self.kept[request.far_end] = port

    def others(self, request: TunnelRequest) -> frozenset[int]:
        return frozenset(port for name, port in self.kept.items() if name != request.far_end)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def far_port() -> int:
    """A port that is free here, as are the next ones: below those that the system gives to clients."""
    for first in range(20000 + os.getpid() * 40 % 8000, 32000, 40):
        try:
            with ExitStack() as held:
                for port in range(first, first + 25):
                    held.enter_context(listening("127.0.0.1", port))
                    held.enter_context(listening("::1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no ports are free")


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Somebody has the port there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
        yield


@contextmanager
def taken(request: TunnelRequest, memory: Memory) -> Iterator[int]:
    """The tunnel has its port, and this is its number."""
    sockets = ports.take(request, memory)
    try:
        yield sockets[0].getsockname()[1]
    finally:
        for each in sockets:
            each.close()


def to(host: str, port: int, **more: object) -> TunnelRequest:
    return replace(TunnelRequest(SEOUL, "i-1", port, host=host), **more)  # type: ignore[arg-type] # fields of any type


def test_both_loopbacks_have_the_same_port_and_nothing_else(memory: Memory, far_port: int) -> None:
    sockets = ports.take(to("db", far_port), memory)
    assert [each.getsockname()[:2] for each in sockets] == [("127.0.0.1", far_port), ("::1", far_port)]
    for each in sockets:
        with socket.create_connection(each.getsockname()[:2]):
            pass
        each.close()


def test_a_tunnel_has_the_same_port_again(memory: Memory, far_port: int) -> None:
    request = to("db", far_port)
    with listening("127.0.0.1", far_port), taken(request, memory) as port:
        assert port == far_port + 1
    with taken(request, memory) as port:
        assert port == far_port + 1
    with taken(replace(request, local_port=far_port + 5), memory):
        pass
    with taken(request, memory) as port:
        assert port == far_port + 5


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::"])
def test_a_port_that_somebody_has_on_one_address_is_taken(memory: Memory, far_port: int, host: str) -> None:
    with listening(host, far_port), taken(to("db", far_port), memory) as port:
        assert port == far_port + 1


def test_where_systems_share_ports_all_addresses_are_tried_first(
    memory: Memory, far_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_SHARES_PORTS", True)
    with taken(to("db", far_port), memory) as port:
        assert port == far_port
    with socket.create_server(("", far_port)), taken(to("other", far_port), Memory()) as port:
        assert port == far_port + 1


def test_another_tunnels_port_is_left_to_it_though_it_is_free(memory: Memory, far_port: int) -> None:
    with taken(to("a", far_port), memory) as first:
        pass
    with taken(to("b", far_port), memory) as second, taken(to("a", far_port), memory) as again:
        assert (first, second, again) == (far_port, far_port + 1, far_port)


def test_when_all_near_ports_are_anothers_any_other_will_do(memory: Memory, far_port: int) -> None:
    memory.kept = {f"other{n}": far_port + n for n in range(20)}
    with taken(to("db", far_port), memory) as port:
        assert port not in range(far_port, far_port + 20)


def test_a_second_instance_leaves_the_first_its_port(memory: Memory, far_port: int) -> None:
    request = to("db", far_port)
    with taken(request, memory) as first, taken(request, memory) as second:
        assert (first, second) == (far_port, far_port + 1)
        assert memory.kept == {request.far_end: far_port}
        with taken(replace(request, local_port=far_port + 7), memory):
            assert memory.kept == {request.far_end: far_port}


def test_another_programs_port_is_not_waited_for_ever(memory: Memory, far_port: int) -> None:
    """It may be there to stay: from now on the tunnel has the next one."""
    request = to("db", far_port)
    memory.keep(request, far_port)
    with holder(far_port, []) as _, taken(request, memory) as port:
        assert port == far_port + 1
    assert memory.kept == {request.far_end: far_port + 1}


# -- the wanted port --------------------------------------------------------------------------------------------------


@contextmanager
def holder(port: int, name: list[str]) -> Iterator[int]:
    """Another program listens there; its pid."""
    argv = [sys.executable, *(name or ["-c", HOLDER]), str(port)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.kill()


def test_a_taken_port_names_the_program(memory: Memory, far_port: int) -> None:
    with holder(far_port, []) as pid, pytest.raises(PortError) as raised:
        ports.take(to("db", 5432, local_port=far_port), memory)
    assert str(far_port) in raised.value.message
    assert "python" in raised.value.message
    assert f"(pid {pid})" in raised.value.message
    assert memory.kept == {}


def test_another_instance_of_ours_is_named_as_one(tmp_path: Path, memory: Memory, far_port: int) -> None:
    script = tmp_path / "ssm-tui"
    script.write_text(HOLDER)
    with holder(far_port, [str(script)]) as pid, pytest.raises(PortError, match=rf"by ssm-tui \(pid {pid}\)"):
        ports.take(to("db", 5432, local_port=far_port), memory)


def test_our_own_is_named_as_well(memory: Memory, far_port: int) -> None:
    with listening("::1", far_port), pytest.raises(PortError, match=rf"by ssm-tui \(pid {os.getpid()}\)"):
        ports.take(to("db", 5432, local_port=far_port), memory)


def test_a_program_that_the_system_does_not_tell_is_another(far_port: int) -> None:
    assert ports._who_has(far_port) == "another program"


def test_where_only_root_is_told_ones_own_programs_are_asked(far_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    with holder(far_port, []) as pid:
        assert f"(pid {pid})" in ports._who_has(far_port)


@pytest.mark.parametrize("port", [0, -5, 65536])
def test_a_port_out_of_range(memory: Memory, port: int) -> None:
    with pytest.raises(PortError):
        ports.take(to("db", 5432, local_port=port), memory)


def test_a_privileged_far_port_gets_its_usual_local_one(memory: Memory) -> None:
    with taken(to("web", 80), memory) as port:
        assert port >= 8080


# -- further addresses ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address")
def test_an_address_by_name_is_served_too(memory: Memory, far_port: int) -> None:
    sockets = ports.take(to("db", far_port, bind="127.0.0.2"), memory)
    assert [each.getsockname()[0] for each in sockets] == ["127.0.0.1", "::1", "127.0.0.2"]
    assert {each.getsockname()[1] for each in sockets} == {far_port}
    for each in sockets:
        each.close()


@pytest.mark.parametrize(
    ("bind", "hosts"),
    [("0.0.0.0", ["0.0.0.0", "::1"]), ("::", ["127.0.0.1", "::"]), ("localhost", ["127.0.0.1", "::1"])],
)
def test_all_addresses_cover_their_own_loopback(memory: Memory, far_port: int, bind: str, hosts: list[str]) -> None:
    sockets = ports.take(to("db", far_port, bind=bind), memory)
    assert [each.getsockname()[0] for each in sockets] == hosts
    with socket.create_connection(("127.0.0.1", far_port)), socket.create_connection(("::1", far_port)):
        pass
    for each in sockets:
        each.close()


@pytest.mark.parametrize("bind", ["192.0.2.1", "x" * 70])
@pytest.mark.parametrize("wanted", [True, False])
def test_an_address_that_is_not_ours(memory: Memory, far_port: int, bind: str, wanted: bool) -> None:
    with pytest.raises(PortError, match="address"):
        ports.take(to("db", far_port, bind=bind, local_port=far_port if wanted else None), memory)
    with taken(to("db", far_port), memory) as port:
        assert port == far_port, "nothing was left bound"
