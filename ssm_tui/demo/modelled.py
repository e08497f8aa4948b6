"""A service's calls by AWS's own model of it: parameters as a structure, answers in its protocol, errors as its own.

For calls that moto has not; what moto answers with, it makes by the same means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from ssm_tui.demo.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssm_tui.demo.wire import WireRequest


def parameters(request: WireRequest) -> dict[str, Any]:
    """What the call says, under the names of the service's model."""
    model = get_service_model(request.service)
    parser: Any = PROTOCOL_PARSERS[_protocol(model)](model.operation_model(request.operation))
    parsed: dict[str, Any] = parser.parse({"values": request.form, "body": request.body})
    return parsed


def modelled_answer(request: WireRequest, result: Mapping[str, Any]) -> Answer:
    """What the call is answered with: a structure of the service's model; members of it that are None are left out."""
    return written(request.service, request.operation, result)


def written(service: str, operation: str, result: Mapping[str, Any]) -> Answer:
    """The same for an operation by botocore's name of the service and its own."""
    model = get_service_model(service)
    serializer = get_serializer_class(service, _protocol(model))(model.operation_model(operation))
    told = serializer.serialize({name: value for name, value in result.items() if value is not None})
    headers = dict(told["headers"])
    kind = headers.pop("Content-Type", "text/xml")
    body = told["body"]
    return Answer(told["status_code"], body.encode() if isinstance(body, str) else body, kind, tuple(headers.items()))


def _protocol(model: Any) -> str:
    """The one that clients speak: of several, one that moto knows."""
    return str(next(each for each in model.metadata.get("protocols", [model.protocol]) if each in PROTOCOL_PARSERS))
