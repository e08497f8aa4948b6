"""The panel that says why: asked of IAM when it is opened, the request copied word for word, foreign text harmless."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ssm_tui.domain.access import Answer, Cause, Decider, SessionKind, Verdict, everywhere
from ssm_tui.domain.contexts import Caller
from ssm_tui.domain.grants import Explanation, Point, Quote, Target, Undertaking, joint
from ssm_tui.errors import CredentialsError
from tests.ui.fakes import CONTEXT, HOSTILE, World
from tests.ui.fleet import NODES, small_world
from tests.ui.screen import started

if TYPE_CHECKING:
    from tests.ui.screen import Person

START = "ssm:StartSession"
PLACE = "eu-west-1:123456789012"
CALLER = Caller("123456789012", "arn:aws:sts::123456789012:assumed-role/Operator/kim")
OWN = Decider("Own", "user", (3, 9))
YES = Answer(Verdict.ALLOWED, "policy Own, tag team=security", deciders=(OWN,))
NO = Answer(Verdict.DENIED, "no policy of yours allows it", Cause.IMPLICIT)
FORBIDDEN = Answer(
    Verdict.DENIED,
    "forbidden by policy Freeze",
    Cause.EXPLICIT,
    deciders=(Decider("Freeze", "user-managed"),),
    tags=(("frozen", "yes"),),
)


def explained(target: Target) -> Explanation:
    """A node that is allowed itself; of the documents the shell's is missing and remote forwards are forbidden."""
    node = target.node
    assert node is not None
    answers = {SessionKind.SHELL: NO, SessionKind.FORWARD: YES, SessionKind.REMOTE: FORBIDDEN, SessionKind.SSH: NO}
    undertakings = []
    for kind, answer in answers.items():
        owner = "" if kind.document.startswith("AWS-") else "123456789012"
        points = (
            Point(START, f"arn:aws:ec2:{PLACE}:instance/{node.id}", YES),
            Point(START, f"arn:aws:ssm:eu-west-1:{owner}:document/{kind.document}", answer),
        )
        undertakings.append(Undertaking(kind.value, joint(points), points))
    return Explanation(
        target,
        CALLER,
        alias="pay-prod",
        undertakings=tuple(undertakings),
        tags=(("team", HOSTILE),),
        quotes=(
            Quote(OWN, '{\n  "Effect": "Allow"\n}'),
            Quote(FORBIDDEN.deciders[0], trouble="iam:GetPolicy is denied"),
        ),
    )


def world() -> World:
    found = small_world()
    found.cloud.explained = explained
    return found


async def ask(person: Person) -> None:
    """Opens the panel for the node that everything is denied on."""
    await person.press("slash")
    await person.type("secret")
    await person.sees("Nodes 1/11")
    await person.press("enter", "w")
    await person.sees("Why · secret-vault")
    await person.sees("assumed-role/Operator/kim")


def asked_for(world: World) -> list[object]:
    """The resources of the request that was copied last."""
    return [each["Resource"] for each in json.loads(world.clipboard.copied[-1])["Statement"]]


async def test_it_says_who_what_and_why() -> None:
    async with started(world(), size=(120, 50)) as person:
        await ask(person)
        text = person.text()
        for words in (
            "123456789012 (pay-prod)",
            "role        Operator",
            "session     kim",
            "– shell     denied (implicit): no policy of yours allows it",
            "f forward   allowed: policy Own",
            "– remote    denied (explicit): forbidden by policy Freeze",
            f"s           {START} on arn:aws:ssm:{PLACE}:document/SSM-SessionManagerRunShell",
            "Tags that your policies look at",
            "Policy Own (user), lines 3-9",
            '"Effect": "Allow"',
            "its text could not be read: iam:GetPolicy is denied",
        ):
            assert words in text, words
        assert "pwned" in text
        assert "\x1b]0;" not in text
        await person.press("G")
        await person.sees("To ask for, in a policy of yours")
        assert "statement helps; that statement, or a tag that it looks at (frozen=yes)" in person.text()
        await person.press("escape")
        await person.sees_no("Why ·")


