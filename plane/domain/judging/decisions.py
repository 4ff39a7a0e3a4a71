"""Decision records: under what a release was judged and what came of it, so that anybody can judge it again."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from plane.domain import objects
from plane.domain.judging import policy, styles, waivers

Word = Literal["allowed", "warned", "needs-approval", "denied", "error"]
WORDS: tuple[Word, ...] = ("allowed", "warned", "needs-approval", "denied", "error")
Outcome = Literal["pass", "violation", "waived", "error"]
_ID = re.compile(r"^#[ \t]+(?:custom:[ \t]*\{[ \t]*)?id:[ \t]*([^\s,}]+)", re.MULTILINE)
_PACKAGE = re.compile(r"^package[ \t]+plane\.rules\.(\w+)", re.MULTILINE)
_ASKED = re.compile(r"^((?:release_)?violations)\b", re.MULTILINE)
MODES: tuple[str, ...] = policy.MODES
_CONTEXT = frozenset({"manifests", "context", "parameters"})  # of the input: kept elsewhere


class Question(msgspec.Struct, frozen=True):
    """What the engine was asked, by digests. `told`: field of the input → what was said there; the release and its context come with it."""

    set: str
    parameters: str
    told: dict[str, str] = {}


class InForce(msgspec.Struct, frozen=True, omit_defaults=True):
    """A binding without the set's texts, which are kept under `digest`."""

    set: str
    digest: str
    mode: policy.Mode
    rules: dict[str, policy.Mode] = {}
    parameters: dict[str, dict[str, Any]] = {}
    by: str = ""
    namespaces: tuple[str, ...] = ()
    style: styles.Style = styles.PLANE
    at_once: bool = False


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was in force: bindings and `given`, the waivers, and by a set's digest all rules that it has."""

    bound: tuple[InForce, ...] = ()
    given: tuple[waivers.Waiver, ...] = ()
    rules: dict[str, tuple[str, ...]] = {}


class Ground(msgspec.Struct, frozen=True):
    """A part of what a verdict rests on, kept once for all that rest on it: canonical JSON under its digest."""

    digest: str
    body: bytes


class RuleOutcome(msgspec.Struct, frozen=True):
    """What one rule of a set said. `mode`: the strictest of those under which it was broken; `count`: of violations."""

    set: str
    rule: str
    outcome: Outcome
    mode: str = ""
    count: int = 0


class Difference(msgspec.Struct, frozen=True):
    """A violation that only one of two verdicts has."""

    where: Literal["recorded", "replayed"]
    set: str
    rule: str
    object: str
    mode: str


def ground(value: object) -> Ground:
    """A value of plain data or structs, under its digest."""
    body = objects.canonical(value)
    return Ground(objects.digest(body), body)


def packages(files: Mapping[str, str]) -> dict[str, str]:
    """Rules of a set as violations name them, by the id in their metadata or by their package → their package below plane.rules."""
    named = ((text, package[1]) for text in files.values() if (package := _PACKAGE.search(text)))
    return {(found[1] if (found := _ID.search(text)) else package): package for text, package in named}


def rule_ids(files: Mapping[str, str]) -> tuple[str, ...]:
    """The rules of a set as violations name them."""
    return tuple(sorted(packages(files)))


def questions_of(files: Mapping[str, str], rule: str) -> tuple[str, ...]:
    """What a rule of the plane's is asked: `violations` of each object, `release_violations` of them all, or both."""
    name = packages(files).get(rule)
    texts = [text for text in files.values() if (found := _PACKAGE.search(text)) and found[1] == name]
    return tuple(sorted({found for text in texts for found in _ASKED.findall(text)}))


def in_force(binding: policy.Binding) -> InForce:
    """What is kept of a binding."""
    files, own = binding.policy, (binding.mode, binding.rules, binding.parameters, binding.name, binding.namespaces)
    return InForce(files.name, files.digest, *own, files.style, binding.at_once)


