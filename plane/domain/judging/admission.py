"""ValidatingAdmissionPolicies as values: which policy is about which object. An object is judged as if it were being created.

Source: Kubernetes' admissionregistration.k8s.io/v1 and its policy/matching package.
"""

from typing import Any, Literal

import msgspec

from plane.domain.judging import gatekeeper, policy

Json = dict[str, Any]
Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT", "*"]
CREATES = frozenset({"CREATE", "*"})
ACTIONS: dict[str, policy.Mode] = {"Deny": "deny", "Warn": "warn", "Audit": "audit"}


class _Spec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    pass


class Rule(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Resources by group, version and plural name; all of it must fit."""

    api_groups: tuple[str, ...] = ()
    api_versions: tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] | None = None
    scope: Literal["", "*", "Cluster", "Namespaced"] = "*"


class Resources(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """matchConstraints of a policy, matchResources of a binding; no rules: all resources."""

    resource_rules: tuple[Rule, ...] = ()
    exclude_resource_rules: tuple[Rule, ...] = ()
    namespace_selector: gatekeeper.LabelSelector | None = None
    object_selector: gatekeeper.LabelSelector | None = None
    match_policy: Literal["Exact", "Equivalent"] = "Equivalent"


class Named(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An expression with a name: a match condition, a variable."""

    name: str
    expression: str


class Validation(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What must be true."""

    expression: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""


class Annotation(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What the API server's audit log would keep."""

    key: str
    value_expression: str


class ParamKind(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The kind of a policy's parameters."""

    api_version: str
    kind: str


class PolicySpec(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Of a ValidatingAdmissionPolicy."""

    match_constraints: Resources
    validations: tuple[Validation, ...] = ()
    match_conditions: tuple[Named, ...] = ()
    variables: tuple[Named, ...] = ()
    audit_annotations: tuple[Annotation, ...] = ()
    param_kind: ParamKind | None = None
    failure_policy: Literal["Fail", "Ignore"] = "Fail"


class ParamRef(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Which parameters: one by name, or all that a selector fits."""

    name: str = ""
    namespace: str = ""
    selector: gatekeeper.LabelSelector | None = None
    parameter_not_found_action: Literal["", "Allow", "Deny"] = ""


class BindingSpec(_Spec, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Of a ValidatingAdmissionPolicyBinding."""

    policy_name: str
    validation_actions: tuple[Literal["Deny", "Warn", "Audit"], ...]
    match_resources: Resources = Resources()
    param_ref: ParamRef | None = None


class Unknown(Exception):
    """Whether a policy is about an object cannot be told; the text says what is missing."""


def matches(wanted: Resources, subject: gatekeeper.Subject, resource: str) -> bool:
    """Whether a creation is among them. `resource`: the plural name of the object's kind; empty: not known.

    Raises:
        Unknown: it depends on something that is not known.
    """
    if any(_fits(rule, subject, resource, exact=True) for rule in wanted.exclude_resource_rules):
        return False
    exact = wanted.match_policy == "Exact"
    if wanted.resource_rules and not any(_fits(rule, subject, resource, exact=exact) for rule in wanted.resource_rules):
        return False
    return (wanted.object_selector is None or gatekeeper.selects(wanted.object_selector, gatekeeper.labels_of(subject.body))) and _beside(
        wanted.namespace_selector, subject
    )


def at_most(spec: BindingSpec) -> policy.Mode:
    """The strictest of what a binding does."""
    return max((ACTIONS[one] for one in spec.validation_actions), key=policy.MODES.index, default="audit")


def plural(group: str, kind: str) -> str:
    """The resource of a kind of Kubernetes' own; empty for kinds of others, whose authors choose it freely."""
    if "." in group and not group.endswith(".k8s.io"):
        return ""
    low = kind.lower()
    if low == "endpoints":
        return low
    if low.endswith("s"):
        return f"{low}es"
    return f"{low.removesuffix('y')}ies" if low.endswith("y") else f"{low}s"


def _fits(rule: Rule, subject: gatekeeper.Subject, resource: str, *, exact: bool) -> bool:
    version, name = str(subject.body.get("apiVersion", "")).rpartition("/")[2], str((subject.body.get("metadata") or {}).get("name") or "")
    fits = (
        bool(CREATES & set(rule.operations))
        and _among(rule.api_groups, subject.group)
        and (rule.scope in {"", "*"} or (rule.scope == "Namespaced") == bool(subject.namespace))
        and (not rule.resource_names or name in rule.resource_names)
        and _resource(rule.resources, subject, resource)
    )
    if fits and not exact and not _among(rule.api_versions, version):
        message = (
            f"matchPolicy Equivalent may mean {subject.kind} of {version} too, which only the API server can convert; name the version"
        )
        raise Unknown(message)
    return fits and _among(rule.api_versions, version)


def _resource(wanted: tuple[str, ...], subject: gatekeeper.Subject, resource: str) -> bool:
    if {"*", "*/*"} & set(wanted):
        return True
    if not resource:
        message = f"the resource of kind {subject.kind} in {subject.group} is not known; put its CustomResourceDefinition into the release"
        raise Unknown(message)
    return resource in wanted


def _among(several: tuple[str, ...], word: str) -> bool:
    return "*" in several or word in several


def _beside(selector: gatekeeper.LabelSelector | None, subject: gatekeeper.Subject) -> bool:
    if selector is None or selector == gatekeeper.LabelSelector() or (not subject.is_namespace and not subject.namespace):
        return True
    found = gatekeeper.labels_of(subject.body) if subject.is_namespace else subject.beside
    if found is None:
        message = f"the labels of namespace {subject.namespace} are not known; add it to the release"
        raise Unknown(message)
    return gatekeeper.selects(selector, found)
