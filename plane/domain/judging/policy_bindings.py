"""Which rules hold for an app, how strictly, and who said so: bindings put policy sets in force. Inner ones tighten, none loosens."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from plane.domain import errors, labels
from plane.domain.judging import policy
from plane.domain.permitting import globs

UNTIL_THEN: policy.Mode = "warn"  # how what stops a release counts before `enforceAfter`


class BindingSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """A policy set in force where the selectors say; without any, wherever the binding belongs.

    `policy_set`: of the tenant, or one of the platform's as platform/NAME. `mode`: of every rule; none: as the set says. `rules`: rule →
    its own mode, `parameters`: rule → parameters. `enforce_after` (RFC 3339): what would stop a release only warns until then. `apps` and
    `clusters` are label selectors, `projects` and `namespaces` are globs. `enforce`: what a release is stopped by that is in the cluster
    already is found and told, and stops it once the app changes, or `now`.
    """

    policy_set: str = ""
    mode: policy.Mode | None = None
    rules: dict[str, policy.Mode] = {}
    parameters: dict[str, dict[str, Any]] = {}
    enforce_after: str = ""
    projects: tuple[str, ...] = ()
    apps: str = ""
    clusters: str = ""
    namespaces: tuple[str, ...] = ()
    enforce: Literal["next-change", "now"] = "next-change"


class Target(msgspec.Struct, frozen=True):
    """The app that is judged."""

    project: str
    labels: dict[str, str] = {}
    cluster_labels: dict[str, str] = {}


class Held(msgspec.Struct, frozen=True):
    """A binding with what it binds: `binding` has the set's files and all modes and parameters, as if it were in force."""

    binding: policy.Binding
    spec: BindingSpec = BindingSpec()


def problems(spec: BindingSpec) -> dict[str, str]:
    """What is wrong with a binding, by field; nothing is looked up."""
    found: dict[str, str] = {}
    if not spec.policy_set:
        found["spec.policySet"] = "name the policy set that shall hold"
    if spec.enforce_after and _moment(spec.enforce_after) is None:
        found["spec.enforceAfter"] = "must be a time like 2027-01-31T00:00:00Z, with its zone"
    for field, text in (("spec.apps", spec.apps), ("spec.clusters", spec.clusters)):
        try:
            labels.parse(text)
        except errors.Invalid as error:
            found[field] = str(error)
    for field, several in (("spec.projects", spec.projects), ("spec.namespaces", spec.namespaces)):
        found |= {f"{field}[{number}]": problem for number, glob in enumerate(several) if (problem := globs.problem(glob))}
    return found


def in_force(held: Iterable[Held], target: Target, *, at: dt.datetime) -> tuple[policy.Binding, ...]:
    """What holds for an app now, in the order given; before its time a binding only warns."""
    return tuple(_softened(one.binding) if _early(one, at) else one.binding for one in held if _about(one.spec, target))


def next_change(held: Iterable[Held], target: Target, *, at: dt.datetime) -> dt.datetime | None:
    """When time alone changes what holds for an app."""
    moments = (_moment(one.spec.enforce_after) for one in held if _early(one, at) and _about(one.spec, target))
    return min((moment for moment in moments if moment), default=None)


def bound(spec: BindingSpec, of: policy.Binding, *, name: str) -> policy.Binding:
    """A set with its own modes and parameters, as a binding puts it in force."""
    return policy.Binding(
        policy=of.policy,
        mode=spec.mode or of.mode,
        rules=({} if spec.mode else of.rules) | spec.rules,
        parameters={rule: of.parameters.get(rule, {}) | given for rule, given in (of.parameters | spec.parameters).items()},
        name=name,
        namespaces=spec.namespaces,
        at_once=spec.enforce == "now",
    )


def _about(spec: BindingSpec, target: Target) -> bool:
    return (
        (not spec.projects or any(globs.matches(glob, target.project) for glob in spec.projects))
        and labels.matches(labels.parse(spec.apps), target.labels)
        and labels.matches(labels.parse(spec.clusters), target.cluster_labels)
    )


def _early(one: Held, at: dt.datetime) -> bool:
    after = _moment(one.spec.enforce_after)
    return after is not None and at < after


def _softened(binding: policy.Binding) -> policy.Binding:
    return msgspec.structs.replace(binding, mode=_softer(binding.mode), rules={rule: _softer(mode) for rule, mode in binding.rules.items()})


def _softer(mode: policy.Mode) -> policy.Mode:
    return min(mode, UNTIL_THEN, key=policy.MODES.index)


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
