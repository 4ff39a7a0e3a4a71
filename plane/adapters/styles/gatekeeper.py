"""ConstraintTemplates and Constraints as Gatekeeper asks them. Only OPA reads their Rego, which is v0 unless a template says v1.

Source: Gatekeeper 3.23, pkg/target; frameworks, pkg/client/drivers/rego.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from plane.adapters.styles import layout
from plane.adapters.styles import subjects as seen
from plane.domain import errors
from plane.domain.judging import gatekeeper, policy
from plane.domain.reading import documents

Json = dict[str, Any]
TARGET = "admission.k8s.gatekeeper.sh"
_HEAD = """package plane.main

message(found) := object.get(found, "msg", 0) if is_object(found)

message(found) := 0 if not is_object(found)
"""
_TEMPLATE = """
violations contains answer if {{
	some pair in input.pairs
	pair.kind == "{kind}"
	constraint := input.constraints[pair.constraint]
	review := {{"review": input.reviews[pair.object], "parameters": constraint.parameters}}
	inventory := input.inventory
	some found in data.{package}.violation with input as review with data.inventory as inventory
	answer := {{"rule": constraint.rule, "index": pair.object, "found": {{"message": message(found)}}, "atMost": constraint.atMost}}
}}
"""


class Template(msgspec.Struct, frozen=True):
    """One ConstraintTemplate. `modules`: its rules, then its libraries; `schema`: of parameters."""

    kind: str
    package: str
    modules: tuple[str, ...]
    v0: bool
    schema: Json
    where: str


class Constraint(msgspec.Struct, frozen=True):
    """One constraint, parameters with their defaults."""

    kind: str
    name: str
    spec: gatekeeper.ConstraintSpec
    where: str

    @property
    def rule(self) -> str:
        """As modes and waivers name it."""
        return f"{self.kind}.{self.name}"


class Read(msgspec.Struct, frozen=True):
    """What a set's files hold; `problems` are sentences with file and line."""

    templates: dict[str, Template] = {}
    constraints: tuple[Constraint, ...] = ()
    problems: tuple[str, ...] = ()


class _Refused(Exception):
    """A document that cannot be asked as Gatekeeper would; the text says why."""


def read(files: policy.PolicyFiles) -> Read:
    """All documents of a set."""
    templates: dict[str, Template] = {}
    constraints: list[Constraint] = []
    problems: list[str] = []
    for where, body in _documents(files, problems):
        try:
            if body.get("kind") == "ConstraintTemplate":
                one = _template(body, where)
                templates[one.kind] = one
            elif str(body.get("apiVersion", "")).startswith("constraints.gatekeeper.sh/"):
                constraints.append(_constraint(body, where))
            else:
                problems.append(f"{where}: is neither a ConstraintTemplate nor a constraint")
        except _Refused as error:
            problems.append(f"{where}: {error}")
    filled = tuple(_defaulted(one, templates[one.kind]) for one in constraints if one.kind in templates)
    problems += [f"{one.where}: no template of this set defines the kind {one.kind}" for one in constraints if one.kind not in templates]
    return Read(templates, filled, (*problems, *_clashes(templates)))


def is_ours(body: object) -> bool:
    """Whether a document is a template or a constraint."""
    groups = ("constraints.gatekeeper.sh/", "templates.gatekeeper.sh/")
    return isinstance(body, dict) and str(body.get("apiVersion", "")).startswith(groups)


def problems(files: policy.PolicyFiles) -> Iterator[str]:
    """What cannot be asked."""
    found = read(files)
    yield from found.problems
    if not found.constraints and not found.problems:
        yield "it has no constraint, so it would never refuse anything"


def laid(files: policy.PolicyFiles) -> layout.Laid:
    """The templates' modules as they are, each package once, and the driver."""
    found = read(files)
    modules = {_path(layout.package(text), v0=one.v0): text for one in found.templates.values() for text in one.modules}
    driver = _HEAD + "".join(_TEMPLATE.format(kind=one.kind, package=one.package) for one in found.templates.values())
    return layout.Laid({**modules, "plane/main.rego": driver, layout.MANIFEST: layout.manifest(v0=("/v0/*",))}, strict=False)


def asked(files: policy.PolicyFiles, question: policy.PolicyInput) -> Json:
    """Reviews of all objects, and which constraint is about which.

    Raises:
        PolicyFailed: a constraint selects namespaces by labels that are not known.
    """
    found, subjects = read(files), seen.of(question)
    try:
        pairs = [
            {"kind": one.kind, "constraint": number, "object": index}
            for number, one in enumerate(found.constraints)
            for index, subject in enumerate(subjects)
            if gatekeeper.matches(one.spec.match, subject)
        ]
    except gatekeeper.NamespaceUnknown as error:
        reason = f"a constraint selects namespaces by label, and the labels of namespace {error} are not known; add it to the release"
        raise policy.PolicyFailed(files.name, reason) from error
    constraints = [
        {"rule": one.rule, "atMost": gatekeeper.at_most(one.spec), "parameters": one.spec.parameters or {}} for one in found.constraints
    ]
    reviews = [_review(one) for one in subjects]
    return {"pairs": pairs, "constraints": constraints, "reviews": reviews, "inventory": _inventory(subjects)}


class Alone(msgspec.Struct, frozen=True):
    """What OPA is asked of one object about one constraint. `leaves_out`: the constraint's match does."""

    query: str
    given: Json
    leaves_out: bool