async def test_what_is_missing_is_copied() -> None:
    here = world()
    async with started(here) as person:
        await ask(person)
        await person.press("y")
        await person.is_told("request copied to the clipboard")
        told, _, document = here.clipboard.copied[-1].partition("In a policy of yours:")
        assert "policy Freeze (user-managed) forbids" in told
        (resources,) = (each["Resource"] for each in json.loads(document)["Statement"])
        shell = f"arn:aws:ssm:{PLACE}:document/SSM-SessionManagerRunShell"
        ssh = "arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession"
        assert resources == [shell, ssh]
        await person.press("h", "y")
        assert asked_for(here) == [ssh]
        await person.sees("(ssh alone)")
        await person.press("r", "y")
        assert here.clipboard.copied[-1] == told.strip()


async def test_where_nothing_is_missing_nothing_is_copied() -> None:
    here = world()
    async with started(here) as person:
        await ask(person)
        await person.press("f", "y")
        assert here.clipboard.copied == []
        assert "To ask for" not in person.text()


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_it_fits_and_scrolls(size: tuple[int, int]) -> None:
    async with started(world(), size=size) as person:
        await ask(person)
        await person.press("G")
        await person.sees("AWS-StartSSHSession")
        await person.press("g")
        await person.sees("you         arn:aws:sts::123456789012:assumed-role/Operator/kim")


async def test_it_opens_before_iam_has_answered_and_can_be_left() -> None:
    here, gate = world(), threading.Event()

    def slowly(target: Target) -> Explanation:
        gate.wait()
        return explained(target)

    here.cloud.explained = slowly
    async with started(here) as person:
        await person.press("w")
        await person.sees("Asking IAM")
        await person.press("escape")
        await person.sees_no("Asking IAM")
        gate.set()
        await person.press("w")
        await person.sees("Operator")


async def test_a_database_through_its_relay() -> None:
    here, targets = world(), []
    arn = f"arn:aws:rds-db:{PLACE}:dbuser:db-1/app"

    def explained(target: Target) -> Explanation:
        targets.append(target)
        point = Point("rds-db:connect", arn, NO)
        return Explanation(target, CALLER, undertakings=(Undertaking("connect", joint([point]), (point,)),))

    here.cloud.explained = explained
    async with started(here) as person:
        await person.press("2", "w")
        await person.sees("Why · cache")
        await person.sees("– connect   denied (implicit): no policy of yours allows it")
        await person.sees(f"c           rds-db:connect on {arn}")
        await person.press("y")
        assert asked_for(here) == [arn]
    (target,) = targets
    assert target.database is not None
    assert target.node is not None
    assert target.node.vpc == target.database.vpc


async def test_a_database_whose_relays_may_not_be_used_is_explained_by_the_best_of_them() -> None:
    here, targets = world(), []

    def explained(target: Target) -> Explanation:
        targets.append(target)
        return Explanation(target, CALLER)

    here.cloud.explained = explained
    here.cloud.answers = {node.id: everywhere(NO) for node in NODES}
    async with started(here) as person:
        await person.press("2", "down", "down", "down")
        await person.sees("you may not forward through any")
        await person.press("w")
        await person.sees("you         arn:aws:sts")
    (target,) = targets
    assert target.label == "orders"
    assert target.node is not None


async def test_what_keeps_it_from_being_known_is_said() -> None:
    here = world()

    def refused(_target: Target) -> Explanation:
        raise CredentialsError("the credentials of profile 'dev' have expired", "renew them")

    here.cloud.explained = refused
    async with started(here) as person:
        await person.press("w")
        await person.sees("have expired")
        await person.sees("renew them")


async def test_without_iam_it_says_what_is_known_without() -> None:
    here = world()
    unasked = Answer(Verdict.UNKNOWN, "iam:SimulatePrincipalPolicy is denied")

    def doubted(target: Target) -> Explanation:
        node = target.node
        assert node is not None
        points = (Point(START, f"arn:aws:ec2:{PLACE}:instance/{node.id}", unasked),)
        found = replace(explained(target), undertakings=(Undertaking("shell", unasked, points),))
        return replace(found, doubt="iam:SimulatePrincipalPolicy is denied", quotes=())

    here.cloud.explained = doubted
    async with started(here, size=(120, 50)) as person:
        await person.press("w")
        await person.sees("could not be asked: iam:SimulatePrincipalPolicy is denied")
        await person.sees("what of it you have already is not known")
        assert CONTEXT.label in person.text()
