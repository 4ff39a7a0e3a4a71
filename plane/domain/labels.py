"""Label selectors as kubectl reads them: `app=web,tier!=db,env in (dev,test),!legacy`."""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from plane.domain import errors

Operator = Literal["in", "notin", "exists", "absent"]

_COMMA = re.compile(r",(?![^(]*\))")  # not inside the parentheses of a set
_SET = re.compile(r"(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL = re.compile(r"(?P<key>[^\s!=]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s!=]*)")
_BARE = re.compile(r"(?P<no>!?)\s*(?P<key>[^\s!=()]+)")


class Requirement(msgspec.Struct, frozen=True):
    """One condition; `values` counts for in and notin."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()


Selector = tuple[Requirement, ...]


def parse(text: str) -> Selector:
    """The conditions, all of which must hold; none for an empty text.

    Raises:
        Invalid: a part that is no condition.
    """
    return tuple(_requirement(part.strip()) for part in _COMMA.split(text) if part.strip())


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether all conditions hold. As in Kubernetes, `!=` and `notin` hold where the label is missing."""
    return all(_holds(one, labels) for one in selector)


def _requirement(part: str) -> Requirement:
    if found := _SET.fullmatch(part):
        operator: Operator = "in" if found["operator"] == "in" else "notin"
        return Requirement(found["key"], operator, frozenset(value.strip() for value in found["values"].split(",")))
    if found := _EQUAL.fullmatch(part):
        return Requirement(found["key"], "notin" if found["operator"] == "!=" else "in", frozenset({found["value"]}))
    if found := _BARE.fullmatch(part):
        return Requirement(found["key"], "absent" if found["no"] else "exists")
    rule = "write key=value, key!=value, `key in (a,b)`, `key notin (a,b)`, key or !key, with commas between"
    raise errors.Invalid({"selector": f"{part!r} is no condition; {rule}"})


def _holds(one: Requirement, labels: Mapping[str, str]) -> bool:
    match one.operator:
        case "in":
            return labels.get(one.key) in one.values
        case "notin":
            return labels.get(one.key) not in one.values
        case "exists":
            return one.key in labels
        case "absent":
            return one.key not in labels
