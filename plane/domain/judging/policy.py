"""Policy as values: what OPA is asked, what it says, and what we make of it outside Rego."""

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from plane.domain import errors, objects
from plane.domain.judging import styles, surroundings
from plane.domain.permitting import globs

Mode = Literal["off", "audit", "warn", "require-approval", "deny"]
MODES: tuple[Mode, ...] = ("off", "audit", "warn", "require-approval", "deny")  # from lenient to strict


class Violation(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """One broken rule on one object. `path` is a JSON pointer or empty; `object` is the text of the object's key."""

    policy: str
    rule: str
    object: str
    message: str
    severity: str = "medium"
    path: str = ""
    remedy: str = ""
    file: str = ""  # `file:line` in the source, filled in by us from the manifest's position
    at_most: Mode = "deny"  # what its author lets it do: a `warn` of conftest; a mode for the rule by name says otherwise
    excepted: bool = False  # by the author's own exception; it is for the record


class PolicyContext(msgspec.Struct, frozen=True, rename="camel"):
    """What rules may know besides the objects. `now` is RFC 3339 UTC; labels are the cluster's, and `environment` is one of them."""

    tenant: str
    project: str
    app: str
    cluster: str
    now: str
    namespace: str = ""
    cluster_labels: dict[str, str] = {}
    kube_version: str = ""
    repo: str = ""
    commit: str = ""
    trigger: str = ""
    revision: str = ""
    signature: Literal["", "none", "unverified", "bad", "good"] = ""
    actor: str = ""
    environment: str = ""


class PolicyInput(msgspec.Struct, frozen=True):
    """The whole input of the one query per release; manifests are masked and in apply order.

    Published as docs/policies/input.schema.json; fields are added, never renamed. `clear`: number of a manifest → pointers
    to the values that stood in the source in the clear.
    """

    manifests: tuple[dict[str, Any], ...]
    context: PolicyContext
    parameters: dict[str, dict[str, Any]] = {}
    project: surroundings.ProjectFacts = surroundings.ProjectFacts()
    cluster: surroundings.ClusterFacts = surroundings.ClusterFacts()
    inventory: surroundings.Inventory = surroundings.Inventory()
    changes: tuple[surroundings.Change, ...] = ()
    source: surroundings.SourceFacts = surroundings.SourceFacts()
    clear: dict[str, tuple[str, ...]] = {}


class PolicyFiles(msgspec.Struct, frozen=True):
    """A policy set: file name → text of `.rego` modules, and of what else its style knows; `digest` names it for ever."""

    name: str
    digest: str
    files: dict[str, str]
    style: styles.Style = styles.PLANE


class Binding(msgspec.Struct, frozen=True):
    """A policy set in force: which rules with which mode and parameters. `rules` empty means all at `mode`.

    `name`: who put it in force, as people know it. `namespaces`: globs of those whose objects it is about; empty: all, and objects of none.
    """

    policy: PolicyFiles
    mode: Mode = "deny"
    rules: dict[str, Mode] = {}
    parameters: dict[str, dict[str, Any]] = {}
    name: str = ""
    namespaces: tuple[str, ...] = ()
    at_once: bool = False  # it stops apps that nobody changes, too

    def question(self) -> tuple[str, bytes]:
        """What the engine is asked; bindings that ask the same are asked once."""
        return self.policy.digest, objects.canonical(self.parameters)


class Judged(msgspec.Struct, frozen=True, omit_defaults=True):
    """A violation and the mode that applies to it. `by`: the binding that says so; `waiver`: the one that makes an exception.

    `digest` names this version of the object.
    """

    violation: Violation
    mode: Mode
    by: str = ""
    digest: str = ""
    waiver: str = ""
    at_once: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """The answer for one release. `error` is set when the engine gave none: that is a denial with its own reason.

    `left_out`: mode → violations beyond those that are kept; `whole` then names all of them.
    """

    policies: tuple[str, ...] = ()  # digests of the policy sets asked
    judged: tuple[Judged, ...] = ()
    error: str = ""
    left_out: dict[str, int] = {}
    whole: str = ""

    def blocking(self) -> tuple[Violation, ...]:
        """The violations that stop the release, sorted."""
        return tuple(entry.violation for entry in self.judged if entry.mode == "deny" and not entry.waiver)

    def to_approve(self) -> tuple[Violation, ...]:
        """The violations that a person must have looked at before the release goes out, sorted."""
        return tuple(entry.violation for entry in self.judged if entry.mode == "require-approval" and not entry.waiver)

    def at_once(self) -> bool:
        """Whether something stops even a release that is in the cluster already."""
        return any(entry.at_once and not entry.waiver and entry.mode in {"deny", "require-approval"} for entry in self.judged)

    def excepted(self) -> int:
        """How many violations their authors' own exceptions cover."""
        return sum(entry.violation.excepted for entry in self.judged)

    def allowed(self) -> bool:
        """Nothing blocks and the engine answered; somebody may still have to approve."""
        return not self.error and not self.blocking()


class PolicyRefused(errors.PlaneError):
    """At least one blocking rule said no, or the engine gave no answer."""

    code = "policy-refused"

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(sentence(verdict))


class PolicyInvalid(errors.PlaneError):
    """A policy set that does not compile, or breaks its tests; `problems` are `file:row:col: message` lines as OPA gives them."""

    code = "policy-invalid"
    fields = ("problems",)

    def __init__(self, name: str, problems: tuple[str, ...], *, why: str = "does not compile") -> None:
        self.problems = problems
        super().__init__(f"policy set {name} {why}: {problems[0] if problems else 'no reason given'}")


class PolicyFailed(errors.PlaneError):
    """The engine gave no usable answer; the caller makes a denial of it, never a pass."""

    code = "policy-failed"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"policy set {name}: {reason}")


