"""A Windows node's desktop against the demo cloud: the tunnel to its port 3389 stands, and its address is at hand."""

from __future__ import annotations

import re
import socket

import pytest

from tests.e2e.conftest import Laptop, port_is_free

pytestmark = pytest.mark.e2e

CONNECTION_REQUEST = bytes.fromhex("03000013 0ee00000000000 0100080003000000")


def test_a_key_opens_the_tunnel_to_the_desktop_and_gives_its_address(laptop: Laptop) -> None:
    with laptop.terminal("-p", "administrator", "-f", "os:windows legacy-batch-1") as terminal:
        terminal.wait_for("Nodes 1/")
        terminal.wait_for("R Desktop")
        terminal.send("R")
        terminal.wait_for(lambda screen: re.search(r"127\.0\.0\.1:\d+ copied", screen) is not None)
        found = re.search(r"127\.0\.0\.1:(\d+) copied", terminal.text)
        assert found is not None
        port = int(found[1])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(CONNECTION_REQUEST)
            assert client.recv(64)[:6] == bytes.fromhex("03000013 0ed0")
        terminal.send("q")
        terminal.wait_for("stop it and leave")
        terminal.send("y")
        assert terminal.wait_end() == 0
    assert port_is_free(port)
