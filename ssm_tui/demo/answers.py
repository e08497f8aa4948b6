"""What the demo cloud's own calls answer with: errors in AWS's words, and bodies in each protocol AWS speaks."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape


class AwsFault(Exception):  # noqa: N818 -- AWS's word; an answer, not a failure of ours
    """An error answer: AWS's code, AWS's message, the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer ready to be written."""

    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = field(default=())


def json_answer(result: dict[str, Any]) -> Answer:
    """AWS JSON 1.1; moments become seconds since 1970, absent members are left out."""
    body = json.dumps(_pruned(result), default=_moment).encode()
    return Answer(200, body, "application/x-amz-json-1.1", (("x-amzn-RequestId", str(uuid.uuid4())),))


def query_answer(service: str, operation: str, result: dict[str, Any]) -> Answer:
    """The XML of a query service, by AWS's own model of it."""
    from moto.core.serialize import QuerySerializer
    from moto.core.utils import get_service_model

    written = QuerySerializer(get_service_model(service).operation_model(operation)).serialize(result)
    return Answer(200, str(written["body"]).encode(), "text/xml")


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_pruned(each) for each in value]
    return value


def _moment(value: object) -> float:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"not in an AWS answer: {type(value).__name__}")


def fault_answer(fault: AwsFault, protocol: str) -> Answer:
    """The error in the shape that the protocol (`json`, `rest`, `query`, `ec2`) gives it; of the REST services that we
    know of, all speak JSON."""
    request_id = str(uuid.uuid4())
    if protocol in ("json", "rest"):
        body = json.dumps({"__type": fault.code, "message": fault.message}).encode()
        return Answer(fault.status, body, "application/x-amz-json-1.1", (("x-amzn-ErrorType", fault.code),))
    error = f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>"
    if protocol == "ec2":
        xml = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        sender = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>"
        xml = f"{sender}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return Answer(fault.status, f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}'.encode(), "text/xml")
