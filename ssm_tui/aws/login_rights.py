"""Whether IAM lets the caller log in to a database by a token, as its simulation answers: advice, for the database has
the last word. Resources by the Service Authorization Reference (RDS IAM Authentication, ElastiCache, MemoryDB)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ssm_tui.aws.access import ROOT
from ssm_tui.aws.simulation import Simulator, Subject
from ssm_tui.aws.verdicts import LASTS
from ssm_tui.domain.access import Answer, Verdict
from ssm_tui.domain.credentials import cache_name, is_serverless, token_service, usual_user
from ssm_tui.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Caller, Context
    from ssm_tui.domain.databases import Database

ACTIONS = {"rds-db": "rds-db:connect", "elasticache": "elasticache:Connect", "memorydb": "memorydb:Connect"}
_NOT_ANSWERED = Answer(Verdict.UNKNOWN, "IAM's simulation did not answer for it")


def doubt(gateway: Gateway, identify: Callable[[], tuple[Caller, str]], database: Database, user: str) -> str:
    """What speaks against the login as `user`, or why that is not known; empty where IAM allows it. Blocks.

    `identify` tells the caller and its unique id.
    """
    answer = _judged(gateway, identify, [(database, user)])[database.key]
    match answer.verdict:
        case Verdict.ALLOWED:
            return ""
        case Verdict.DENIED:
            return f"it will not be taken: {ACTIONS[token_service(database)]} as {user}: {answer.reason}"
    return f"whether you may log in as {user} is not known: {answer.reason}"


class Logins:
    """Whether the caller may log in to databases by IAM as each one's usual user, asked for some at once and believed
    for a while. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[tuple[Context, str], tuple[Database, Answer, float]] = {}

    def of(
        self, gateway: Gateway, identify: Callable[[], tuple[Caller, str]], databases: Iterable[Database]
    ) -> dict[tuple[Context, str], Answer]:
        """By key, of those that take logins by IAM and whose user is known. Blocks; raises nothing of AWS's."""
        wanted = [each for each in databases if token_service(each) in ACTIONS and usual_user(each)]
        asked = [(each, usual_user(each)) for each in wanted if not self._good(each)]
        if asked:
            now = self._clock()
            answers = _judged(gateway, identify, asked)
            self._kept |= {each.key: (each, _as(user, answers[each.key]), now) for each, user in asked}
        return {each.key: self._kept[each.key][1] for each in wanted}

    def _good(self, database: Database) -> bool:
        kept = self._kept.get(database.key)
        return kept is not None and kept[0] == database and self._clock() - kept[2] < LASTS


def _as(user: str, answer: Answer) -> Answer:
    return replace(answer, reason=f"as {user}: {answer.reason}")


def _judged(
    gateway: Gateway, identify: Callable[[], tuple[Caller, str]], logins: Sequence[tuple[Database, str]]
) -> dict[tuple[Context, str], Answer]:
    """The answer to each login as a user: two calls for all of one service's. The databases are of one context."""
    try:
        caller, user_id = identify()
        if caller.arn.endswith(":root"):
            return {database.key: ROOT for database, _ in logins}
        resources = {database.key: login_resources(database, user, caller) for database, user in logins}
        simulator = Simulator(gateway, caller, user_id, logins[0][0].context.region)
        answers: dict[tuple[str, str], Answer] = {}
        for service in dict.fromkeys(token_service(database) for database, _ in logins):
            arns = [arn for each, _ in logins if token_service(each) == service for arn in resources[each.key]]
            if arns:
                answers |= simulator.judge_each((ACTIONS[service],), list(dict.fromkeys(arns)), Subject())
    except AwsError as error:
        why = f"{error.action} is denied" if isinstance(error, AccessDeniedError) else error.message
        return {database.key: Answer(Verdict.UNKNOWN, why) for database, _ in logins}
    return {
        database.key: _worst(ACTIONS[token_service(database)], resources[database.key], answers)
        for database, _ in logins
    }


def _worst(action: str, arns: Sequence[str], answers: Mapping[tuple[str, str], Answer]) -> Answer:
    if not arns:
        return Answer(Verdict.UNKNOWN, f"AWS does not say which resource {action} would be of")
    return min((answers.get((action, arn), _NOT_ANSWERED) for arn in arns), key=lambda each: _ORDER[each.verdict])


_ORDER = {Verdict.DENIED: 0, Verdict.UNKNOWN: 1, Verdict.ALLOWED: 2}


def login_resources(database: Database, user: str, caller: Caller) -> tuple[str, ...]:
    """What the login must be allowed on; empty where the ARNs cannot be told."""
    service = token_service(database)
    arn = f"arn:{caller.partition}:{service}:{database.context.region}:{database.account or caller.account}"
    if service == "rds-db":
        return (f"{arn}:dbuser:{database.resource_id}/{user}",) if database.resource_id else ()
    name = cache_name(database)
    if service == "memorydb":
        return f"{arn}:cluster/{name}", f"{arn}:user/{user}"
    return f"{arn}:{'serverlesscache' if is_serverless(database) else 'replicationgroup'}:{name}", f"{arn}:user:{user}"