def policy_files(name: str, files: Mapping[str, str], style: styles.Style = styles.PLANE) -> PolicyFiles:
    """The set under its digest, which covers style, file names and texts, not the set's name; `opa test` modules are left out."""
    kept = untested(files)
    whole = kept if style == styles.PLANE else [kept, msgspec.to_builtins(style)]
    return PolicyFiles(name, objects.digest(objects.canonical(whole)), kept, style)


def untested(files: Mapping[str, str]) -> dict[str, str]:
    """What of a set is asked: all but its tests."""
    return {file: text for file, text in sorted(files.items()) if not file.endswith(_TESTS)}


def tests(files: Mapping[str, str]) -> dict[str, str]:
    """What of a set has to pass before it is asked."""
    return {file: text for file, text in sorted(files.items()) if file.endswith(_TESTS)}


_TESTS = "_test.rego"
# How a set's text shows that it looks at a field of the input, itself or through what rules share.
_READING: dict[str, tuple[str, ...]] = {
    "project": ("input.project", '"project"'),
    "cluster": ("input.cluster", '"cluster"', "is_cluster_wide", "identity"),
    "clear": ("input.clear", '"clear"'),
    "source": ("input.source", '"source"'),
    "inventory": ("input.inventory", '"inventory"'),
    "changes": ("input.changes", '"changes"'),
    "trigger": (".trigger", '"trigger"'),
    "actor": (".actor", '"actor"'),
}
PARTS = tuple(f"inventory.{name}" for name in surroundings.Inventory.__struct_fields__)
FIELDS = frozenset({*_READING, *PARTS})
# `input` or its context not followed by a name or by a path that begins with one: the field is chosen while the rule runs.
_CHOSEN = re.compile(r"""\binput\b(\.context\b)?(?!\w)(?!\.[A-Za-z_])(?!\s*,?\s*\["[A-Za-z_])""")
_COMMENT = re.compile(r"^\s*#.*", re.MULTILINE)


def reads(files: PolicyFiles, field: str) -> bool:
    """Whether a set can look at a field; what is not read need not be told. Rules for other tools know the objects alone."""
    if files.style.kind in {"gatekeeper", "admission"}:
        return field == "cluster"  # which kinds live in namespaces
    return files.style == styles.PLANE and field in _read(tuple(files.files.values()))


