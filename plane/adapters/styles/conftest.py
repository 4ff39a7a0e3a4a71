"""Packages as conftest asks them: `deny`, `violation` and `warn` with suffixes, `exception`, data files. Only OPA reads the Rego.

Source: https://www.conftest.dev, policy/engine.go of conftest 0.71.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from plane.adapters.styles import layout
from plane.domain import errors, objects
from plane.domain.judging import policy, styles
from plane.domain.reading import documents

DEFAULT = "main"
# Names that a module may give to rules: all that it writes, so more than are rules; OPA knows nothing of the others.
_RULES = re.compile(r"\b(?:deny|violation|warn)(?:_[a-zA-Z0-9]+)*\b", re.ASCII)
# How a module shows that it was written for `conftest --combine`: it goes through the input and reads what each file holds.
_ALL = re.compile(r"\binput\s*\[\s*[A-Za-z_]\w*\s*\]|(?:\bin|:=|=)\s*input\b(?!\s*[.\[])", re.ASCII)
_CONTENTS = re.compile(r"^[^#\n]*\.contents\b", re.MULTILINE)
_PLACES = re.compile(r"^[^#\n]*\bdata\.conftest\b", re.MULTILINE)

_PACKAGE_ASKED = """
violations contains answer if {{
	{each}
	some rule in {rules}
	value := data.{package}[rule.name] with input as asked
	found := results(value)[_]
	exceptions := {{1 | some list in data.{package}.exception with input as asked; list[_] == rule.suffix}}
	answer := {{"rule": rule.id, "index": index, "found": found, "atMost": rule.atMost, "excepted": count(exceptions) > 0}}
}}
"""
_EACH = "some index, asked in input.manifests"
_ONCE = "asked := input.files\n\tindex := -1"
_DRIVER = """package plane.main

results(value) := [read(one) | some one in value] if is_set(value)

results(value) := [read(one) | some one in value] if is_array(value)

# What is neither a list nor false was never meant to be asked; an answer without a message is a denial.
results(value) := [{}] if {
	not is_set(value)
	not is_array(value)
	value != false
}

read(one) := {"message": one} if is_string(one)

read(one) := object.union({"message": object.get(one, "msg", 0)}, texts) if {
	is_object(one)
	texts := {name: text | some name in ["severity", "path", "remedy"]; text := one[name]; is_string(text)}
}

