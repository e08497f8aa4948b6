"""Whether IAM lets the caller log in to a database by a token, as its simulation answers: advice, for the database has
the last word. Resources by the Service Authorization Reference (RDS IAM Authentication, ElastiCache, MemoryDB)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.aws.simulation import Simulator, Subject
from ssm_tui.domain.access import Answer, Verdict
from ssm_tui.domain.credentials import cache_name, is_serverless, token_service
from ssm_tui.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssm_tui.aws.gateway import Gateway
    from ssm_tui.domain.contexts import Caller
    from ssm_tui.domain.databases import Database

ACTIONS = {"rds-db": "rds-db:connect", "elasticache": "elasticache:Connect", "memorydb": "memorydb:Connect"}
_NOT_ANSWERED = Answer(Verdict.UNKNOWN, "IAM's simulation did not answer for it")


def doubt(gateway: Gateway, identify: Callable[[], tuple[Caller, str]], database: Database, user: str) -> str:
    """What speaks against the login as `user`, or why that is not known; empty where IAM allows it. Blocks.

    `identify` tells the caller and its unique id.
    """
    unknown = f"whether you may log in as {user} is not known"
    action = ACTIONS[token_service(database)]
    try:
        caller, user_id = identify()
        if caller.arn.endswith(":root"):
            return ""
        resources = login_resources(database, user, caller)
        if not resources:
            return f"{unknown}: AWS does not say which resource {action} would be of"
        simulator = Simulator(gateway, caller, user_id, database.context.region)
        answers = simulator.judge_each((action,), resources, Subject())
    except AwsError as error:
        return f"{unknown}: {f'{error.action} is denied' if isinstance(error, AccessDeniedError) else error.message}"
    worst = min((answers.get((action, arn), _NOT_ANSWERED) for arn in resources), key=lambda each: _ORDER[each.verdict])
    match worst.verdict:
        case Verdict.ALLOWED:
            return ""
        case Verdict.DENIED:
            return f"it will not be taken: {action} as {user}: {worst.reason}"
    return f"{unknown}: {worst.reason}"


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
