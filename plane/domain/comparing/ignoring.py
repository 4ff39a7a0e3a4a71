"""What a comparison leaves out: `ignoreDifferences` of an app and of the whole system."""

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from plane.domain import apps, errors, objects
from plane.domain.comparing import known_types, ownership

Query = Callable[[tuple[str, ...], dict[str, Any]], tuple[ownership.Path, ...]]  # jq path expressions → where they lead in an object
MOST_EXPRESSIONS = 50  # of an app: each may take a second for every object that it matches
_COUNTED_ON = ("/metadata/finalizers", "/metadata/ownerReferences")
SYSTEM = "resource.customizations.ignoreDifferences."  # Argo CD's setting; then `all` or GROUP_KIND


class Rules(msgspec.Struct, frozen=True):
    """What is left out for one object."""

    pointers: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()  # jq
    managers: tuple[str, ...] = ()  # whose fields do not count
    types: tuple[tuple[known_types.Path, known_types.Type], ...] = ()  # beside those that are built in

    def __bool__(self) -> bool:
        return bool(self.pointers or self.expressions or self.managers or self.types)


class _Customization(msgspec.Struct, frozen=True, rename="camel"):
    json_pointers: tuple[str, ...] = ()
    jq_path_expressions: tuple[str, ...] = ()
    managed_fields_managers: tuple[str, ...] = ()


def rules(key: objects.ObjectKey, written: Iterable[apps.IgnoreDifference]) -> Rules:
    """All that matches an object, in the order written."""
    found = [rule for rule in written if matches(rule, key)]
    return Rules(
        tuple(dict.fromkeys(pointer for rule in found for pointer in rule.json_pointers)),
        tuple(dict.fromkeys(expression for rule in found for expression in rule.jq_path_expressions)),
        tuple(dict.fromkeys(manager for rule in found for manager in rule.managed_fields_managers)),
        tuple(known_types.declared(one.field, one.type) for rule in found for one in rule.known_type_fields),
    )


def matches(rule: apps.IgnoreDifference, key: objects.ObjectKey) -> bool:
    """Globs for group and kind, as Argo CD: an empty group is the core group, `*` any."""
    return (
        fnmatch.fnmatchcase(key.group, rule.group)
        and fnmatch.fnmatchcase(key.kind, rule.kind)
        and rule.name in ("", key.name)
        and rule.namespace in ("", key.namespace)
    )


def system(settings: Mapping[str, Any]) -> tuple[apps.IgnoreDifference, ...]:
    """System-wide rules from Argo CD's settings, each value already read as YAML; other settings are passed over.

    Raises:
        Invalid: a rule that is none, by setting.
    """
    found = []
    for name, value in settings.items():
        if name.startswith(SYSTEM):
            try:
                told = msgspec.convert(value or {}, _Customization)
            except msgspec.ValidationError as e:
                raise errors.Invalid({name: f"{e}; use jsonPointers, jqPathExpressions and managedFieldsManagers"}) from e
            found.append(_system(name.removeprefix(SYSTEM), told))
    return tuple(found)


def problems(written: Iterable[apps.IgnoreDifference], query: Query) -> dict[str, str]:
    """Rules that could never hold, by their place in an app's spec; expressions are tried on an empty object."""
    found: dict[str, str] = {}
    left = MOST_EXPRESSIONS
    for n, rule in enumerate(written):
        at = f"spec.ignoreDifferences[{n}]"
        for m, pointer in enumerate(rule.json_pointers):
            if not pointer.startswith("/"):
                found[f"{at}.jsonPointers[{m}]"] = f"{pointer!r} is no JSON pointer; write it with a slash in front, as in /spec/replicas"
        found |= {f"{at}.knownTypeFields[{m}]": said for m, known in enumerate(rule.known_type_fields) if (said := _mistyped(known))}
        left -= len(rule.jq_path_expressions)
        if left < 0:
            return {**found, f"{at}.jqPathExpressions": f"the app has more than {MOST_EXPRESSIONS} jq expressions; join some with a comma"}
        for m, expression in enumerate(rule.jq_path_expressions):
            if said := _fault(expression, query):
                found[f"{at}.jqPathExpressions[{m}]"] = said
    return found


def _mistyped(known: apps.KnownType) -> str:
    try:
        known_types.declared(known.field, known.type)
    except errors.Invalid as e:
        return next(iter(e.problems.values()))
    return ""


def _fault(expression: str, query: Query) -> str:
    try:
        query((expression,), {})
    except errors.Invalid as e:
        return next(iter(e.problems.values()))
    return ""


