"""Tunnel requests of every kind, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from ssm_tui.domain.contexts import Context
from ssm_tui.domain.databases import Database, Family, Kind, Role
from ssm_tui.domain.tunnels import TunnelRequest, Way
from tests.builders import SEOUL

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PORT = st.integers(1, 65535)
CONTEXT = st.builds(Context, st.none() | TEXT, TEXT)
DATABASE = st.builds(
    Database,
    id=TEXT,
    context=CONTEXT,
    account=st.none() | TEXT,
    kind=st.sampled_from(Kind),
    engine=TEXT,
    version=st.none() | TEXT,
    endpoint=TEXT,
    port=PORT,
    role=st.sampled_from(Role),
    subnets=st.lists(TEXT, max_size=2).map(tuple),
    security_groups=st.lists(TEXT, max_size=2).map(tuple),
    database=st.none() | TEXT,
    iam_auth=st.none() | st.booleans(),
    tls=st.none() | st.booleans(),
    ca=st.none() | TEXT,
    secret_arn=st.none() | TEXT,
    resource_id=st.none() | TEXT,
    parent=st.none() | TEXT,
    relay=st.none() | TEXT,
    tags=st.dictionaries(TEXT, TEXT, max_size=2),
)
REQUEST = st.builds(
    TunnelRequest,
    context=CONTEXT,
    target=TEXT,
    port=PORT,
    host=TEXT,
    local_port=st.none() | PORT,
    title=TEXT,
    family=st.sampled_from(Family),
    database=st.none() | DATABASE,
    label=TEXT,
    others=st.lists(st.builds(Way, TEXT, TEXT), max_size=2).map(tuple),
    on_demand=st.booleans(),
    most_sessions=st.integers(1, 8),
    probe_every=st.floats(0, 3600),
    bind=TEXT,
    name=TEXT,
)


def tunnel(host: str = "db", port: int = 5432) -> TunnelRequest:
    """To a host of its own."""
    return TunnelRequest(SEOUL, "i-1", port, host=host)
