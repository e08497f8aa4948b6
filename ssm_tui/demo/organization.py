"""The service control policies over the demo's account, which its organization's management account would attach.

This cloud has no such account: whoever may `demo:PutServiceControlPolicy` gives the order. Source: "Service control
policies" in the AWS Organizations user guide: they bind every user and role of the account, and grant nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssm_tui.demo.answers import Answer, AwsFault, json_answer
from ssm_tui.demo.policy import PolicyError, parse_policy
from ssm_tui.demo.principals import guardrails

if TYPE_CHECKING:
    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.wire import WireRequest

PUT_CONTROL = "demo:PutServiceControlPolicy"


def put_service_control_policy(request: WireRequest, caller: Principal) -> Answer:
    """Attaches `Document` under `Name`; without a document it is detached. With none at all nothing is capped."""
    parameters = request.json()
    name, document = str(parameters.get("Name", "")), str(parameters.get("Document", ""))
    attached = guardrails(caller.account, caller.partition)
    if not document:
        attached.pop(name, None)
        return json_answer({})
    try:
        parse_policy(name, "none", document)
    except PolicyError as error:
        raise AwsFault("MalformedPolicyDocumentException", str(error)) from None
    attached[name] = document
    return json_answer({})