def binding(one: InForce, files: Mapping[str, str]) -> policy.Binding:
    """The binding again, with the set's texts."""
    kept = policy.PolicyFiles(one.set, one.digest, policy.untested(files), one.style)
    return policy.Binding(kept, one.mode, one.rules, one.parameters, one.by, one.namespaces, one.at_once)


def told(asked: policy.PolicyInput) -> dict[str, Ground]:
    """What a question says besides the release, its context and the parameters, by field; what says nothing is left out."""
    silent = policy.PolicyInput((), asked.context)
    fields = (name for name in asked.__struct_fields__ if name not in _CONTEXT)
    return {name: ground(getattr(asked, name)) for name in fields if getattr(asked, name) != getattr(silent, name)}


def asked(
    manifests: Iterable[dict[str, Any]], context: policy.PolicyContext, parameters: Mapping[str, Any], fields: Mapping[str, Any]
) -> policy.PolicyInput:
    """The question again, from what was kept of it."""
    plain = {"manifests": list(manifests), "context": msgspec.to_builtins(context), "parameters": parameters, **fields}
    return msgspec.convert(plain, policy.PolicyInput)


def input_digest(release: str, context: policy.PolicyContext, questions: Iterable[Question]) -> str:
    """What names all that was asked about a release, without the moment of asking."""
    timeless = msgspec.structs.replace(context, now="")
    return objects.digest(objects.canonical([release, timeless, list(questions)]))


def outcome_digest(verdict: policy.Verdict) -> str:
    """What names a verdict, wherever the objects were written."""
    judged = [msgspec.structs.replace(one, violation=msgspec.structs.replace(one.violation, file="")) for one in verdict.judged]
    return objects.digest(objects.canonical(msgspec.structs.replace(verdict, judged=tuple(judged))))


def word(verdict: policy.Verdict) -> Word:
    """The verdict in one word."""
    if verdict.error:
        return "error"
    if verdict.blocking():
        return "denied"
    if verdict.to_approve():
        return "needs-approval"
    return "warned" if any(one.mode == "warn" for one in verdict.judged) else "allowed"


def outcomes(terms: Terms, verdict: policy.Verdict) -> tuple[RuleOutcome, ...]:
    """What each rule said, by set and rule; those of a set's metadata that said nothing passed, unless no engine answered."""
    silent: Outcome = "error" if verdict.error else "pass"
    found = {(one.set, rule): RuleOutcome(one.set, rule, silent) for one in terms.bound for rule in terms.rules.get(one.digest, ())}
    for entry in verdict.judged:
        place = (entry.violation.policy, entry.violation.rule)
        found[place] = _with(found.get(place, RuleOutcome(*place, "pass")), entry)
    return tuple(found[place] for place in sorted(found))


def _with(before: RuleOutcome, entry: policy.Judged) -> RuleOutcome:
    """A rule that is broken somewhere without a waiver is broken."""
    waived = entry.waiver and before.outcome != "violation"
    mode = max(before.mode or "off", entry.mode, key=MODES.index)
    return RuleOutcome(before.set, before.rule, "waived" if waived else "violation", mode, before.count + 1)


def waived_by(verdict: policy.Verdict) -> tuple[str, ...]:
    """The waivers that made exceptions, by name."""
    return tuple(sorted({one.waiver for one in verdict.judged if one.waiver}))


def differences(recorded: policy.Verdict, replayed: policy.Verdict) -> tuple[Difference, ...]:
    """Violations of one verdict that the other does not have."""
    was, now = (frozenset(_bare(one) for one in each.judged) for each in (recorded, replayed))
    gone, new = ([("recorded", one) for one in was - now], [("replayed", one) for one in now - was])
    return tuple(
        Difference(where, one.violation.policy, one.violation.rule, one.violation.object, one.mode)  # type: ignore[arg-type]  # one of the two words
        for where, one in sorted([*gone, *new], key=lambda pair: (pair[1].violation, pair[0]))
    )


def _bare(entry: policy.Judged) -> policy.Judged:
    return msgspec.structs.replace(entry, violation=msgspec.structs.replace(entry.violation, file=""))
