"""What counts as production: one filter that both nodes and databases can be asked."""

from __future__ import annotations

from typing import Any

import pytest

from ssm_tui.domain.production import is_production, parse_mark
from ssm_tui.errors import FilterError
from tests.builders import database, node


@pytest.mark.parametrize("text", ["env=prod", "env=prod|live", "account:1234", "vpc:vpc-1 -env=dev"])
def test_nodes_and_databases_are_told_by_the_same_mark(text: str) -> None:
    mark = parse_mark(text)
    facts: dict[str, Any] = {"tags": {"env": "prod"}, "account": "123456789012", "vpc": "vpc-1"}
    assert is_production(mark, node(**facts))
    assert is_production(mark, database(**facts))
    assert not is_production(mark, node(tags={"env": "dev"}, account="9", vpc="vpc-1"))
    assert not is_production(None, database(**facts))
    assert not is_production(mark, None)


@pytest.mark.parametrize("text", ["", " ", "ping:online", "engine:postgres", '"open'])
def test_a_mark_that_cannot_be_asked_of_both_is_refused(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_mark(text)
    assert caught.value.hint
