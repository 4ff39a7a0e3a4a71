"""Gatekeeper's documents as values: which constraint is about which object, and what it may do about it.

Source: Gatekeeper 3.23, pkg/mutation/match and pkg/target.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from plane.domain import labels
from plane.domain.judging import policy

Json = dict[str, Any]
ACTIONS: dict[str, policy.Mode] = {"deny": "deny", "warn": "warn", "dryrun": "audit"}
POINTS = frozenset({"*", "validation.gatekeeper.sh"})  # where admission asks; what is enforced elsewhere alone is for the record


class Expression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of a selector's matchExpressions."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] | None = None


class LabelSelector(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Kubernetes' metav1.LabelSelector; empty: everything."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[Expression, ...] | None = None


class Kinds(msgspec.Struct, frozen=True, rename={"api_groups": "apiGroups"}, forbid_unknown_fields=True):
    """Groups and kinds; none of either, or `*`: all."""

    api_groups: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None


class Match(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A constraint's spec.match; all of it must hold, and what is left out holds. Names may begin and end with `*`."""

    kinds: tuple[Kinds, ...] | None = None
    scope: str = ""
    namespaces: tuple[str, ...] | None = None
    excluded_namespaces: tuple[str, ...] | None = None
    label_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    name: str = ""
    source: Literal["", "All", "Original", "Generated"] = ""


class Point(msgspec.Struct, frozen=True):
    """Where a scoped action holds."""

    name: str


class Scoped(msgspec.Struct, frozen=True, rename="camel"):
    """An action at some enforcement points."""

    action: Literal["deny", "warn", "dryrun"]
    enforcement_points: tuple[Point, ...] = ()


class ConstraintSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Of any constraint kind."""

    match: Match = Match()
    parameters: Json | None = None
    enforcement_action: Literal["deny", "warn", "dryrun", "scoped"] = "deny"
    scoped_enforcement_actions: tuple[Scoped, ...] = ()


class Subject(msgspec.Struct, frozen=True):
    """An object as admission sees it: its namespace filled in. `beside`: its namespace's labels; None where they are not known."""

    body: Json
    group: str
    kind: str
    namespace: str
    beside: Mapping[str, str] | None = None

    @property
    def is_namespace(self) -> bool:
        """A Namespace stands for itself."""
        return (self.group, self.kind) == ("", "Namespace")


class NamespaceUnknown(Exception):
    """A selector asks for labels of a namespace that nobody told us."""


def matches(match: Match, subject: Subject) -> bool:
    """Whether a constraint is about an object.

    Raises:
        NamespaceUnknown: as Gatekeeper, which then errs.
    """
    where = _text(subject.body, "name") if subject.is_namespace else subject.namespace
    return (
        _kind(match.kinds or (), subject)
        and _scope(match.scope, subject)
        and (not match.namespaces or not where or any(_wild(one, where) for one in match.namespaces))
        and not (where and any(_wild(one, where) for one in match.excluded_namespaces or ()))
        and (match.label_selector is None or selects(match.label_selector, labels_of(subject.body)))
        and _beside(match.namespace_selector, subject)
        and (not match.name or _wild(match.name, _text(subject.body, "name")) or _generated(match.name, subject.body))
        and match.source != "Generated"
    )


def selects(selector: LabelSelector, found: Mapping[str, str]) -> bool:
    """Whether labels fit a selector."""
    equal = (labels.Requirement(key, "in", frozenset({value})) for key, value in (selector.match_labels or {}).items())
    operators: dict[str, labels.Operator] = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    several = (
        labels.Requirement(one.key, operators[one.operator], frozenset(one.values or ())) for one in selector.match_expressions or ()
    )
    return labels.matches((*equal, *several), found)


def labels_of(body: Json) -> dict[str, str]:
    """An object's labels."""
    found = (body.get("metadata") or {}).get("labels") or {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def at_most(spec: ConstraintSpec) -> policy.Mode:
    """What a constraint may do: the strictest of what it does at admission."""
    if spec.enforcement_action != "scoped":
        return ACTIONS[spec.enforcement_action]
    found = [ACTIONS[one.action] for one in spec.scoped_enforcement_actions if POINTS & {point.name for point in one.enforcement_points}]
    return max(found, key=policy.MODES.index, default="audit")


def defaulted(schema: object, value: Any) -> Any:  # noqa: ANN401 any JSON data
    """A value with the defaults of its OpenAPI schema filled in, as the API server does it for a constraint."""
    if not isinstance(schema, dict):
        return value
    if isinstance(value, dict):
        inner = schema.get("properties") or {}
        filled = {name: one["default"] for name, one in inner.items() if isinstance(one, dict) and "default" in one and name not in value}
        more = schema.get("additionalProperties")
        return {name: defaulted(inner.get(name, more), one) for name, one in {**filled, **value}.items()}
    return [defaulted(schema.get("items"), one) for one in value] if isinstance(value, list) else value


def _kind(wanted: tuple[Kinds, ...], subject: Subject) -> bool:
    return not wanted or any(_among(one.kinds, subject.kind) and _among(one.api_groups, subject.group) for one in wanted)


def _among(several: tuple[str, ...] | None, word: str) -> bool:
    return not several or "*" in several or word in several


def _scope(scope: str, subject: Subject) -> bool:
    """What is neither Cluster nor Namespaced counts as both."""
    inside = bool(subject.namespace) and not subject.is_namespace
    return {"Cluster": not inside, "Namespaced": inside}.get(scope, True)


def _beside(selector: LabelSelector | None, subject: Subject) -> bool:
    if selector is None or (not subject.is_namespace and not subject.namespace):
        return True
    if subject.is_namespace:
        return selects(selector, labels_of(subject.body))
    if subject.beside is None:
        raise NamespaceUnknown(subject.namespace)
    return selects(selector, subject.beside)


def _wild(pattern: str, word: str) -> bool:
    begins, ends = pattern.endswith("*"), pattern.startswith("*")
    if begins and ends:
        return pattern.removeprefix("*").removesuffix("*") in word
    if ends:
        return word.endswith(pattern.removeprefix("*"))
    return word.startswith(pattern.removesuffix("*")) if begins else pattern == word


def _generated(pattern: str, body: Json) -> bool:
    """A name that the API server makes up begins with generateName; only a pattern that ends openly can fit it."""
    return pattern.endswith("*") and _wild(pattern, _text(body, "generateName"))


def _text(body: Json, field: str) -> str:
    return str((body.get("metadata") or {}).get(field) or "")
