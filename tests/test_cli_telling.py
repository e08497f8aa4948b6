"""What is told of a tunnel from its beginning to its end: ready once on stdout, the rest on stderr, nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ssm_tui.commands.handout import Handout
from ssm_tui.commands.requests import TunnelPlan
from ssm_tui.commands.telling import Teller
from ssm_tui.commands.terminal import Progress
from ssm_tui.domain.connection import Trust
from ssm_tui.domain.connection.entries import ClientFile
from ssm_tui.domain.tunnels import TunnelRequest, TunnelState, TunnelStatus, Way
from ssm_tui.store.client_files import ClientFiles
from tests.builders import SEOUL, database

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
S = TunnelState
REQUEST = TunnelRequest(SEOUL, "i-1", 5432, host="orders.internal", title="orders", database=database(), label="web-1")


class Story:
    """Tells statuses one after the other."""

    def __init__(self, capsys: pytest.CaptureFixture[str], **wanted: Any) -> None:
        self._capsys = capsys
        self._status = TunnelStatus(1, REQUEST, S.STARTING, NOON, local_port=5432, via=Way("i-1", "web-1"))
        self.teller = Teller(TunnelPlan(**{"request": REQUEST, **wanted}), Progress("ssm-tui"), clock=lambda: NOON)

    def tell(self, state: TunnelState, message: str = "", hint: str = "", **changes: Any) -> tuple[str, str]:
        """What is written to stdout and stderr about it."""
        changes = {"next_try": None, **changes}
        self._status = replace(self._status, state=state, message=message, hint=hint, **changes)
        self.teller.tell(self._status)
        out, err = self._capsys.readouterr()
        return out, err

    @property
    def status(self) -> TunnelStatus:
        return self._status


@pytest.fixture
def story(capsys: pytest.CaptureFixture[str]) -> Story:
    return Story(capsys)


def test_a_quiet_life(story: Story) -> None:
    assert story.tell(S.STARTING) == ("", "")
    assert story.tell(S.STARTING, "starting the session") == ("", "")
    assert story.tell(S.READY) == ("ready 127.0.0.1:5432\n", "")
    assert story.tell(S.READY, sessions=2) == ("", "")
    assert story.tell(S.STOPPING) == ("", "")


def test_trouble_and_its_end_are_a_line_each(story: Story) -> None:
    story.tell(S.READY)
    assert story.tell(S.RECONNECTING, "the connection was lost", "is the network up?") == (
        "",
        "ssm-tui: reconnecting: the connection was lost; is the network up?\n",
    )
    assert story.tell(S.RECONNECTING, "starting the session") == ("", "")
    soon = {"next_try": NOON + timedelta(seconds=3.2)}
    assert story.tell(S.RECONNECTING, "no route", "", **soon)[1] == "ssm-tui: reconnecting in 4 s: no route\n"
    assert story.tell(S.RECONNECTING, "reaching the far end") == ("", "")
    assert story.tell(S.RECONNECTING, "no route", "", next_try=NOON + timedelta(seconds=8)) == ("", "")
    assert story.tell(S.READY) == ("", "ssm-tui: ready again\n")
    assert story.tell(S.READY) == ("", "")
    assert story.tell(S.DEGRADED, "connection refused at the far end")[1].startswith("ssm-tui: degraded: connection")
    assert story.tell(S.READY)[1] == "ssm-tui: ready again\n"


def test_a_sign_in_that_is_needed_is_said_even_before_the_first_ready(story: Story) -> None:
    assert story.tell(S.PAUSED, "the sign-in of profile 'dev' has expired", "aws sso login --profile dev") == (
        "",
        "ssm-tui: paused: the sign-in of profile 'dev' has expired; aws sso login --profile dev\n",
    )
    assert story.tell(S.RECONNECTING, "the credentials have been renewed")[1].startswith(
        "ssm-tui: reconnecting: the cred"
    )
    assert story.tell(S.READY) == ("ready 127.0.0.1:5432\n", "")


def test_another_relay_is_told(story: Story) -> None:
    story.tell(S.STARTING, "starting the session")
    said = story.tell(S.STARTING, "web-1 is gone: now through web-2", via=Way("i-2", "web-2"))
    assert said == ("", "ssm-tui: web-1 is gone: now through web-2\n")
    assert story.tell(S.STARTING, "starting the session") == ("", "")


def test_another_relay_is_told_when_the_tunnel_is_ready_again(story: Story) -> None:
    story.tell(S.READY)
    story.tell(S.RECONNECTING, "web-1 is gone", next_try=NOON + timedelta(seconds=1))
    other = Way("i-2", "web-2")
    assert story.tell(S.RECONNECTING, "web-1 is gone: now through web-2", via=other) == ("", "")
    assert story.tell(S.READY, via=other)[1] == "ssm-tui: ready again, now through web-2\n"
    assert story.tell(S.DEGRADED, "no answer")[1] == "ssm-tui: degraded: no answer\n"
    assert story.tell(S.READY)[1] == "ssm-tui: ready again\n"
    assert story.tell(S.IDLE, "idle for 20 minutes")[1] == "ssm-tui: idle: idle for 20 minutes\n"
    story.tell(S.STARTING, "a client has dialled")
    assert story.tell(S.READY, via=Way("i-1", "web-1"))[1] == "ssm-tui: ready, now through web-1\n"


def test_news_of_a_ready_tunnel(story: Story) -> None:
    story.tell(S.READY)
    assert story.tell(S.READY, "stays at 1 session", "AWS refused another")[1] == (
        "ssm-tui: stays at 1 session; AWS refused another\n"
    )
    assert story.tell(S.READY, "stays at 1 session", "AWS refused another") == ("", "")


def test_one_on_demand_is_ready_with_its_port_and_comes_and_goes_in_silence(story: Story) -> None:
    request = replace(REQUEST, on_demand=True)
    assert story.tell(S.IDLE, "the first connection starts the session", request=request)[0] == "ready 127.0.0.1:5432\n"
    for state in (S.STARTING, S.READY, S.IDLE, S.STARTING, S.READY):
        assert story.tell(state) == ("", "")
    story.tell(S.RECONNECTING, "lost")
    assert story.tell(S.READY)[1] == "ssm-tui: ready again\n"


def test_one_that_the_service_ended_for_idleness_says_so_once(story: Story) -> None:
    story.tell(S.READY)
    assert story.tell(S.IDLE, "idle for 20 minutes")[1] == "ssm-tui: idle: idle for 20 minutes\n"
    story.tell(S.STARTING, "a client has dialled")
    assert story.tell(S.READY) == ("", "")
    assert story.tell(S.IDLE, "idle for 20 minutes") == ("", "")


def test_one_of_a_group_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    story = Story(capsys, name="orders")
    assert story.tell(S.READY)[0] == "ready 127.0.0.1:5432 orders\n"
    assert story.tell(S.RECONNECTING, "lost")[1] == "ssm-tui: orders: reconnecting: lost\n"
    assert story.tell(S.READY)[1] == "ssm-tui: orders: ready again\n"


def test_the_connection_string_follows_the_ready_line(capsys: pytest.CaptureFixture[str]) -> None:
    story = Story(capsys, handout=Handout("psql", trust=Trust(rds="/rds.pem")))
    out, err = story.tell(S.READY)
    assert out == (
        "ready 127.0.0.1:5432\n"
        f"psql 'host={database().endpoint} hostaddr=127.0.0.1 port=5432 user=app dbname=orders"
        " sslmode=verify-full sslrootcert=/rds.pem'\n"
    )
    assert err == "ssm-tui: TLS; certificate checked: who signed it, and that it names the endpoint\n"


def test_an_entry_is_written_once_the_port_is_known(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = ClientFiles(tmp_path, {"PGSERVICEFILE": str(tmp_path / "services")})
    story = Story(capsys, handout=Handout(write=ClientFile.PG_SERVICE, files=files))
    out, err = story.tell(S.READY)
    assert out == "ready 127.0.0.1:5432\n"
    assert err == f"ssm-tui: orders is in {tmp_path}/services: psql service=orders\n"
    assert "\nport=5432\n" in (tmp_path / "services").read_text()


def test_an_entry_that_cannot_be_written_leaves_the_tunnel_be(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = ClientFiles(tmp_path, {"PGSERVICEFILE": str(tmp_path)})
    story = Story(capsys, handout=Handout(write=ClientFile.PG_SERVICE, files=files))
    out, err = story.tell(S.READY)
    assert out == "ready 127.0.0.1:5432\n"
    assert "no ordinary file" in err.splitlines()[0]
    assert story.teller.was_ready


def test_foreign_words_are_harmless(story: Story) -> None:
    story.tell(S.READY)
    assert "\x1b" not in story.tell(S.DEGRADED, "\x1b]0;pwned\x07")[1]


def test_a_failure_names_the_relay_and_what_is_not_known_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    story = Story(capsys, doubt="the groups could not be read")
    story.tell(S.FAILED, "refused", "is it up?")
    error = story.teller.failure(story.status)
    assert error.message == "refused, through web-1"
    assert error.hint == "is it up?; the groups could not be read"
    assert not story.teller.was_ready


def test_a_failure_before_the_relay_was_asked_does_not_name_it(story: Story) -> None:
    story.tell(S.FAILED, "port 5432 is taken by postgres (pid 7)", "choose another", local_port=None)
    assert story.teller.failure(story.status).message == "port 5432 is taken by postgres (pid 7)"
