"""ValidatingAdmissionPolicies with their bindings and parameters, evaluated by Google's CEL in a bounded child.

What an API server knows and a release does not (who asks, what was there before) is refused with the reason, never guessed.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from plane.adapters.sandbox import opa_bounds
from plane.adapters.styles import admission_messages as messages
from plane.adapters.styles import subjects
from plane.domain import errors, objects
from plane.domain.judging import admission, gatekeeper, policy, traces
from plane.domain.reading import documents

Json = dict[str, Any]
T = TypeVar("T")
GROUP = "admissionregistration.k8s.io/"
DEADLINE_S = 10.0
CHILD = "plane.adapters.styles.cel_admission"  # by name: the library it loads belongs into no server
STEPS = "plane.adapters.styles.cel_steps"
_KNOWN = ("kind", "resource", "requestKind", "requestResource", "name", "namespace", "operation", "subResource", "dryRun")
_REQUEST = re.compile(r"(?<!\.)\brequest\b(?!\.(?:" + "|".join(_KNOWN) + r")\b)")
_AUTHORIZER = re.compile(r"(?<!\.)\bauthorizer\b")
_PARAMS = re.compile(r"(?<!\.)\bparams\b")
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


class Bound(msgspec.Struct, frozen=True):
    """One binding of a policy, with the parameters it may mean."""

    name: str
    policy: str
    spec: admission.BindingSpec
    where: str

    @property
    def rule(self) -> str:
        """As modes and waivers name it."""
        return f"{self.policy}.{self.name}"


class Read(msgspec.Struct, frozen=True):
    """What a set's files hold; `problems` are sentences with file and line."""

    policies: dict[str, admission.PolicySpec] = {}
    bindings: tuple[Bound, ...] = ()
    params: tuple[Json, ...] = ()
    problems: tuple[str, ...] = ()


def is_ours(body: object) -> bool:
    """Whether a document is a policy or a binding."""
    kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    return isinstance(body, dict) and str(body.get("apiVersion", "")).startswith(GROUP) and body.get("kind") in kinds


def read(files: policy.PolicyFiles) -> Read:
    """All documents of a set."""
    policies: dict[str, admission.PolicySpec] = {}
    bindings: list[Bound] = []
    params: list[Json] = []
    problems: list[str] = []
    for name, text in files.files.items():
        try:
            for one in documents.read(text.encode(), file=name):
                if isinstance(one.value, dict):
                    _sort(one.value, f"{name}:{one.line}", policies, bindings, params)
        except errors.PlaneError as error:
            problems.append(str(error))
        except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
            problems.append(f"{name}: holds a document that is not understood: {error}")
    whole = Read(policies, tuple(bindings), tuple(params))
    return msgspec.structs.replace(whole, problems=(*problems, *_problems(whole)))


def check(files: policy.PolicyFiles) -> None:
    """Whether everything is understood, and compiles.

    Raises:
        PolicyInvalid: with the reasons.
    """
    found = read(files)
    said = found.problems or tuple(
        f"{one.policy}: {one.message}" for one in _run(files, messages.Order(found.policies), CHILD, messages.Said)
    )
    if said:
        raise policy.PolicyInvalid(files.name, said)


def violations(files: policy.PolicyFiles, question: policy.PolicyInput) -> tuple[policy.Violation, ...]:
    """Denials of all bindings, sorted.

    Raises:
        PolicyInvalid: as `check`. PolicyFailed: something that must be known is not, or no answer in time.
    """
    found = read(files)
    if found.problems:
        raise policy.PolicyInvalid(files.name, found.problems)
    seen = subjects.of(question)
    try:
        pairs = [(one, ask) for one in found.bindings for ask in _asks(one, found, seen, question)]
    except admission.Unknown as error:
        raise policy.PolicyFailed(files.name, str(error)) from error
    order = messages.Order(found.policies, tuple(one.body for one in seen), tuple(ask for _, ask in pairs))
    return tuple(sorted(_violation(files, one, pairs, question) for one in _run(files, order, CHILD, messages.Said)))


