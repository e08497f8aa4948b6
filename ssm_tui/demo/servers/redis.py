"""A Redis endpoint: fakeredis's TCP server in threads of this process, on a free loopback port."""

from __future__ import annotations

import threading

from fakeredis import FakeRedis, TcpFakeServer


class Redis:
    """Speaks the Redis protocol to real clients; starts in milliseconds, ends with the process."""

    def __init__(self) -> None:
        self._server = TcpFakeServer(("127.0.0.1", 0))
        self._server.daemon_threads = True  # a client that stays connected must not hold up the end of the process
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="redis", daemon=True)
        with FakeRedis(server=self._server.fake_server) as client:
            client.set("greeting", "hello from the demo cloud")
            client.hset("session:1001", mapping={"user": "mina", "cart": "3"})
            client.rpush("queue:mail", "welcome:mina", "receipt:2041")

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and every connection; returns when their threads are gone."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