@functools.lru_cache(1024)
def _read(texts: tuple[str, ...]) -> frozenset[str]:
    code = [_COMMENT.sub("", text) for text in texts]
    if any(_CHOSEN.search(text) for text in code):
        return FIELDS
    found = {field for field, words in _READING.items() if any(word in text for text in code for word in words)}
    if "inventory" in found:
        named = {part for part in PARTS if any(word in text for word in _words(part) for text in code)}
        found |= named or set(PARTS)
    return frozenset(found)


def _words(part: str) -> tuple[str, str]:
    name = part.rpartition(".")[2]
    return f".{name}", f'"{name}"'


def located(violations: tuple[Violation, ...], manifests: tuple[objects.Manifest, ...]) -> tuple[Violation, ...]:
    """The violations with `file` filled in from the positions of the objects they name."""
    places = {str(manifest.key): str(manifest.position or "") for manifest in manifests}
    return tuple(msgspec.structs.replace(found, file=places.get(found.object, "")) for found in violations)


def approval(release: str, verdict: Verdict) -> str:
    """What a person approves: this release with these violations; empty when nothing needs it. Other violations ask anew."""
    found, rest = verdict.to_approve(), [verdict.whole] if verdict.whole else []
    return f"policy:{objects.digest(objects.canonical([release, *msgspec.to_builtins(found), *rest]))}" if found else ""


def to_approve_sentence(verdict: Verdict) -> str:
    """What a person is asked to look at: the first violation whole, the rest counted."""
    first, *others = verdict.to_approve()
    count = len(others) + verdict.left_out.get("require-approval", 0)
    more = f"; {count:,} more" if count else ""
    return f"policy {first.policy}/{first.rule} wants somebody to approve {first.object}{_place(first)}: {first.message}{more}"


def sentence(verdict: Verdict) -> str:
    """What a person reads first: the first blocking violation whole, the rest counted."""
    if verdict.error:
        return f"the policy engine gave no answer, which counts as a denial: {verdict.error}"
    blocking = verdict.blocking()
    if not blocking:
        return "allowed by policy"
    first = blocking[0]
    count = len(blocking) - 1 + verdict.left_out.get("deny", 0)
    more = f"; {count:,} more" if count else ""
    fix = f" To fix: {first.remedy}" if first.remedy else ""
    return f"policy {first.policy}/{first.rule} refuses {first.object}{_place(first)}: {first.message}.{fix}{more}"


def _place(violation: Violation) -> str:
    return f" ({violation.file})" if violation.file else ""


def fold(found: Iterable[tuple[Binding, tuple[Violation, ...]]]) -> tuple[Judged, ...]:
    """Give each violation the strictest mode any binding gives its rule, with the first binding that says so; `off` drops it."""
    judged: dict[Violation, Judged] = {}
    for binding, violations in found:
        for violation in violations:
            mode = _mode(binding, violation) if _about(binding, violation) else "off"
            before = judged[violation].mode if violation in judged else "off"
            if MODES.index(mode) > MODES.index(before):
                judged[violation] = Judged(violation, mode, binding.name, at_once=binding.at_once)
            elif mode == before and binding.at_once and mode != "off":
                judged[violation] = msgspec.structs.replace(judged[violation], at_once=True)
    return tuple(judged[violation] for violation in sorted(judged))


def _mode(binding: Binding, violation: Violation) -> Mode:
    said = binding.rules.get(violation.rule, min(binding.mode, violation.at_most, key=MODES.index))
    return min(said, "audit", key=MODES.index) if violation.excepted else said


def _about(binding: Binding, violation: Violation) -> bool:
    if not binding.namespaces:
        return True
    namespace, _, name = violation.object.rpartition(" ")[2].partition("/")
    return bool(name) and any(globs.matches(glob, namespace) for glob in binding.namespaces)
