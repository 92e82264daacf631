"""Device postures: conditions on the attributes of a node.

    "posture:current": ["node:os IN ['macos', 'linux']", "node:tsVersion >= '1.60'", "custom:tier IS SET"]

All conditions must hold. An attribute that is not set fails every comparison, also `!=` and NOT IN.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ATTRIBUTE = re.compile(r"\s*([A-Za-z][A-Za-z0-9]*:[A-Za-z0-9_:.-]{1,128})\s*", re.ASCII)
_OPERATOR = re.compile(r"(==|!=|<=|>=|<|>|NOT\s+IN\b|IN\b|IS\s+SET\b|NOT\s+SET\b)\s*", re.IGNORECASE)
_OPERAND = re.compile(r"""\s*(?:'([^'\\]*)'|"([^"\\]*)"|(true|false)|(-?[0-9]+(?:\.[0-9]+)?))\s*""")
_VERSION = re.compile(r"[0-9]+(?:[.-][0-9A-Za-z]+)*")
_DIGITS = re.compile(r"[0-9]{1,18}|[a-z]+")

Scalar = str | bool | int | float


@dataclass(frozen=True)
class Condition:
    attribute: str
    operator: str
    """One of `==`, `!=`, `<`, `<=`, `>`, `>=`, `IN`, `NOT IN`, `IS SET`, `NOT SET`."""
    operands: tuple[Scalar, ...] = ()

    def holds(self, attributes: Mapping[str, Any]) -> bool:
        """Whether the attributes meet the condition."""
        value = attributes.get(self.attribute)
        match self.operator:
            case "IS SET":
                return value is not None
            case "NOT SET":
                return value is None
            case _ if value is None:
                return False
            case "IN" | "==":
                return any(_equal(value, operand) for operand in self.operands)
            case "NOT IN" | "!=":
                return not any(_equal(value, operand) for operand in self.operands)
            case _:
                return _ordered(value, self.operator, self.operands[0])


@dataclass(frozen=True)
class Posture:
    name: str
    conditions: tuple[Condition, ...]

    def holds(self, attributes: Mapping[str, Any]) -> bool:
        return all(condition.holds(attributes) for condition in self.conditions)


def read_condition(text: str) -> Condition:
    """One condition. Raises ValueError."""
    attribute = _ATTRIBUTE.match(text)
    operator = _OPERATOR.match(text, attribute.end()) if attribute else None
    if not attribute or not operator:
        raise ValueError(f'posture condition "{text}" is not of the form: attribute operator value')
    name = " ".join(operator[1].upper().split())
    rest = text[operator.end() :].strip()
    if name in {"IS SET", "NOT SET"}:
        if rest:
            raise ValueError(f'posture condition "{text}": {name} takes no value')
        return Condition(attribute[1], name)
    if name in {"IN", "NOT IN"}:
        if not (rest.startswith("[") and rest.endswith("]")):
            raise ValueError(f'posture condition "{text}": {name} takes a list in brackets')
        return Condition(attribute[1], name, _operands(rest[1:-1], text))
    operands = _operands(rest, text)
    if len(operands) != 1:
        raise ValueError(f'posture condition "{text}": {name} takes one value')
    return Condition(attribute[1], name, operands)


def _operands(text: str, condition: str) -> tuple[Scalar, ...]:
    found: list[Scalar] = []
    at = 0
    while at < len(text):
        operand = _OPERAND.match(text, at)
        if not operand:
            raise ValueError(f'posture condition "{condition}": "{text[at:]}" is not a string, number, true or false')
        found.append(_scalar(operand))
        at = operand.end()
        if at < len(text):
            if text[at] != ",":
                raise ValueError(f'posture condition "{condition}": "{text[at:]}" follows a value')
            at += 1
    return tuple(found)


def _scalar(operand: re.Match[str]) -> Scalar:
    single, double, boolean, digits = operand.groups()
    if digits is not None:
        return float(digits) if "." in digits or len(digits) > 18 else int(digits)
    if boolean is not None:
        return bool(boolean == "true")
    return str(single if single is not None else double)


def _equal(value: Any, operand: Scalar) -> bool:
    return isinstance(value, bool) == isinstance(operand, bool) and bool(value == operand)


def _ordered(value: Any, operator: str, operand: Scalar) -> bool:
    """Numbers as numbers, versions part by part; anything else has no order."""
    if isinstance(value, bool) or isinstance(operand, bool):
        return False
    if isinstance(value, int | float) and isinstance(operand, int | float):
        return _compare((value > operand) - (value < operand), operator)
    if (
        isinstance(value, str)
        and isinstance(operand, str)
        and _VERSION.fullmatch(value)
        and _VERSION.fullmatch(operand)
    ):
        one, two = _version(value), _version(operand)
        return _compare((one > two) - (one < two), operator)
    return False


def _compare(sign: int, operator: str) -> bool:
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[operator]


def _version(text: str) -> tuple[tuple[int, int, str], ...]:
    """Parts that compare: numbers by their value, words before numbers; missing parts count as zero."""
    main = text.partition("-")[0]
    parts = [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in _DIGITS.findall(main.lower())]
    while parts and parts[-1] == (1, 0, ""):
        parts.pop()
    return tuple(parts)
