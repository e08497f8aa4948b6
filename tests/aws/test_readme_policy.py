"""The README's policy is enough: a user with nothing else lists all, knows their access, and opens what it allows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ssm_tui.domain import sessions
from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.errors import AccessDeniedError
from tests.aws.conftest import Administrator, cloud_of

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_policy_of_the_readme(admin: Administrator) -> None:
    (text,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    cloud = cloud_of(admin.profile(*json.loads(text)["Statement"]))
    pages = list(cloud.node_pages())
    nodes = {node.key: node for page in pages for node in page.nodes}
    assert len(nodes) >= 40
    assert not [note for page in pages for note in page.notes]
    databases = list(cloud.database_pages())
    assert sum(len(page.databases) for page in databases) >= 8
    assert not [note for page in databases for note in page.notes]

    access = {key: found for portion in cloud.access(list(nodes.values())) for key, found in portion.items()}
    ours = {key for key, node in nodes.items() if node.tags.get("team") == "pay"}
    for kind in SessionKind:
        allowed = {key for key, found in access.items() if found.of(kind).verdict is Verdict.ALLOWED}
        assert allowed == ours

    online = [node for node in nodes.values() if node.online]
    mine = next(node for node in online if node.key in ours)
    started = cloud.start_session(sessions.shell(cloud.context, mine.id))
    cloud.terminate_session(started.session_id)
    other = next(node for node in online if node.key not in ours)
    with pytest.raises(AccessDeniedError):
        cloud.start_session(sessions.shell(cloud.context, other.id))
