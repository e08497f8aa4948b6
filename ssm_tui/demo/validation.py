"""Checks a call's parameters against AWS's own model of the service, in the words AWS answers with."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from moto.core.utils import get_service_model

from ssm_tui.demo.answers import AwsFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def validate(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Raises ValidationException with every constraint of the service's model that is broken.

    Raises UnknownOperationException and SerializationException where there is nothing to check.
    """
    model = get_service_model(service)
    if operation not in model.operation_names:
        raise AwsFault("UnknownOperationException", f"{operation} is not an operation of {service}.")
    shape = model.operation_model(operation).input_shape
    problems = list(_structure(shape, parameters, ""))
    if problems:
        plural = "s" if len(problems) > 1 else ""
        raise AwsFault(
            "ValidationException", f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}"
        )


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        raise AwsFault("SerializationException", "Start of structure or map found where not expected.")
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_step(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _value(member, value[name], _step(path, name))


def _value(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _structure(shape, value, path)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            raise AwsFault("SerializationException", "Expected list or null")
        yield from _bounds(shape, len(value), value, path, "Member must have length")
        for number, each in enumerate(value, start=1):
            yield from _value(shape.member, each, f"{path}.{number}.member")
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            raise AwsFault("SerializationException", "Expected map or null")
        for key, each in value.items():
            yield from _value(shape.key, key, f"{path}.key")
            yield from _value(shape.value, each, f"{path}.{key}.member")
    elif shape.type_name == "string":
        yield from _string(shape, value, path)
    elif shape.type_name == "integer":
        if not isinstance(value, int) or isinstance(value, bool):
            raise AwsFault("SerializationException", f"{type(value).__name__} can not be converted to an Integer")
        yield from _bounds(shape, value, value, path, "Member must have value")


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        raise AwsFault("SerializationException", f"{type(value).__name__} can not be converted to a String")
    yield from _bounds(shape, len(value), value, path, "Member must have length")
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield f"{_at(value, path)} Member must satisfy enum value set: [{allowed}]"
    pattern = _readable(shape.metadata.get("pattern", ""))
    # Matched whole, as Java's matches() does.
    if pattern is not None and pattern.fullmatch(value) is None:
        yield f"{_at(value, path)} Member must satisfy regular expression pattern: {pattern.pattern}"


@functools.cache
def _readable(pattern: str) -> re.Pattern[str] | None:
    """None for no pattern, and for those in words that only Java has.

    Java's classes of letters are those of tags: the demo's hostile names could not be stored were they checked.
    """
    try:
        return re.compile(pattern) if pattern and "\\p{" not in pattern else None
    except re.error:
        return None


def _bounds(shape: Any, size: int, value: Any, path: str, wording: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"{_at(value, path)} {wording} greater than or equal to {low}"
    if high is not None and size > high:
        yield f"{_at(value, path)} {wording} less than or equal to {high}"


def _at(value: Any, path: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint:"


def _step(path: str, name: str) -> str:
    first = name[:1].lower() + name[1:]
    return f"{path}.{first}" if path else first
