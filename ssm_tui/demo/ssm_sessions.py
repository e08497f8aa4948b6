"""The SSM calls about sessions: StartSession and what follows it. Decides who may; the gateway carries sessions out."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ssm_tui.demo import documents
from ssm_tui.demo.agent import Encryption, SessionOrder
from ssm_tui.demo.answers import Answer, AwsFault, json_answer
from ssm_tui.demo.authorization import check, node_arn
from ssm_tui.demo.callers import TOKEN_ROLE
from ssm_tui.demo.kms import NodeKeys, NodeRole
from ssm_tui.demo.ssm_nodes import paged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.documents import Document
    from ssm_tui.demo.gateway import Gateway
    from ssm_tui.demo.policy_conditions import Values
    from ssm_tui.demo.principals import Principal
    from ssm_tui.demo.registry import Registry
    from ssm_tui.demo.wire import WireRequest

_ACTION = "ssm:StartSession"
_CHECKED: dict[str, Values] = {"ssm:SessionDocumentAccessCheck": ("true",)}


@dataclass(slots=True)
class SessionRecord:
    """What DescribeSessions tells about a session."""

    id: str
    account: str
    region: str
    target: str
    owner: str
    document: str
    reason: str | None
    started: datetime
    just_in_time: bool = False
    status: str = "Connected"
    ended: datetime | None = None


@dataclass(slots=True)
class SessionLog:
    """Every session of the cloud, running and past. Thread-safe."""

    _records: dict[str, SessionRecord] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, record: SessionRecord) -> None:
        with self._guard:
            self._records[record.id] = record

    def find(self, session_id: str) -> SessionRecord | None:
        with self._guard:
            return self._records.get(session_id)

    def of(self, account: str, region: str) -> list[SessionRecord]:
        with self._guard:
            return [each for each in self._records.values() if (each.account, each.region) == (account, region)]

    def ended(self, session_id: str, reason: str) -> None:
        """The gateway's word that a session is over; later words change nothing."""
        with self._guard:
            record = self._records.get(session_id)
            if record is not None and record.ended is None:
                record.ended = datetime.now(UTC)
                record.status = "Failed" if reason else "Terminated"


