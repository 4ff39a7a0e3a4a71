"""Tell what each expression of admission policies was: one JSON order on standard input, the steps on standard output. A program."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from plane.adapters.styles import admission_messages as messages
from plane.adapters.styles import cel_admission
from plane.domain.judging import admission, traces

Json = dict[str, Any]
# A path below a name of the environment, or a text that may look like one.
_PATH = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?<![\w.])(?P<path>(?:object|oldObject|request|params|namespaceObject|variables)\b"""
    r"""(?:\.\??\w+\b(?!\s*\()|\[\??(?:'[^'\\]*'|"[^"\\]*"|\d+)\])*)"""
)


def answer(order: messages.Order) -> list[messages.Step]:
    """Those of all that is asked, in the order of evaluation."""
    return [step for ask in order.asks for step in _steps(order.policies[ask.policy], ask, order.objects[ask.object])]


def _steps(spec: admission.PolicySpec, ask: messages.Ask, body: Json) -> Iterator[messages.Step]:
    names = cel_admission.names_of(ask, body)
    for variable in spec.variables:
        cel_admission.define(names, variable)
        yield _step(f"variable {variable.name}", variable.expression, names)
    for condition in spec.match_conditions:
        yield _step(f"match condition {condition.name}", condition.expression, names)
    for number, validation in enumerate(spec.validations, 1):
        yield _step(f"validation {number}", validation.expression, names)
        if validation.message_expression:
            yield _step(f"message {number}", validation.message_expression, names)
    for annotation in spec.audit_annotations:
        yield _step(f"audit annotation {annotation.key}", annotation.value_expression, names)


def _step(what: str, expression: str, names: Json) -> messages.Step:
    values = {path: _shown(path, names) for path in _paths(expression)}
    try:
        value = cel_admission.value_of(expression, names)
    except cel_admission.Wrong as error:
        return messages.Step(what, expression, "failed", str(error), values)
    return messages.Step(what, expression, "failed" if value is False else "held", _text(value), values)


def _paths(expression: str) -> list[str]:
    """What it reads, without the sign that something may be missing, and without the object as a whole."""
    found = {one["path"].replace("?", "") for one in _PATH.finditer(expression) if one["path"]}
    return sorted(found - {"object", "request", "variables", "params"})


def _shown(path: str, names: Mapping[str, Any]) -> str:
    try:
        return _text(cel_admission.value_of(path, names))
    except cel_admission.Wrong:
        return "undefined"


def _text(value: object) -> str:
    return traces.cut(msgspec.json.encode(value).decode())


def main() -> None:
    """Answer once."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=messages.Order)
    sys.stdout.buffer.write(msgspec.json.encode(answer(order)))


if __name__ == "__main__":
    main()
