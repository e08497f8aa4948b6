"""EC2 Instance Connect: SendSSHPublicKey lets a key into an instance for a minute, where policies allow it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssm_tui.demo.answers import Answer, AwsFault, json_answer
from ssm_tui.demo.authorization import check, node_arn
from ssm_tui.demo.landscape import machine
from ssm_tui.demo.validation import validate

if TYPE_CHECKING:
    from ssm_tui.demo.policy_conditions import Values
    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.servers.ssh import PushedKeys
    from ssm_tui.demo.wire import WireRequest

SEND_KEY = "ec2-instance-connect:SendSSHPublicKey"
_KEY = re.compile(r"(?:ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/]+=*(?: .*)?\n?")


@dataclass(frozen=True, slots=True)
class InstanceConnectCalls:
    """The call; what is pushed goes to the nodes' SSH servers."""

    keys: PushedKeys

    def send_ssh_public_key(self, request: WireRequest, caller: Principal) -> Answer:
        """Source: Service Authorization Reference, "AWS EC2 Instance Connect": the instance, with ec2:osuser and tags;
        and the API's own errors."""
        parameters = request.json()
        target, user = str(parameters.get("InstanceId", "")), str(parameters.get("InstanceOSUser", ""))
        found = machine(caller.account, request.region, target)
        extra: dict[str, Values] = {"ec2:osuser": (user,)}
        for key, value in (found.tags if found is not None else {}).items():
            extra |= {f"{prefix}:ResourceTag/{key}": (value,) for prefix in ("aws", "ec2")}
        check(request, caller, SEND_KEY, node_arn(target, request.region, caller.account), extra)
        validate("ec2-instance-connect", request.operation, parameters)
        if found is None:
            raise AwsFault("EC2InstanceNotFoundException", f"No EC2 instance with ID {target} was found.")
        if not found.running:
            raise AwsFault("EC2InstanceStateInvalidException", f"{target} is not running.")
        if not _KEY.fullmatch(parameters["SSHPublicKey"]):
            raise AwsFault("InvalidArgsException", "Invalid public key.")
        self.keys.push(target, user, parameters["SSHPublicKey"])
        return json_answer({"RequestId": "00000000-0000-0000-0000-000000000000", "Success": True})
