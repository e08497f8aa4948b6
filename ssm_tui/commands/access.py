"""`ssm-tui access`: why one may or may not start sessions on a node or reach a database, and what to ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ssm_tui.commands.targets import find_either
from ssm_tui.commands.terminal import write_line
from ssm_tui.domain.grants import Place

if TYPE_CHECKING:
    from ssm_tui.domain.access import Answer, Decider
    from ssm_tui.domain.grants import Explanation, Point, Undertaking
    from ssm_tui.domain.services import Clouds


def run(clouds: Clouds, target: str, *, as_json: bool) -> int:
    """Prints it, as people read it or as one JSON object; 0 whatever the verdict. Raises SsmTuiError."""
    meant = find_either(clouds, target)
    found = clouds.open(meant.context).explain(meant)
    if as_json:
        write_line(json.dumps(as_object(found), ensure_ascii=False, indent=2))
    else:
        from ssm_tui.ui.presentation.text import visible
        from ssm_tui.ui.presentation.why import plain, why_lines

        write_line("\n".join((visible(meant.label), *plain(why_lines(found)))))
    return 0


def as_object(found: Explanation) -> dict[str, Any]:
    """The explanation for programs. Unknown values are None; `request` is a policy document with all that is missing
    anywhere, `requests` the same by the place that lacks it."""
    request = found.request()
    node, database, context = found.target.node, found.target.database, found.target.context
    return {
        "node": node.id if node is not None else None,
        "name": (node.name or None) if node is not None else None,
        "database": database.id if database is not None else None,
        "profile": context.profile,
        "region": context.region,
        "caller": _caller(found),
        "kinds": {each.name: _undertaking(found, each) for each in found.undertakings},
        "sessions": [_point(point) for point in found.sessions],
        "tags": dict(found.tags),
        "policies": [
            {**_decider(each.decider), "text": each.text or None, "unreadable": each.trouble or None}
            for each in found.quotes
        ],
        "unknown_because": found.doubt or None,
        "request": request.document(),
        "requests": {place.value: request.document(place) for place in Place},
        "obstacles": list(request.obstacles),
    }


def _caller(found: Explanation) -> dict[str, Any]:
    caller = found.caller
    return {
        "account": caller.account,
        "account_alias": found.alias,
        "arn": caller.arn,
        "principal": caller.principal,
        "session": caller.session,
    }


def _undertaking(found: Explanation, each: Undertaking) -> dict[str, Any]:
    return {
        **_answer(each.answer),
        "points": [_point(point) for point in each.points],
        "request": found.request(each.name).document(),
    }


def _point(point: Point) -> dict[str, Any]:
    return {"action": point.action, **_answer(point.answer), "resource": point.resource}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "verdict": answer.verdict.value,
        "cause": answer.cause.value if answer.cause else None,
        "reason": answer.reason or None,
        "resource": answer.resource or None,
        "policies": [_decider(each) for each in answer.deciders],
        "tags": dict(answer.tags),
    }


def _decider(decider: Decider) -> dict[str, Any]:
    return {
        "policy": decider.policy,
        "kind": decider.kind or None,
        "lines": list(decider.lines) if decider.lines else None,
    }