def alone(files: policy.PolicyFiles, question: policy.PolicyInput, rule: str, object_: int) -> Alone:
    """The one question of a constraint about an object.

    Raises:
        Invalid: there is no such constraint. PolicyFailed: as `asked`.
    """
    known = {one.rule: one for one in read(files).constraints}
    if rule not in known:
        raise errors.Invalid({"rule": f"policy set {files.name} has no rule {rule!r}; it has {', '.join(sorted(known))}"})
    whole = asked(files, question)
    numbers = [number for number, one in enumerate(whole["constraints"]) if one["rule"] == rule]
    matched = any(pair["constraint"] in numbers and pair["object"] == object_ for pair in whole["pairs"])
    package = read(files).templates[known[rule].kind].package
    given = {
        "review": whole["reviews"][object_],
        "parameters": whole["constraints"][numbers[0]]["parameters"],
        "inventory": whole["inventory"],
    }
    return Alone(f"data.{package}.violation with data.inventory as input.inventory", given, not matched)


def _documents(files: policy.PolicyFiles, problems: list[str]) -> Iterator[tuple[str, Json]]:
    for name, text in files.files.items():
        try:
            for one in documents.read(text.encode(), file=name):
                if isinstance(one.value, dict):
                    yield f"{name}:{one.line}", one.value
        except errors.PlaneError as error:
            problems.append(str(error))


def _template(body: Json, where: str) -> Template:
    try:
        spec = body["spec"]
        kind, target = str(spec["crd"]["spec"]["names"]["kind"]), spec["targets"][0]
        schema = ((spec["crd"]["spec"].get("validation") or {}).get("openAPIV3Schema")) or {}
        rego, libs, v0 = _source(target)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        message = "a template needs spec.crd.spec.names.kind and one target with its rego"
        raise _Refused(message) from error
    if target.get("target") != TARGET or len(spec["targets"]) != 1:
        message = f"its one target must be {TARGET}"
        raise _Refused(message)
    modules = (str(rego), *map(str, libs))
    packages = [layout.package(text) for text in modules]
    if bad := [name for name in packages if not name or name.partition(".")[0] in layout.RESERVED]:
        rule = (
            f"the package {bad[0]} belongs to the plane or to OPA" if bad[0] else "each module begins with `package NAME` on its own line"
        )
        raise _Refused(rule)
    if not kind.isidentifier() or not kind.isascii():
        message = f"{kind!r} is no kind"
        raise _Refused(message)
    return Template(kind, packages[0], modules, v0, schema, where)


def _source(target: Json) -> tuple[str, list[str], bool]:
    """Rego, libraries, and whether they are v0."""
    engines = {one["engine"]: one["source"] for one in target.get("code") or []}
    if not engines:
        return target["rego"], target.get("libs") or [], True
    if "Rego" not in engines:
        message = f"its engine is {', '.join(engines)}, and of Gatekeeper's only Rego is asked; CEL is, as a ValidatingAdmissionPolicy"
        raise _Refused(message)
    source = engines["Rego"]
    return source["rego"], source.get("libs") or [], source.get("version", "v0") != "v1"


def _constraint(body: Json, where: str) -> Constraint:
    meta = body.get("metadata")
    try:
        spec = msgspec.convert(body.get("spec") or {}, gatekeeper.ConstraintSpec)
        return Constraint(msgspec.convert(body["kind"], str), msgspec.convert((meta or {})["name"], str), spec, where)
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        message = f"is no constraint that is understood: {error}"
        raise _Refused(message) from error


def _defaulted(constraint: Constraint, template: Template) -> Constraint:
    filled = gatekeeper.defaulted(template.schema, constraint.spec.parameters or {})
    return msgspec.structs.replace(constraint, spec=msgspec.structs.replace(constraint.spec, parameters=filled))


def _clashes(templates: dict[str, Template]) -> Iterator[str]:
    """Two templates with one package of different text would be one in OPA."""
    seen: dict[str, tuple[tuple[str, bool], str]] = {}
    for one in templates.values():
        for text in one.modules:
            package = layout.package(text)
            before, first = seen.setdefault(package, ((text, one.v0), one.where))
            if before != (text, one.v0):
                yield f"{one.where}: the package {package} is another one in {first}; put the two templates into two sets"


def _path(package: str, *, v0: bool) -> str:
    return f"{'v0' if v0 else 'v1'}/{package}.rego"


def _review(subject: gatekeeper.Subject) -> Json:
    """An AdmissionRequest as audit makes it of an object: of no operation and nobody's."""
    meta = subject.body.get("metadata") or {}
    places = {"name": meta.get("name"), "namespace": subject.namespace}
    return {
        "uid": "",
        "kind": {
            "group": subject.group,
            "version": str(subject.body.get("apiVersion", "")).rpartition("/")[2],
            "kind": subject.kind,
        },
        "resource": {"group": "", "version": "", "resource": ""},
        "operation": "",
        "userInfo": {},
        "object": subject.body,
        "oldObject": None,
        "options": None,
        **{name: value for name, value in places.items() if value},
    }


def _inventory(subjects: tuple[gatekeeper.Subject, ...]) -> Json:
    """All objects of the release; what else is in the cluster is not known."""
    whole: Json = {"cluster": {}, "namespace": {}}
    for one in subjects:
        top = whole["namespace"].setdefault(one.namespace, {}) if one.namespace else whole["cluster"]
        name = str((one.body.get("metadata") or {}).get("name"))
        top.setdefault(one.body.get("apiVersion"), {}).setdefault(one.kind, {})[name] = one.body
    return whole
