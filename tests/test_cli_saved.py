"""What the names of saved tunnels, groups and databases mean, looked up in the demo cloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ssm_tui.aws.live import AwsClouds
from ssm_tui.commands.handout import Handout
from ssm_tui.commands.requests import Choices, Requests
from ssm_tui.config import Settings
from ssm_tui.demo.runner import DemoProcess
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Family
from ssm_tui.domain.saved import SavedTunnel, group_members
from ssm_tui.domain.services import Clouds
from ssm_tui.domain.tunnels import TunnelRequest
from ssm_tui.errors import TargetError, UsageError

WHOLE_ID = "i-0a1b2c3d4e5f60718"


@pytest.fixture
def here(demo_cloud: DemoProcess, monkeypatch: pytest.MonkeyPatch) -> str:
    """A developer of the demo cloud; the region."""
    for name, value in demo_cloud.environment.items():
        monkeypatch.setenv(name, value)
    return demo_cloud.environment["AWS_REGION"]


def clouds_for(profiles: Sequence[str], regions: Sequence[str]) -> Clouds:
    return AwsClouds(profiles, regions)


def requests(*saved: SavedTunnel, **settings: object) -> Requests:
    """Looks up by these settings."""
    return Requests(AwsClouds(), clouds_for, replace(Settings(tunnels=saved), **settings))  # type: ignore[arg-type]


def test_a_database_has_its_relay_and_those_that_stand_by(here: str) -> None:
    request = requests(sessions_per_tunnel=2).named("orders").request
    assert (request.title, request.name, request.family, request.port) == ("orders", "", Family.POSTGRES, 5432)
    assert request.database is not None
    assert request.host == request.database.endpoint
    assert request.label.endswith(f"({request.target})")
    assert request.most_sessions == 2
    assert 1 <= len(request.others) <= 3
    assert len({way.target for way in request.ways}) == len(request.ways)


def test_a_saved_tunnel_comes_before_a_database_of_its_name(here: str) -> None:
    saved = SavedTunnel(
        name="catalog", database="orders", local_port=15432, on_demand=True, width=3, probe_every=60, bind="127.0.0.2"
    )
    request = requests(saved).named("catalog").request
    assert (request.title, request.name) == ("catalog", "catalog")
    assert request.database is not None
    assert request.database.id == "orders"
    assert (request.local_port, request.on_demand, request.most_sessions) == (15432, True, 3)
    assert (request.probe_every, request.bind) == (60, "127.0.0.2")
    assert requests(saved).resolve(saved) == request


def test_the_command_line_comes_before_the_saved_tunnel(here: str) -> None:
    saved = SavedTunnel(name="one", target=WHOLE_ID, port=80, host="admin.internal", local_port=1111, width=2)
    request = requests(saved).named("one", Choices(local_port=2222, width=5, on_demand=True, bind="0.0.0.0")).request
    assert request == TunnelRequest(
        Context(None, here),
        WHOLE_ID,
        80,
        host="admin.internal",
        local_port=2222,
        title="one",
        label=WHOLE_ID,
        on_demand=True,
        most_sessions=5,
        bind="0.0.0.0",
        name="one",
    )


def test_its_own_relay_is_taken_at_its_word(here: str) -> None:
    saved = SavedTunnel(name="one", database="orders", relay=WHOLE_ID)
    wanted = requests(saved).named("one")
    assert (wanted.request.target, wanted.request.others, wanted.doubt) == (WHOLE_ID, (), "")
    chosen = requests(saved).named("one", Choices(relay="web-1")).request
    assert chosen.target != WHOLE_ID


def test_its_own_region_and_profile(here: str) -> None:
    saved = SavedTunnel(name="one", target=WHOLE_ID, port=80, region="us-east-1")
    assert requests(saved).named("one").request.context == Context(None, "us-east-1")
    other = requests(replace(saved, profile="prod")).named("one").request.context
    assert other == Context("prod", "us-east-1")


def test_a_group_has_its_tunnels_in_its_order_each_named(here: str) -> None:
    saved = [SavedTunnel(name=name, target=WHOLE_ID, port=80) for name in ("a", "b", "c")]
    wanted = requests(*saved, groups={"pay": ("c", "a", "c")}).group("pay")
    assert [(each.name, each.request.name) for each in wanted] == [("c", "c"), ("a", "a")]


def test_an_unknown_group_lists_those_there_are() -> None:
    with pytest.raises(TargetError) as caught:
        group_members("ops", {"pay": ("a",)}, [SavedTunnel(name="a", target="x", port=1)])
    assert caught.value.hint == "groups are pay"


@pytest.mark.parametrize(
    ("choices", "word"),
    [(Choices(handout=Handout("url")), "leads to no database"), (Choices(relay="web-1"), "its node itself")],
)
def test_what_makes_no_sense_for_it(here: str, choices: Choices, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        requests(SavedTunnel(name="one", target=WHOLE_ID, port=80)).named("one", choices)


def test_what_needs_no_lookup_is_known_to_need_none() -> None:
    whole = SavedTunnel(name="one", target=WHOLE_ID, port=80)
    assert whole.complete
    assert not replace(whole, target="web-1").complete
    assert not SavedTunnel(name="one", database="orders").complete
    assert (whole.far_end, replace(whole, host="h").far_end) == (f"{WHOLE_ID}:80", "h:80")
