"""A session that is given up while it begins is ended at the service too; what refusals of the AWS CLI teach."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from ssm_tui.aws.live import AwsCloud, AwsClouds
from ssm_tui.domain.access import SessionKind
from ssm_tui.domain.contexts import Context
from ssm_tui.domain.sessions import Command, SessionSpec
from ssm_tui.domain.tunnels import TunnelRequest
from ssm_tui.errors import AccessDeniedError
from ssm_tui.sessions.tunnels.leftovers import Leftovers
from ssm_tui.sessions.tunnels.patience import Patience
from ssm_tui.sessions.tunnels.session import Session, Starter
from tests.sessions.supervising import HERE

# As the AWS CLI: it says nothing until StartSession has been answered, and does not care for SIGINT.
SLOW_CLI = """
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
called, answer = map(pathlib.Path, sys.argv[1:])
called.touch()
while not answer.exists():
    time.sleep(0.01)
print("Starting session with SessionId: dev-0123456789", flush=True)
time.sleep(60)
"""


class SlowCli:
    """Prepares the program above; its answer is given by `answer`."""

    def __init__(self, folder: Path) -> None:
        self.called, self.answer = folder / "called", folder / "answer"

    def prepare(self, _spec: SessionSpec) -> Command:
        return Command((sys.executable, "-c", SLOW_CLI, str(self.called), str(self.answer)))


class Service(AwsClouds):
    """Knows which sessions were ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[str] = []

    def open(self, context: Context) -> AwsCloud:
        service = self

        class Cloud(AwsCloud):
            def terminate_session(self, session_id: str) -> None:
                service.ended.append(session_id)

        return Cloud(context)


async def test_the_answer_to_a_start_that_nobody_waits_for_is_heard(tmp_path: Path) -> None:
    cli, service = SlowCli(tmp_path), Service()
    starter = Starter(cli, Leftovers(service), Patience())
    session = Session(TunnelRequest(HERE, "i-0a1b2c3d4e5f60718", 7), "i-0a1b2c3d4e5f60718", starter, lambda *_: None)
    async with asyncio.timeout(20):
        while not cli.called.exists():
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(session.close())
        await asyncio.sleep(0)
        threading.Timer(2.5, cli.answer.touch).start()  # past the guard's first step
        await closing
    assert service.ended == ["dev-0123456789"]


REFUSED = (
    "An error occurred (AccessDeniedException) when calling the StartSession operation: User: arn:aws:iam::1:user/dev "
    "is not authorized to perform: ssm:StartSession on resource: arn:aws:ec2:us-east-1:1:instance/i-0a1b2c3d4e5f60718 "
    "because no identity-based policy allows the ssm:StartSession action"
)


class RefusedCli:
    """The AWS CLI's process, where AWS refuses it the session."""

    def prepare(self, _spec: SessionSpec) -> Command:
        return Command((sys.executable, "-c", f"import sys; print({REFUSED!r}, file=sys.stderr); sys.exit(254)"))


async def test_what_the_aws_cli_is_refused_is_learned_from() -> None:
    learned: list[tuple[SessionSpec, AccessDeniedError | None]] = []
    told = threading.Event()

    def learn(spec: SessionSpec, refusal: AccessDeniedError | None) -> None:
        learned.append((spec, refusal))
        told.set()

    starter = Starter(RefusedCli(), Leftovers(Service()), Patience(), learn)
    request = TunnelRequest(HERE, "i-0a1b2c3d4e5f60718", 5432, host="db.internal")
    session = Session(request, request.target, starter, lambda *_: None)
    with pytest.raises(AccessDeniedError):
        await session.open()
    assert await asyncio.to_thread(told.wait, 10)
    await session.close()
    ((spec, refusal),) = learned
    assert (spec.kind, spec.target) == (SessionKind.REMOTE, "i-0a1b2c3d4e5f60718")
    assert refusal is not None
    assert (refusal.action, refusal.resource) == (
        "ssm:StartSession",
        "arn:aws:ec2:us-east-1:1:instance/i-0a1b2c3d4e5f60718",
    )
    assert "no identity-based policy" in refusal.reason


async def test_a_session_that_may_not_be_ended_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(Service):
        def open(self, context: Context) -> AwsCloud:
            class Cloud(AwsCloud):
                def terminate_session(self, session_id: str) -> None:
                    raise AccessDeniedError("you may not call ssm:TerminateSession", "your own alone")

            return Cloud(context)

    leftovers = Leftovers(Refusing())
    await leftovers.end(HERE, "other-0123456789", 10)
    assert "other-0123456789 was not ended, and ends by itself" in caplog.text
    assert "your own alone" in caplog.text