def steps(files: policy.PolicyFiles, question: policy.PolicyInput, wish: traces.Wish) -> traces.Trace:
    """What each expression of the rule's policy was about one object.

    Raises:
        Invalid: there is no such rule, or no object is named. PolicyInvalid, PolicyFailed: as `violations`.
    """
    check(files)
    found, seen = read(files), subjects.of(question)
    bound = [one for one in found.bindings if one.rule == wish.rule]
    if not bound or wish.manifest is None:
        known = ", ".join(sorted(one.rule for one in found.bindings))
        raise errors.Invalid({"rule": f"policy set {files.name} is asked about one object, and has the rules {known}"})
    try:
        asks = [ask for ask in _asks(bound[0], found, seen, question) if ask.object == wish.manifest]
    except admission.Unknown as error:
        raise policy.PolicyFailed(files.name, str(error)) from error
    order = messages.Order(found.policies, tuple(one.body for one in seen), tuple(asks))
    definitions = tuple(_definition(files, one) for one in _run(files, order, STEPS, messages.Step))
    about = str(objects.key_of(question.manifests[wish.manifest]))
    said = tuple(one.message for one in violations(files, question) if (one.rule, one.object) == (wish.rule, about))
    return traces.Trace(files.name, wish.rule, about, said, definitions, "" if asks else "the policy's match leaves this object out")


def _sort(body: Json, where: str, policies: dict[str, admission.PolicySpec], bindings: list[Bound], params: list[Json]) -> None:
    if not is_ours(body):
        params.append(body)
        return
    name = msgspec.convert(body["metadata"]["name"], str)
    if body["kind"] == "ValidatingAdmissionPolicy":
        policies[name] = msgspec.convert(body["spec"], admission.PolicySpec)
    else:
        spec = msgspec.convert(body["spec"], admission.BindingSpec)
        bindings.append(Bound(name, spec.policy_name, spec, where))


def _problems(found: Read) -> Iterator[str]:
    if not found.bindings:
        yield "it has no ValidatingAdmissionPolicyBinding, so it would never refuse anything"
    yield from _dangling(found)
    for name, spec in found.policies.items():
        rules = spec.match_constraints.resource_rules
        if rules and not any(admission.CREATES & set(rule.operations) for rule in rules):
            yield f"{name}: is not about CREATE, and an object is judged as if it were being created; what was there before is not known"
        for text, _ in messages.expressions(spec):
            yield from (f"{name}: {said}" for said in _unknown(text, params=spec.param_kind is not None))


def _dangling(found: Read) -> Iterator[str]:
    """Bindings of what is not in the set."""
    for one in found.bindings:
        if one.policy not in found.policies:
            yield f"{one.where}: the policy {one.policy} is in no file of the set"
        elif (kind := found.policies[one.policy].param_kind) and one.spec.param_ref and not _named(found, kind, one.spec.param_ref):
            yield f"{one.where}: its parameters ({kind.kind}) are in no file of the set; put them there, what the cluster has is not known"


def _unknown(expression: str, *, params: bool) -> Iterator[str]:
    """What only the API server knows, or nobody."""
    bare = _QUOTED.sub("''", expression)
    if _AUTHORIZER.search(bare):
        yield f"{expression!r} asks the authorizer, which only the API server can"
    elif not params and _PARAMS.search(bare):
        yield f"{expression!r} reads params, and the policy has no paramKind"
    elif found := _REQUEST.search(bare):
        yield f"{bare[found.start() :][:40]!r} is of the request, and of it only {', '.join(_KNOWN)} are known"


def _named(found: Read, kind: admission.ParamKind, ref: admission.ParamRef) -> list[Json]:
    """Parameters that a binding may mean, of any namespace."""
    several = [one for one in found.params if (one.get("apiVersion"), one.get("kind")) == (kind.api_version, kind.kind)]
    return [
        one
        for one in several
        if (not ref.name or one["metadata"].get("name") == ref.name)
        and (ref.selector is None or gatekeeper.selects(ref.selector, gatekeeper.labels_of(one)))
    ]


