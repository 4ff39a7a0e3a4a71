"""What a policy would do to what apps are now, before it is in force anywhere."""

from collections.abc import Iterable

import msgspec

from plane.domain import errors
from plane.domain.judging import findings, policy, policy_bindings, styles

LATER = ("clear", "source")  # fields of the input that only a render tells


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A set, and how it would be bound. `binding` has the set's modes and parameters already, as if it were in force."""

    set: str
    digest: str
    spec: policy_bindings.BindingSpec
    mode: policy.Mode
    rules: dict[str, policy.Mode] = {}
    parameters: dict[str, dict[str, object]] = {}
    style: styles.Style = styles.PLANE


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule that an object breaks. `known`: the app breaks it already by what is in force; `waiver`: the one that excuses it."""

    rule: str
    object: str
    mode: str
    message: str
    known: bool = False
    waiver: str = ""


def asked(of: policy.Binding, spec: policy_bindings.BindingSpec, *, mode: policy.Mode | None) -> Asked:
    """A set under a binding, at once; `mode`: of every rule, whatever set and binding say."""
    at_once = msgspec.structs.replace(spec, enforce_after="", **({"mode": mode, "rules": {}} if mode else {}))
    bound = policy_bindings.bound(at_once, of, name="preview")
    return Asked(of.policy.name, of.policy.digest, at_once, bound.mode, bound.rules, bound.parameters, of.policy.style)


def held(one: Asked, files: dict[str, str]) -> policy_bindings.Held:
    """As if it were in force."""
    texts = policy.PolicyFiles(one.set, one.digest, files, one.style)
    binding = policy.Binding(texts, one.mode, one.rules, one.parameters, "preview", one.spec.namespaces)
    return policy_bindings.Held(binding, one.spec)


def found(verdict: policy.Verdict, known: Iterable[str]) -> tuple[Found, ...]:
    """What an app would break; `known`: keys of what it breaks already."""
    before = frozenset(known)
    return tuple(Found(one.rule, one.object, one.mode, one.message, one.key in before, one.waiver) for one in findings.of(verdict))


def unasked(files: policy.PolicyFiles, releases: int) -> tuple[str, ...]:
    """Sentences on what its rules read and nobody knows of so many releases, so that they say nothing."""
    of = f"{releases:,} {'release' if releases == 1 else 'releases'} rendered before that was kept"
    return tuple(f"rules that read input.{field} say nothing of {of}" for field in LATER if policy.reads(files, field))


class NoPreview(errors.Conflict):
    """A preview that cannot be as asked for."""

    code = "preview-impossible"