def pair(desired: dict[str, Any], live: dict[str, Any], ignore: Rules, query: Query | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both objects without what jq expressions and managers leave out; pointers are left to `diff.compare`.

    Raises:
        Invalid: an expression that is none, takes too long, or that nobody can evaluate here.
    """
    if ignore.expressions and query is None:
        raise errors.Invalid({"ignoreDifferences.jqPathExpressions": "nothing here evaluates jq; use jsonPointers"})
    asked = ignore.expressions if query else ()
    outcome = []
    for body in (desired, live):
        away = [*query(asked, body)] if query and asked else []
        away += _owned(body, live, ignore)
        outcome.append(without(body, away))
    return outcome[0], outcome[1]


def extras(desired: dict[str, Any], live: dict[str, Any], ignore: Rules, query: Query | None = None) -> tuple[ownership.Extra, ...]:
    """What others added, as `ownership.extras`, without what the rules accept.

    Raises:
        Invalid: as `pair`.
    """
    asked = query(ignore.expressions, live) if query and ignore.expressions else ()
    accepted = (*ignore.pointers, *(ownership.pointer(path) for path in asked if path))
    return tuple(
        one
        for one in ownership.extras(desired, live)
        if one.manager not in ignore.managers and not any(one.pointer == at or one.pointer.startswith(f"{at}/") for at in accepted)
    )


def removed(live: dict[str, Any], added: Iterable[ownership.Extra]) -> dict[str, Any]:
    """The live object without additions; of a list's item that is an addition itself nothing stays.

    Finalizers and owner references stay: whoever set them counts on finding them.
    """
    there = [ownership.located(steps(one.pointer), live) for one in added if not one.pointer.startswith(_COUNTED_ON)]
    whole = set(there)
    return without(live, (ownership.item_of(path, live, whole) for path in there))


def without(body: dict[str, Any], away: Iterable[ownership.Path]) -> dict[str, Any]:
    """A copy that lacks the paths; the object given is left alone. Paths that lead nowhere, and names and kinds, are passed over."""
    left = body
    for path in sorted({path for path in away if _may_go(path)}, key=_last_first):
        left = _lacking(left, path)
    return left


def _may_go(path: ownership.Path) -> bool:
    """Not what makes an object the one it is."""
    named = path[:2] in (("metadata", "name"), ("metadata", "namespace"))
    return bool(path) and path[0] not in ("apiVersion", "kind") and path != ("metadata",) and not named


def kept(desired: dict[str, Any], live: dict[str, Any], ignore: Rules, query: Query | None = None) -> dict[str, Any]:
    """The desired object with what lives where the rules lead, so that writing it changes nothing there.

    Raises:
        Invalid: as `pair`.
    """
    asked = query(ignore.expressions, desired) if query and ignore.expressions else ()
    found = adopted(desired, live, (*(steps(pointer) for pointer in ignore.pointers), *asked))
    return adopted(found, live, _owned(found, live, ignore))


def spared(desired: dict[str, Any], live: dict[str, Any], ignore: Rules, query: Query | None = None) -> dict[str, Any]:
    """As kept, for a server-side apply: what a manager of the rules owns is left out, so that we do not own it beside him.

    Inside a list it stays as it lives: an item without its fields would be none.
    """
    found = kept(desired, live, ignore, query)
    return without(found, (path for path in _owned(found, live, ignore) if all(isinstance(step, str) for step in path)))


def _owned(body: dict[str, Any], live: dict[str, Any], ignore: Rules) -> list[ownership.Path]:
    theirs = [entry for entry in ownership.entries(live) if entry.manager in ignore.managers]
    return [path for entry in theirs for path in ownership.paths(entry.fields, body)]


def adopted(desired: dict[str, Any], live: dict[str, Any], there: Iterable[ownership.Path]) -> dict[str, Any]:
    """The desired object with what lives at the paths; what it does not speak about stays unsaid."""
    for path in there:
        if _may_go(path):
            desired = _adopted(desired, live, path)
    return desired


def steps(pointer: str) -> ownership.Path:
    """The path of a JSON pointer; indexes are still text."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _adopted(desired: Any, live: Any, path: ownership.Path) -> Any:  # noqa: ANN401 any JSON data
    if not path:
        return live
    step, rest = path[0], path[1:]
    if isinstance(desired, list) and isinstance(live, list):
        place = int(step) if str(step).isdigit() and int(step) < len(desired) else None
        other = ownership.counterpart(desired[place], live, place) if place is not None else None
        if place is None or other is None:
            return desired
        return [*desired[:place], _adopted(desired[place], live[other], rest), *desired[place + 1 :]]
    if not isinstance(desired, dict) or not isinstance(live, dict) or step not in desired:
        return desired
    if step in live:
        return {**desired, step: _adopted(desired[step], live[step], rest)}
    return desired if rest else {name: value for name, value in desired.items() if name != step}


def _last_first(path: ownership.Path) -> list[tuple[int, int, str]]:
    """Later items of a list go first, so that the indexes of the others stay true; what is deeper goes before what holds it."""
    order = [(0, -step, "") if isinstance(step, int) else (1, 0, step) for step in path]
    return [*order, (2, 0, "")]


def _lacking(body: Any, path: ownership.Path) -> Any:  # noqa: ANN401 any JSON data
    step, rest = path[0], path[1:]
    if isinstance(body, dict) and step in body:
        if not rest:
            return {name: value for name, value in body.items() if name != step}
        return {**body, step: _lacking(body[step], rest)}
    if isinstance(body, list) and isinstance(step, int) and -len(body) <= step < len(body):
        step %= len(body)
        return [*body[:step], *([_lacking(body[step], rest)] if rest else []), *body[step + 1 :]]
    return body


def _system(name: str, told: _Customization) -> apps.IgnoreDifference:
    group, _, kind = name.rpartition("_")
    if name == "all":
        group, kind = "*", "*"
    return apps.IgnoreDifference(
        kind=kind,
        group=group,
        json_pointers=told.json_pointers,
        jq_path_expressions=told.jq_path_expressions,
        managed_fields_managers=told.managed_fields_managers,
    )
