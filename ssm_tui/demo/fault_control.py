"""Carries out orders for faults, given by whoever may `demo:InjectFault`: on sessions at once, the rest until ended.

Called in the web server's threads. `state` guards moto's state, which the register of nodes reads.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from ssm_tui.demo.answers import Answer, AwsFault, json_answer
from ssm_tui.demo.fault_orders import DURATION_WORDS, IDLE_WORDS, OF_SESSIONS, Fault, Order
from ssm_tui.demo.registry import node_tags

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from ssm_tui.demo.agent import SessionOrder
    from ssm_tui.demo.faults import Faults
    from ssm_tui.demo.gateway import Gateway
    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.registry import ManagedNode, Registry
    from ssm_tui.demo.relay import Link, Relay
    from ssm_tui.demo.ssm_sessions import SessionLog
    from ssm_tui.demo.wire import WireRequest

INJECT = "demo:InjectFault"
LIST_SESSIONS = "demo:ListSessions"
_AGENT_GONE = "the agent is gone"


@dataclass(slots=True)
class FaultControl:
    """The orders of one cloud."""

    faults: Faults
    gateway: Gateway
    registry: Registry
    log: SessionLog
    state: threading.Lock
    _gone: set[tuple[str, str, str]] = field(default_factory=set)
    """Account, region and id of the nodes whose agents were stopped here."""

    def hinder(self, request: WireRequest) -> Answer | None:
        """Before any call is answered: raises, waits, or answers in the service's place, where a fault is on it."""
        self.faults.hinder(request)
        if request.action != "ssm:ResumeSession":
            return None
        session = str(request.json().get("SessionId", ""))
        record = self.log.find(session)
        code = self.faults.resumption(session, record.target if record else "")
        if code is None:
            return None
        if code:
            raise AwsFault(code, f"Session {session} cannot be resumed.")
        return json_answer({"SessionId": session})

    def list_sessions(self, _request: WireRequest, _caller: Principal) -> Answer:
        """The sessions that the gateway holds."""
        return json_answer({"Sessions": [asdict(each) for each in self.gateway.live()]})

    def inject(self, request: WireRequest, caller: Principal) -> Answer:
        """Carries out one order; what it fell on is in the answer."""
        try:
            order = msgspec.convert(request.json(), Order)
        except msgspec.ValidationError as error:
            raise AwsFault("ValidationException", str(error)) from None
        if order.fault in OF_SESSIONS and [bool(order.session), bool(order.node), order.all].count(True) != 1:
            raise AwsFault("ValidationException", f"{order.fault} needs one of session, node, all.")
        if order.node:
            order = replace(order, node=self._node(caller, request.region, order.node).id)
        return json_answer({"Affected": self._carry_out(order, request, caller)})

    def _carry_out(self, order: Order, request: WireRequest, caller: Principal) -> list[str]:
        match order.fault:
            case Fault.REFUSE_RESUME:
                self.faults.refuse_resumption(order.session, order.node, order.code)
            case Fault.ALLOW_RESUME:
                self.faults.allow_resumption(order.session, order.node)
            case Fault.NODE_GONE | Fault.NODE_BACK:
                return self._turn_agent(order, request.region, caller)
            case Fault.GATEWAY_DOWN | Fault.GATEWAY_UP:
                self.gateway.refusing = order.fault is Fault.GATEWAY_DOWN
                return self._on_links(order, lambda link: link.reset()) if self.gateway.refusing else []
            case Fault.THROTTLE | Fault.SLOW | Fault.FAIL:
                self.faults.hinder_calls(order, spared=request.access_key)
                return [_given(order, "action")]
            case Fault.EXPIRE_CREDENTIALS:
                self.faults.expire(_given(order, "key"))
            case Fault.RENEW_CREDENTIALS:
                self.faults.renew(_given(order, "key"))
            case Fault.DATABASE_DOWN | Fault.DATABASE_SILENT:
                self.faults.break_database(_given(order, "database"), order.fault)
            case Fault.DATABASE_UP:
                self.faults.mend_database(_given(order, "database"))
            case Fault.CLEAR:
                self._clear()
            case _:
                return self._on_sessions(order)
        return [each for each in (order.session, order.node, order.key, order.database) if each]

    def _on_sessions(self, order: Order) -> list[str]:
        match order.fault:
            case Fault.CLOSE:
                return self._on_links(order, lambda link: link.close())
            case Fault.CUT:
                return self._on_links(order, lambda link: link.reset())
            case Fault.HALF_FRAME:
                return self._on_links(order, lambda link: link.break_off())
            case Fault.SILENCE:
                return self._on_links(order, lambda link: link.hold(order.seconds))
            case Fault.SPEAK:
                return self._on_links(order, lambda link: link.release())
            case Fault.TERMINATE:
                return self._end(order, "")
            case Fault.IDLE_TIMEOUT:
                return self._end(order, IDLE_WORDS)
            case Fault.MAX_DURATION:
                return self._end(order, DURATION_WORDS)
            case _:
                return self._end(order, order.text)

    def _on_links(self, order: Order, act: Callable[[Link], None]) -> list[str]:
        """Something done to the connections of clients; sessions whose client is away are not concerned."""

        def touch(relay: Relay) -> bool:
            if relay.link is None:
                return False
            act(relay.link)
            return True

        return self.gateway.each(_chosen(order), touch)

    def _end(self, order: Order, output: str) -> list[str]:
        def end(relay: Relay) -> bool:
            self.log.ended(relay.session_id, "")  # told first: such an end is no failure of the session
            relay.end(output, "")
            return True

        return self.gateway.each(_chosen(order), end)

    def _turn_agent(self, order: Order, region: str, caller: Principal) -> list[str]:
        gone = order.fault is Fault.NODE_GONE
        self._set_agent((caller.account, region, _given(order, "node")), datetime.now(UTC) if gone else None)

        def cut(relay: Relay) -> bool:
            if relay.link is not None:
                relay.link.reset()
            relay.end("", _AGENT_GONE)
            return True

        ended = self.gateway.each(_chosen(order), cut) if gone else []
        return [order.node, *ended]

    def _set_agent(self, place: tuple[str, str, str], stopped: datetime | None) -> None:
        with self.state:
            node = self.registry.find(*place)
            if node is not None:
                node.agent = replace(node.agent, stopped_since=stopped)
                node.lost_since = stopped
        if stopped is None:
            self._gone.discard(place)
        else:
            self._gone.add(place)

    def _clear(self) -> None:
        self.faults.clear()
        self.gateway.refusing = False
        for place in list(self._gone):
            self._set_agent(place, None)
        self._on_links(Order(Fault.SPEAK, all=True), lambda link: link.release())

    def _node(self, caller: Principal, region: str, word: str) -> ManagedNode:
        """By id or by its only name."""
        with self.state:
            nodes = self.registry.nodes(caller.account, region)
        found = [each for each in nodes if word in (each.id, node_tags(each).get("Name"), each.computer_name)]
        if not found:
            raise AwsFault("InvalidTarget", f"No node of {region} is called {word}.")
        if len(found) > 1:
            raise AwsFault("InvalidTarget", f"{len(found)} nodes of {region} are called {word}: use an id.")
        return found[0]


def _chosen(order: Order) -> Callable[[SessionOrder], bool]:
    return lambda each: order.session in ("", each.session_id) and order.node in ("", each.target)


def _given(order: Order, name: str) -> str:
    value: str = getattr(order, name)
    if not value:
        raise AwsFault("ValidationException", f"{order.fault} needs {name}.")
    return value