@dataclass(slots=True)
class SessionCalls:
    """The calls. `state` guards moto's state; it is not held while the gateway is asked."""

    registry: Registry
    gateway: Gateway
    log: SessionLog
    state: threading.Lock

    def start_session(self, request: WireRequest, caller: Principal) -> Answer:
        parameters = request.json()
        with self.state:
            order, document = self._order(request, caller, parameters)
        record = SessionRecord(
            order.session_id,
            caller.account,
            request.region,
            order.target,
            caller.arn,
            document.name,
            parameters.get("Reason"),
            datetime.now(UTC),
            just_in_time=caller.name == TOKEN_ROLE,
        )
        self.log.add(record)
        token, url = self.gateway.open(order)
        return json_answer({"SessionId": order.session_id, "TokenValue": token, "StreamUrl": url})

    def resume_session(self, request: WireRequest, caller: Principal) -> Answer:
        record = self._record(request, caller)
        resumed = self.gateway.resume(record.id)
        if resumed is None:
            raise AwsFault("DoesNotExistException", f"Session {record.id} does not exist or has ended.")
        return json_answer({"SessionId": record.id, "TokenValue": resumed[0], "StreamUrl": resumed[1]})

    def terminate_session(self, request: WireRequest, caller: Principal) -> Answer:
        record = self._record(request, caller)
        # Told first: what the gateway reports of this ending is not a failure.
        self.log.ended(record.id, "")
        self.gateway.terminate(record.id)
        return json_answer({"SessionId": record.id})

    def describe_sessions(self, request: WireRequest, caller: Principal) -> Answer:
        parameters = request.json()
        active = parameters["State"] == "Active"
        chosen = [each for each in self.log.of(caller.account, request.region) if (each.ended is None) == active]
        for each in parameters.get("Filters") or []:
            chosen = [record for record in chosen if _passes(record, each["key"], each["value"])]
        chosen.sort(key=lambda record: record.started, reverse=True)
        page, token = paged(chosen, parameters.get("MaxResults", 200), parameters.get("NextToken"), parameters["State"])
        return json_answer({"Sessions": [_entry(each) for each in page], "NextToken": token})

    def _record(self, request: WireRequest, caller: Principal) -> SessionRecord:
        parameters = request.json()
        record = self.log.find(parameters["SessionId"])
        if record is None or (record.account, record.region) != (caller.account, request.region):
            raise AwsFault("DoesNotExistException", f"Session {parameters['SessionId']} does not exist.")
        return record

    def _order(
        self, request: WireRequest, caller: Principal, parameters: dict[str, Any]
    ) -> tuple[SessionOrder, Document]:
        target, region = parameters["Target"], request.region
        node = self.registry.find(caller.account, region, target)
        name = parameters.get("DocumentName")
        self._authorize(request, caller, target, name)
        document = documents.find_document(name or documents.DEFAULT, caller.account, region)
        if node is None or node.lost_since is not None:
            raise AwsFault("TargetNotConnected", f"{target} is not connected.")
        platform = node.agent.platform_type.lower()
        key_id = documents.session_key(document, caller.account, region)
        role = NodeRole(node.account, region, node.role, target)
        return SessionOrder(
            session_id=f"{caller.session_prefix}-{_session_suffix()}",
            target=target,
            hostname=node.hostname,
            platform=platform,
            agent_version=node.agent.version,
            session_type=document.session_type,
            properties=document.properties(parameters.get("Parameters") or {}, platform),
            encryption=Encryption(key_id, NodeKeys(role, self.state).decrypt) if key_id else None,
        ), document

    def _authorize(self, request: WireRequest, caller: Principal, target: str, name: str | None) -> None:
        """On the node with its tags, then on the document without them; the default one where none is named.

        Source: "Start a default shell session by specifying the default session document in IAM policies"
        (docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-default-session-document.html): the
        default document must be granted too. Older versions of that page had it so only for policies with the condition
        ssm:SessionDocumentAccessCheck; the key is still there for them, and true.
        """
        tags = tag_keys(target, self.registry.resource_tags(caller.account, request.region, target))
        check(request, caller, _ACTION, node_arn(target, request.region, caller.account), tags | _CHECKED)
        short = (name or documents.DEFAULT).rpartition("document/")[2]
        owner = "" if documents.is_aws_owned(short) and short != documents.DEFAULT else caller.account
        check(
            request, caller, _ACTION, f"arn:{caller.partition}:ssm:{request.region}:{owner}:document/{short}", _CHECKED
        )


def tag_keys(target: str, tags: Mapping[str, str]) -> dict[str, Values]:
    """The tags as condition keys; those of EC2 are there for instances alone, those of ECS for containers."""
    prefixes = ["ssm:resourceTag", "aws:ResourceTag"]
    if not target.startswith("mi-"):
        prefixes.append("ecs:ResourceTag" if target.startswith("ecs:") else "ec2:ResourceTag")
    return {f"{prefix}/{key}": (value,) for prefix in prefixes for key, value in tags.items()}


def _session_suffix() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(26))


def _passes(record: SessionRecord, key: str, value: str) -> bool:
    if key in ("InvokedAfter", "InvokedBefore"):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise AwsFault("InvalidFilterValue", f"{value} is not a time.") from None
        return record.started >= moment if key == "InvokedAfter" else record.started <= moment
    actual = {"Target": record.target, "Owner": record.owner, "Status": record.status, "SessionId": record.id}
    return actual.get(key, "Standard") == value


def _entry(record: SessionRecord) -> dict[str, Any]:
    return {
        "SessionId": record.id,
        "Target": record.target,
        "Status": record.status,
        "StartDate": record.started,
        "EndDate": record.ended,
        "DocumentName": record.document,
        "Owner": record.owner,
        "Reason": record.reason,
        "AccessType": "JustInTime" if record.just_in_time else "Standard",
    }
