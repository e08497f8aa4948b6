"""The Condition element of IAM policies: operators, wildcards, policy variables. Pure.

Sources: "IAM JSON policy elements: Condition operators", "Multivalued context keys" and "Variables and tags" in the
IAM user guide. Condition keys compare without regard to case, values with it unless the operator says otherwise.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Values = tuple[str, ...]
Compare = Callable[[str, str, Mapping[str, Values], bool], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator applied to one key. `quantifier` is ForAllValues, ForAnyValue or nothing."""

    base: str
    quantifier: str
    if_exists: bool
    key: str
    values: Values

    @classmethod
    def parse(cls, operator: str, key: str, values: Values) -> Condition:
        quantifier, _, name = operator.rpartition(":")
        return cls(name.removesuffix("IfExists"), quantifier, name.endswith("IfExists"), key, values)


def context_keys(conditions: Iterable[Condition]) -> tuple[str, ...]:
    """The keys that the conditions name."""
    return tuple(each.key for each in conditions)


def holds(condition: Condition, context: Mapping[str, Values], variables: bool) -> bool:
    """Does the condition hold for this context (keys in lower case)? An operator nobody knows never holds."""
    present = context.get(condition.key.lower())
    if condition.base == "Null":
        return all((present is None) == (value == "true") for value in condition.values)
    comparison = _OPERATORS.get(condition.base)
    if comparison is None:
        return False
    compare, negated = comparison
    if not present:
        return condition.if_exists or condition.quantifier == "ForAllValues" or (negated and not condition.quantifier)

    def one(actual: str) -> bool:
        return any(compare(value, actual, context, variables) for value in condition.values) != negated

    if condition.quantifier == "ForAllValues" or (negated and not condition.quantifier):
        return all(one(actual) for actual in present)
    return any(one(actual) for actual in present)


def pattern_matches(pattern: str, actual: str, context: Mapping[str, Values], *, variables: bool) -> bool:
    """Does `actual` match `pattern` with `*`, `?` and, where the policy's version has them, `${…}` filled in?"""
    regex = _compiled(pattern, _filled(pattern, context) if variables and "${" in pattern else ())
    return regex is not None and regex.fullmatch(actual) is not None


_PIECES = re.compile(r"\$\{[^}]*\}|\*|\?|[^*?$]+|\$", re.DOTALL)
_LITERALS = {"${*}": "*", "${?}": "?", "${$}": "$"}


def _filled(pattern: str, context: Mapping[str, Values]) -> tuple[tuple[str, str | None], ...]:
    """Each variable of the pattern with its value: None where the request has none and the policy gives no default."""
    return tuple((piece, _variable(piece, context)) for piece in _PIECES.findall(pattern) if piece.startswith("${"))


def _variable(piece: str, context: Mapping[str, Values]) -> str | None:
    if piece in _LITERALS:
        return _LITERALS[piece]
    name, comma, default = piece[2:-1].partition(",")
    values = context.get(name.strip().lower())
    if values and len(values) == 1:
        return values[0]
    return default.strip().strip("'") if comma else None


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str, filled: tuple[tuple[str, str | None], ...]) -> re.Pattern[str] | None:
    """None where a variable has no value: such an element matches nothing."""
    known = dict(filled)
    parts = []
    for piece in _PIECES.findall(pattern):
        if piece in known:
            value = known[piece]
            if value is None:
                return None
            parts.append(re.escape(value))
        else:
            parts.append({"*": ".*", "?": "."}.get(piece) or re.escape(piece))
    return re.compile("".join(parts), re.DOTALL)


def _literal(text: str, context: Mapping[str, Values], variables: bool) -> str | None:
    if not variables or "${" not in text:
        return text
    known = dict(_filled(text, context))
    if None in known.values():
        return None
    return "".join(known.get(piece) or piece for piece in _PIECES.findall(text))


def _equals(value: str, actual: str, context: Mapping[str, Values], variables: bool) -> bool:
    return _literal(value, context, variables) == actual


def _equals_ignoring_case(value: str, actual: str, context: Mapping[str, Values], variables: bool) -> bool:
    literal = _literal(value, context, variables)
    return literal is not None and literal.casefold() == actual.casefold()


def _like(value: str, actual: str, context: Mapping[str, Values], variables: bool) -> bool:
    return pattern_matches(value, actual, context, variables=variables)


def _arn(value: str, actual: str, context: Mapping[str, Values], variables: bool) -> bool:
    """ARNs compare part by part: a wildcard does not reach over a colon of the first five."""
    if value == "*":
        return True
    # A variable may hold colons of its own name, so it is filled in before the ARN is cut.
    literal = _literal(value, context, variables)
    if literal is None:
        return False
    expected, given = literal.split(":", 5), actual.split(":", 5)
    return len(expected) == len(given) and all(
        pattern_matches(part, text, {}, variables=False) for part, text in zip(expected, given, strict=True)
    )


def _boolean(value: str, actual: str, _context: Mapping[str, Values], _variables: bool) -> bool:
    return value.lower() == actual.lower()


def _address(value: str, actual: str, _context: Mapping[str, Values], _variables: bool) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _ordered(read: Callable[[str], float], test: Callable[[float, float], bool]) -> Compare:
    def compare(value: str, actual: str, _context: Mapping[str, Values], _variables: bool) -> bool:
        try:
            return test(read(actual), read(value))
        except ValueError:
            return False

    return compare


def _orders(prefix: str, read: Callable[[str], float]) -> dict[str, tuple[Compare, bool]]:
    equal = _ordered(read, lambda actual, value: actual == value)
    return {
        f"{prefix}Equals": (equal, False),
        f"{prefix}NotEquals": (equal, True),
        f"{prefix}LessThan": (_ordered(read, lambda actual, value: actual < value), False),
        f"{prefix}LessThanEquals": (_ordered(read, lambda actual, value: actual <= value), False),
        f"{prefix}GreaterThan": (_ordered(read, lambda actual, value: actual > value), False),
        f"{prefix}GreaterThanEquals": (_ordered(read, lambda actual, value: actual >= value), False),
    }


# Each operator with its comparison and whether it is the negated form.
_OPERATORS: dict[str, tuple[Compare, bool]] = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_equals_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equals_ignoring_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
    "BinaryEquals": (_equals, False),
    "Bool": (_boolean, False),
    "IpAddress": (_address, False),
    "NotIpAddress": (_address, True),
    **_orders("Numeric", float),
    **_orders("Date", _moment),
}
