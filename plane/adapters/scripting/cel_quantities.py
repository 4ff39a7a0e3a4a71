"""Quantities in Kubernetes' CEL, and what they share with versions: being compared.

Source: k8s.io/apiserver/pkg/cel/library/quantity.go, Kubernetes 1.36.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from plane.adapters.scripting import cel_types, cel_versions
from plane.adapters.scripting.cel_types import BOOL, DOUBLE, INT, MAP, TEXT, Function, Value

_KIND = "kubernetes.quantity"
_SUFFIXES: dict[str, Fraction] = {"": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)} | {
    **{name: Fraction(1000) ** power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{f"{name}i": Fraction(1024) ** power for power, name in enumerate(("K", "M", "G", "T", "P", "E"), 1)},
}
_QUANTITY = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,3})|(n|u|m|k|[MGTPE]i?|Ki)?)", re.ASCII)
_INTS = 2**63


def functions() -> tuple[Function, ...]:
    """All of the library."""
    return (
        Function("isQuantity", BOOL, [TEXT], lambda text: _parsed(text) is not None),
        Function("quantity", MAP, [TEXT], _quantity),
        Function("sign", INT, [MAP], lambda one: (_amount(one) > 0) - (_amount(one) < 0)),
        Function("isInteger", BOOL, [MAP], lambda one: _amount(one).denominator == 1 and abs(_amount(one)) < _INTS, member=True),
        Function("asInteger", INT, [MAP], _integer, member=True),
        Function("asApproximateFloat", DOUBLE, [MAP], lambda one: float(_amount(one)), member=True),
        Function("add", MAP, [MAP, MAP], lambda one, other: _made(_amount(one) + _amount(other)), member=True),
        Function("add", MAP, [MAP, INT], lambda one, other: _made(_amount(one) + other), member=True),
        Function("sub", MAP, [MAP, MAP], lambda one, other: _made(_amount(one) - _amount(other)), member=True),
        Function("sub", MAP, [MAP, INT], lambda one, other: _made(_amount(one) - other), member=True),
        Function("isGreaterThan", BOOL, [MAP, MAP], lambda one, other: _compared(one, other) > 0, member=True),
        Function("isLessThan", BOOL, [MAP, MAP], lambda one, other: _compared(one, other) < 0, member=True),
        Function("compareTo", INT, [MAP, MAP], _compared, member=True),
    )


def _compared(one: Value, other: Value) -> int:
    """Of two quantities or two versions: -1, 0 or 1."""
    by: Callable[[Value], Any] = cel_versions.order if cel_versions.KIND in one else _amount
    low, high = by(one), by(other)
    return int(low > high) - int(low < high)


def _quantity(text: str) -> Value:
    amount = _parsed(text)
    if amount is None:
        message = f"{text!r} is no quantity"
        raise ValueError(message)
    return _made(amount)


def _parsed(text: str) -> Fraction | None:
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    sign, digits, exponent, suffix = found.groups()
    size = Fraction(10) ** int(exponent) if exponent else _SUFFIXES[suffix or ""]
    return Fraction(digits) * size * (-1 if sign == "-" else 1)


def _made(amount: Fraction) -> Value:
    return {_KIND: str(amount)}


def _amount(value: Value) -> Fraction:
    return Fraction(cel_types.content(value, _KIND))


def _integer(value: Value) -> int:
    amount = _amount(value)
    if amount.denominator != 1:
        message = "cannot convert value to integer"
        raise ValueError(message)
    return int(amount)
