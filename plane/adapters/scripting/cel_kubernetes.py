"""Kubernetes' CEL environment, as far as it is known to mean the same: the standard library, strings, optionals, sets, lists, quantities.

Source: k8s.io/apiserver/pkg/cel/environment and library, Kubernetes 1.36. Runs in children alone.
"""

import itertools
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from cel_expr_python import cel

NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables")
_EXTENSIONS = "name: kubernetes\nextensions:\n- name: strings\n- name: optional\n- name: sets\n- name: two-var-comprehensions\n"
_SUFFIXES: dict[str, Fraction] = {"": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)} | {
    **{name: Fraction(1000) ** power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{f"{name}i": Fraction(1024) ** power for power, name in enumerate(("K", "M", "G", "T", "P", "E"), 1)},
}
_QUANTITY = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+)|(n|u|m|k|[MGTPE]i?|Ki)?)", re.ASCII)
_KEY = "kubernetes.quantity"  # a quantity is a map of numerator and denominator: equal amounts are equal
Quantity = dict[str, list[int]]
_MAP, _LIST, _TEXT, _INT, _BOOL = (
    cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    cel.Type.List(cel.Type.DYN),
    cel.Type.STRING,
    cel.Type.INT,
    cel.Type.BOOL,
)


def environment() -> Any:  # noqa: ANN401 the library's own
    """Built once per process."""
    functions = [cel.FunctionDecl(name, overloads) for name, overloads in _functions().items()]
    config = cel.NewEnvConfigFromYaml(_EXTENSIONS)
    return cel.NewEnv(config=config, variables=dict.fromkeys(NAMES, cel.Type.DYN), functions=functions)


def _functions() -> dict[str, list[Any]]:
    whole = (
        ("isQuantity", _BOOL, [_TEXT], False, lambda text: _parsed(text) is not None),
        ("quantity", _MAP, [_TEXT], False, _quantity),
        ("isGreaterThan", _BOOL, [_MAP, _MAP], True, lambda one, other: _amount(one) > _amount(other)),
        ("isLessThan", _BOOL, [_MAP, _MAP], True, lambda one, other: _amount(one) < _amount(other)),
        ("compareTo", _INT, [_MAP, _MAP], True, lambda one, other: (_amount(one) > _amount(other)) - (_amount(one) < _amount(other))),
        ("isInteger", _BOOL, [_MAP], True, lambda one: _amount(one).denominator == 1 and abs(_amount(one)) < 2**63),
        ("asInteger", _INT, [_MAP], True, _integer),
        ("asApproximateFloat", cel.Type.DOUBLE, [_MAP], True, lambda one: float(_amount(one))),
        ("add", _MAP, [_MAP, _MAP], True, lambda one, other: _made(_amount(one) + _amount(other))),
        ("sub", _MAP, [_MAP, _MAP], True, lambda one, other: _made(_amount(one) - _amount(other))),
        ("isSorted", _BOOL, [_LIST], True, lambda several: all(one <= other for one, other in itertools.pairwise(several))),
        ("sum", cel.Type.DYN, [_LIST], True, sum),
        ("min", cel.Type.DYN, [_LIST], True, min),
        ("max", cel.Type.DYN, [_LIST], True, max),
    )
    return {name: [_overload(name, result, kinds, member, call)] for name, result, kinds, member, call in whole}


def _overload(name: str, result: Any, kinds: list[Any], member: bool, call: Callable[..., Any]) -> Any:  # noqa: ANN401, FBT001 the library's own
    return cel.Overload(f"kubernetes_{name}", result, kinds, member, impl=call)


def _quantity(text: str) -> Quantity:
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


def _made(amount: Fraction) -> Quantity:
    return {_KEY: [amount.numerator, amount.denominator]}


def _amount(quantity: Quantity) -> Fraction:
    numerator, denominator = quantity[_KEY]
    return Fraction(int(numerator), int(denominator))


def _integer(quantity: Quantity) -> int:
    amount = _amount(quantity)
    if amount.denominator != 1:
        message = "the quantity is no whole number"
        raise ValueError(message)
    return int(amount)
