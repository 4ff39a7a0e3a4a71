"""What is asked of the child that evaluates admission policies (`cel_admission`), and what it says."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from plane.domain.judging import admission

Json = dict[str, Any]


class Ask(msgspec.Struct, frozen=True):
    """One policy about one object, by its number. `namespace`: the object's, None in the cluster's own scope."""

    policy: str
    object: int
    request: Json
    params: Json | None = None
    namespace: Json | None = None


class Order(msgspec.Struct, frozen=True):
    """Nothing asked: whether everything compiles."""

    policies: dict[str, admission.PolicySpec]
    objects: tuple[Json, ...] = ()
    asks: tuple[Ask, ...] = ()


class Said(msgspec.Struct, frozen=True):
    """A denial; `ask` -1: an expression of the policy that does not compile."""

    ask: int
    policy: str
    message: str


class Step(msgspec.Struct, frozen=True):
    """One expression. `said`: its value, or what went wrong; `values`: parts of what it read → what they were."""

    what: str
    expression: str
    outcome: Literal["held", "failed"]
    said: str
    values: dict[str, str] = {}


def expressions(spec: admission.PolicySpec) -> Iterator[tuple[str, str]]:
    """All of a policy, each with the type of CEL that it must give; empty: any."""
    yield from ((condition.expression, "BOOL") for condition in spec.match_conditions)
    yield from ((variable.expression, "") for variable in spec.variables)
    for one in spec.validations:
        yield one.expression, "BOOL"
        if one.message_expression:
            yield one.message_expression, "STRING"
    yield from ((annotation.value_expression, "STRING") for annotation in spec.audit_annotations)