read(one) := {} if {
	not is_string(one)
	not is_object(one)
}
"""


def problems(files: policy.PolicyFiles) -> Iterator[str]:
    """What would never be asked, or reaches where it must not."""
    for name, text in files.files.items():
        if not name.endswith(".rego"):
            continue
        package = layout.package(text)
        if not package:
            yield f"{name}: must begin with `package NAME` on a line of its own"
        elif package.partition(".")[0] in layout.RESERVED:
            yield f"{name}: the packages {' and '.join(sorted(layout.RESERVED))} belong to the plane and to OPA; choose another name"
        if place := _PLACES.search(text):
            line = text.count("\n", 0, place.end()) + 1
            yield f"{name}:{line}: data.conftest.file is not known here: a release is judged object by object, not file by file"
        if not files.style.combine and is_combined(text) and (place := _CONTENTS.search(text)):
            line = text.count("\n", 0, place.end()) + 1
            yield f"{name}:{line}: reads all files at once, as `conftest --combine` gives them; set combine in the set's style"
    asked = {package for package, _ in _asked(files)}
    missing = [name for name in files.style.namespaces or (DEFAULT,) if name not in asked and name != styles.EVERY]
    if missing or not asked:
        known = ", ".join(sorted(_named(files.files))) or "none"
        yield f"no rule deny, violation or warn in package {', '.join(missing) or 'of any name'}; its packages are {known}"


def laid(files: policy.PolicyFiles) -> layout.Laid:
    """The authors' modules as they are, their data as one document, and the driver.

    Raises:
        PolicyInvalid: data files that are no mappings, or say different things of one key.
    """
    each = _ONCE if files.style.combine else _EACH
    driver = _DRIVER + "".join(
        _PACKAGE_ASKED.format(package=package, rules=_spec(package, rules), each=each) for package, rules in _asked(files)
    )
    modules = {f"set/{name}": text for name, text in files.files.items() if name.endswith(".rego")}
    v0 = ("/set/*",) if files.style.rego_version == "v0" else ()
    whole = {
        "plane/main.rego": driver,
        "data.json": msgspec.json.encode(_documents(files)).decode(),
        layout.MANIFEST: layout.manifest(v0=v0),
    }
    return layout.Laid({**modules, **whole}, strict=False)


def packages(files: Mapping[str, str]) -> tuple[str, ...]:
    """Those that may hold rules, sorted."""
    return tuple(name for name, rules in sorted(_named(files).items()) if rules)


def asked(files: policy.PolicyFiles, question: policy.PolicyInput) -> Mapping[str, Any]:
    """One object after the other, or all at once; then each is a file, named after the object as releases know no files."""
    if not files.style.combine:
        return {"manifests": question.manifests}
    return {"files": [{"path": str(objects.key_of(one)), "contents": one} for one in question.manifests]}


def is_combined(text: str) -> bool:
    """Whether a module was written for `conftest --combine`; asked about one object it would say nothing."""
    return bool(_CONTENTS.search(text) and _ALL.search(text))


def query(files: policy.PolicyFiles, rule: str) -> str:
    """What OPA is asked of one object about a rule, by its name in violations; Invalid when there is none."""
    known = _queries(files)
    if rule not in known:
        raise errors.Invalid({"rule": f"policy set {files.name} has no rule {rule!r}; it has {', '.join(sorted(known))}"})
    return known[rule]


def rules(files: policy.PolicyFiles) -> tuple[str, ...]:
    """What may be rules, as violations name them, sorted."""
    return tuple(sorted(_queries(files)))


def _queries(files: policy.PolicyFiles) -> dict[str, str]:
    return {one["id"]: f"data.{package}.{one['name']}" for package, several in _asked(files) for one in _named_rules(package, several)}


def _asked(files: policy.PolicyFiles) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Packages with what may be rules in them."""
    wanted = files.style.namespaces or (DEFAULT,)
    found = ((name, rules) for name, rules in sorted(_named(files.files).items()) if rules and (name in wanted or styles.EVERY in wanted))
    return tuple((name, tuple(sorted(rules))) for name, rules in found)


def _named(files: Mapping[str, str]) -> dict[str, set[str]]:
    """Package → what may be rules in it."""
    found: dict[str, set[str]] = {}
    for name, text in files.items():
        package = layout.package(text) if name.endswith(".rego") else ""
        if package:
            found.setdefault(package, set()).update(_RULES.findall(text))
    return found


def _spec(package: str, rules: tuple[str, ...]) -> str:
    """As a Rego literal, which JSON is."""
    return msgspec.json.encode(_named_rules(package, rules)).decode()


def _named_rules(package: str, rules: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {
            "name": rule,
            "suffix": rule.partition("_")[2],
            "id": rule if package == DEFAULT else f"{package}.{rule}",
            "atMost": "warn" if rule.startswith("warn") else "deny",
        }
        for rule in rules
    ]


def _documents(files: policy.PolicyFiles) -> dict[str, Any]:
    """All data files laid over each other, as `conftest --data` does."""
    whole: dict[str, Any] = {}
    for name, text in files.files.items():
        if name.endswith(".rego"):
            continue
        try:
            values = [one.value for one in documents.read(text.encode(), file=name) if one.value is not None]
        except errors.PlaneError as error:
            raise policy.PolicyInvalid(files.name, (str(error),)) from error
        for value in values:
            if not isinstance(value, dict) or not layout.RESERVED.isdisjoint(value):
                raise policy.PolicyInvalid(files.name, (f"{name}: a data file is a mapping without the keys plane and system",))
            whole = _merged(whole, value, files.name, name)
    return whole


def _merged(one: Mapping[str, Any], other: Mapping[str, Any], name: str, file: str) -> dict[str, Any]:
    whole = dict(one)
    for key, value in other.items():
        before = whole.get(key, value)
        if isinstance(before, dict) and isinstance(value, dict) and key in whole:
            whole[key] = _merged(before, value, name, file)
        elif before != value:
            raise policy.PolicyInvalid(name, (f"{file}: {key} is in another data file already and has another value there",))
        else:
            whole[key] = value
    return whole
