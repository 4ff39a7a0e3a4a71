"""Evaluate admission policies: one JSON order on standard input, one answer on standard output. A program of its own.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating (validator.go, message.go), Kubernetes 1.36.
"""

import functools
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from cel_expr_python import cel

from plane.adapters.scripting import cel_kubernetes, cel_types
from plane.adapters.styles import admission_messages as messages
from plane.domain.judging import admission

Json = dict[str, Any]


class Wrong(Exception):
    """An expression gave no value of its type."""


def answer(order: messages.Order) -> list[messages.Said]:
    """All denials, in order."""
    broken = [messages.Said(-1, name, said) for name, spec in order.policies.items() for said in _broken(spec)]
    if broken or not order.asks:
        return broken
    return [
        messages.Said(number, ask.policy, said)
        for number, ask in enumerate(order.asks)
        for said in _judged(order.policies[ask.policy], ask, order.objects[ask.object])
    ]


def _broken(spec: admission.PolicySpec) -> Iterator[str]:
    """Errors of compilation, and results that are not of the type that is asked for."""
    for expression, kind in messages.expressions(spec):
        try:
            found = _compiled(expression).return_type().name()
        except RuntimeError as error:
            yield f"{expression!r} is no CEL that is evaluated here: {_first(error)}"
            continue
        if "type" in found.lower():
            yield f"{expression!r} gives an optional or a type, which no other expression hears of here; end it with orValue(…)"
        elif kind and found != kind and not (found == "DYN" and "variables" in expression):  # the API server knows a variable's type
            yield f"{expression!r} must give {'true or false' if kind == 'BOOL' else 'a text'} and gives {found}"


def _judged(spec: admission.PolicySpec, ask: messages.Ask, body: Json) -> Iterator[str]:
    names = names_of(ask, body)
    try:
        for variable in spec.variables:
            define(names, variable)
        if not _all_hold(spec, names):
            return
        for validation in spec.validations:
            yield from _validated(validation, names)
        for annotation in spec.audit_annotations:
            value_of(annotation.value_expression, names)
    except Wrong as error:
        if spec.failure_policy == "Fail":
            yield str(error)


def names_of(ask: messages.Ask, body: Json) -> Json:
    """What expressions may name; of variables none is defined yet."""
    names: Json = {"object": body, "oldObject": None, "request": ask.request, "params": ask.params, "namespaceObject": ask.namespace}
    return {**names, "variables": {}}


def define(names: Json, one: admission.Named) -> None:
    """A variable that fails is not there; who uses it fails."""
    try:
        names["variables"] = {**names["variables"], one.name: value_of(one.expression, names)}
    except Wrong:
        return


def _all_hold(spec: admission.PolicySpec, names: Json) -> bool:
    """One that is false decides, also where another fails."""
    wrong: Wrong | None = None
    for one in spec.match_conditions:
        try:
            if not _holds(one.expression, names):
                return False
        except Wrong as error:
            wrong = wrong or error
    if wrong:
        raise wrong
    return True


def _validated(one: admission.Validation, names: Json) -> Iterator[str]:
    if not _holds(one.expression, names):
        yield _message(one, names) or one.message.strip() or f"failed expression: {one.expression.strip()}"


def _message(one: admission.Validation, names: Json) -> str:
    """Of the message's own expression; empty where it fails, has several lines or says nothing."""
    if not one.message_expression:
        return ""
    try:
        said = value_of(one.message_expression, names)
    except Wrong:
        return ""
    return said.strip() if isinstance(said, str) and "\n" not in said.strip() else ""


def _holds(expression: str, names: Json) -> bool:
    found = value_of(expression, names)
    if not isinstance(found, bool):
        message = f"expression '{expression}' resulted in neither true nor false"
        raise Wrong(message)
    return found


def value_of(expression: str, names: Mapping[str, Any]) -> Any:  # noqa: ANN401 any value of CEL
    """What it gives; Wrong: an error. Where only the API server can tell, the program ends."""
    try:
        found = _compiled(expression).eval(data=names)
        value = found.plain_value()
    except (RuntimeError, TypeError) as error:  # more steps than it takes, a value it cannot give: no failure policy excuses that
        sys.exit(f"error: {_first(error)}, in {expression[:100]!r}")
    if found.type() == cel.Type.ERROR:
        if cel_types.UNTOLD in str(value):
            sys.exit(f"error: {_first(value)}, in {expression[:100]!r}")
        message = f"expression '{expression}' resulted in error: {_first(value)}"
        raise Wrong(message)
    return value


@functools.lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:  # noqa: ANN401 the library's own
    return _environment().compile(expression)


@functools.cache
def _environment() -> Any:  # noqa: ANN401 the library's own
    return cel_kubernetes.environment()


def _first(said: object) -> str:
    return str(said).removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: <input>:").splitlines()[0][:300]


def main() -> None:
    """Answer once."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=messages.Order)
    sys.stdout.buffer.write(msgspec.json.encode(answer(order)))


if __name__ == "__main__":
    main()