def _asks(bound: Bound, found: Read, seen: tuple[gatekeeper.Subject, ...], question: policy.PolicyInput) -> Iterator[messages.Ask]:
    spec = found.policies[bound.policy]
    needs = any("namespaceObject" in text for text, _ in messages.expressions(spec))
    beside = {str(one.body["metadata"].get("name")): one.body for one in seen if one.is_namespace}
    plurals = subjects.plurals(question)
    for number, one in enumerate(seen):
        resource = plurals.get((one.group, one.kind)) or admission.plural(one.group, one.kind)
        both = (spec.match_constraints, bound.spec.match_resources)
        if not all(admission.matches(wanted, one, resource) for wanted in both):
            continue
        if needs and one.namespace and one.namespace not in beside:
            message = f"{bound.policy} reads the Namespace {one.namespace}, which is not known; add it to the release"
            raise admission.Unknown(message)
        for params in _params(bound, spec, found, one):
            yield messages.Ask(bound.policy, number, _request(one, resource), params, beside.get(one.namespace))


def _params(bound: Bound, spec: admission.PolicySpec, found: Read, subject: gatekeeper.Subject) -> list[Json | None]:
    ref = bound.spec.param_ref
    if spec.param_kind is None or ref is None:
        return [None]
    home = ref.namespace or subject.namespace
    several: list[Json | None] = [one for one in _named(found, spec.param_kind, ref) if one["metadata"].get("namespace", home) == home]
    if not several and ref.parameter_not_found_action != "Allow":
        message = f"binding {bound.name} finds no parameters for {subject.kind} in namespace {home or '(none)'} among the set's files"
        raise admission.Unknown(message)
    return several


def _request(subject: gatekeeper.Subject, resource: str) -> Json:
    version = str(subject.body.get("apiVersion", "")).rpartition("/")[2]
    kind = {"group": subject.group, "version": version, "kind": subject.kind}
    plural = {"group": subject.group, "version": version, "resource": resource}
    meta = subject.body.get("metadata") or {}
    whole = {"kind": kind, "resource": plural, "requestKind": kind, "requestResource": plural, "operation": "CREATE", "dryRun": False}
    return {**whole, "name": meta.get("name", ""), "namespace": subject.namespace}


def _definition(files: policy.PolicyFiles, step: messages.Step) -> traces.Definition:
    """With the place of the expression's first line."""
    first = step.expression.strip().splitlines()[0]
    rows = ((name, row) for name, text in files.files.items() for row, line in enumerate(text.splitlines(), 1) if first in line)
    file, row = next(rows, ("", 0))
    sample = traces.Sample(step.outcome, step.values, step.said)
    held = int(step.outcome == "held")
    line = traces.Line(row, traces.cut(step.expression), held=held, failed=1 - held, samples=(sample,))
    return traces.Definition(step.what, file, row, 1, held, (line,))


def _run(files: policy.PolicyFiles, order: messages.Order, child: str, kind: type[T]) -> list[T]:
    above = str(pathlib.Path(messages.__file__).parents[3])
    reads = (sys.prefix, sys.base_prefix, above)
    command = opa_bounds.launch([sys.executable, "-m", child], memory_bytes=opa_bounds.MEMORY_BYTES, reads=reads)
    given = msgspec.json.encode(order)
    try:
        with tempfile.TemporaryDirectory(prefix="plane-cel-") as place:
            done = subprocess.run(
                command, input=given, capture_output=True, timeout=DEADLINE_S, check=False, cwd=place, env={"PYTHONPATH": above}
            )
    except subprocess.TimeoutExpired as error:
        raise policy.PolicyFailed(
            files.name, f"no answer within {DEADLINE_S:g} s; look for an expression that walks all with all"
        ) from error
    if done.returncode:
        raise policy.PolicyFailed(
            files.name, f"CEL ended before it answered: {opa_bounds.last_words(done.stderr.decode('utf-8', 'replace'))}"
        )
    return msgspec.json.decode(done.stdout, type=list[kind])  # type: ignore[valid-type]  # a value as a type


def _violation(
    files: policy.PolicyFiles, said: messages.Said, pairs: list[tuple[Bound, messages.Ask]], question: policy.PolicyInput
) -> policy.Violation:
    if said.ask < 0:
        raise policy.PolicyInvalid(files.name, (f"{said.policy}: {said.message}",))
    bound, ask = pairs[said.ask]
    body = question.manifests[ask.object]
    return policy.Violation(
        policy=files.name,
        rule=bound.rule,
        object=str(objects.key_of(body)),
        message=said.message,
        at_most=admission.at_most(bound.spec),
    )
