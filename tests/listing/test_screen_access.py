"""Access to ten thousand nodes on the screen: what is looked at first, keys all the while, few calls."""

from __future__ import annotations

from tests.listing.conftest import Stand
from tests.listing.screen import on_screen
from tests.listing.test_simulations import MANY, THREE, iam_calls
from tests.wire import Fleet
from tests.wire.plan import Policies

SIMULATE = "iam:SimulatePrincipalPolicy"


async def test_the_list_answers_while_verdicts_come_and_then_filters_by_them(stand: Stand) -> None:
    wire = stand(Fleet(MANY, hybrid=0.0, unmanaged=0.0))
    wire.plan.policies = Policies(teams=THREE)
    machines = [wire.fleet.machine(number) for number in range(MANY)]
    mine = sum(machine.tags["team"] in THREE for machine in machines)
    # The documents, and what is looked at, are answered; the thousands behind it are not.
    gates = [wire.plan.hold(SIMULATE, ordinal) for ordinal in range(7, 30)]
    async with on_screen(size=(140, 30)) as person:
        await person.sees(f"Nodes {MANY:,}")
        await person.until(gates[0].reached.is_set)
        await person.sees("s f r h")
        await person.sees("– – – –")
        assert "? ? ? ?" not in person.text()  # of what is looked at everything is known
        await person.press("end")
        await person.sees("? ? ? ?")  # of the last rows nothing yet
        for gate in gates:
            gate.open()
        await person.sees(" fresh")
        await person.sees_no("? ? ? ?")
        await person.press("slash")
        await person.type("access:shell")
        await person.sees(f"Nodes {mine:,}/{MANY:,}")
        assert iam_calls(wire) <= 40
