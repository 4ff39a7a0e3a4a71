"""Sync options and compare options: what an app and an object say about how objects are applied, compared and deleted.

A field's name in Pascal case is the option's spelling, which is Argo CD's; its type is the words it takes. What the object says wins over
what the app says, and our annotation over Argo CD's, option by option: an option of ours takes no protection away that the other gives.
"""

import difflib
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec

from plane.domain import annotations, errors, objects

Consent = Literal["true", "false", "confirm"]  # confirm: a person must agree first
Propagation = Literal["foreground", "background", "orphan"]
DryRun = Literal["auto", "always", "never"]
Ssa = Literal["Override", "Merge", "IfNotPresent", "Ignore"]

APP_PATH = "spec.syncPolicy.syncOptions"
CLIENT_SIDE_MANAGER = "kubectl-client-side-apply"

_SYNC, _COMPARE = "sync-options", "compare-options"
_MIGRATED = annotations.ARGO + "client-side-apply-migration-manager"
_WORDS = {"DryRun": annotations.OURS + "dry-run", "SSA": annotations.OURS + "ssa"}  # annotations that hold one word
_LISTS = tuple((prefix + name, name) for name in (_SYNC, _COMPARE) for prefix in reversed(annotations.PREFIXES))  # the last one wins
_ALL = frozenset({*dict(_LISTS), *_WORDS.values(), _MIGRATED, annotations.OURS + "client-side-apply-migration-manager"})


class App(msgspec.Struct, frozen=True, rename="pascal"):
    """What `syncPolicy.syncOptions` of an app says, one `Name=value` each."""

    validate: bool = True
    skip_dry_run_on_missing_resource: bool = False
    prune: Consent = "true"
    delete: Consent = "true"
    prune_last: bool = False
    prune_propagation_policy: Propagation = "foreground"
    replace: bool = False
    server_side_apply: bool = True
    client_side_apply_migration: bool = True
    apply_out_of_sync_only: bool = False
    create_namespace: bool = False
    fail_on_shared_resource: bool = False
    respect_ignore_differences: bool = False
    dry_run: DryRun = "auto"
    ssa: Ssa = msgspec.field(default="Override", name="SSA")
    server_side_diff: bool | None = None
    include_mutation_webhook: bool = False


class Own(msgspec.Struct, frozen=True, rename="pascal"):
    """What an object's annotations say; None: nothing, so the app's word holds."""

    validate: bool | None = None
    skip_dry_run_on_missing_resource: bool | None = None
    prune: Consent | None = None
    delete: Consent | None = None
    prune_last: bool | None = None
    replace: bool | None = None
    force: bool | None = None
    server_side_apply: bool | None = None
    dry_run: DryRun | None = None
    ssa: Ssa | None = msgspec.field(default=None, name="SSA")
    ignore_extraneous: bool | None = None
    server_side_diff: bool | None = None
    include_mutation_webhook: bool | None = None
    migrated_manager: str = CLIENT_SIDE_MANAGER


class Effective(msgspec.Struct, frozen=True):
    """What holds for one object. `force` with `replace`: delete and create. `migrated_manager`: whose fields are taken over, or empty."""

    validate: bool = True
    skip_dry_run_on_missing_resource: bool = False
    prune: Consent = "true"
    delete: Consent = "true"
    prune_last: bool = False
    prune_propagation_policy: Propagation = "foreground"
    replace: bool = False
    force: bool = False
    server_side_apply: bool = True
    dry_run: DryRun = "auto"
    ssa: Ssa = "Override"
    ignore_extraneous: bool = False
    server_side_diff: bool | None = None
    include_mutation_webhook: bool = False
    migrated_manager: str = CLIENT_SIDE_MANAGER

    def takes_over(self) -> bool:
        """Whether an apply takes fields over from former tools."""
        return self.ssa == "Override" and self.server_side_apply and not self.replace and bool(self.migrated_manager)


_Table = Mapping[str, tuple[str, ...]]  # option → the words it takes
_BOTH = tuple(name for name in Effective.__struct_fields__ if name in App.__struct_fields__ and name in Own.__struct_fields__)
_SILENT = Own()


def app(words: Iterable[str]) -> App:
    """Read an app's list.

    Raises:
        Invalid: a word that an option does not take, or options that contradict each other, by path.
    """
    said: dict[str, str] = {}
    problems: dict[str, str] = {}
    for n, word in enumerate(words):
        for name, value in annotations.pairs(word):
            if rule := _fault(name, value, said, _APP):
                problems[f"{APP_PATH}[{n}]"] = rule
            said[name] = value
    if not problems and (rule := _contradiction(said)):
        problems[APP_PATH] = rule
    if problems:
        raise errors.Invalid(problems)
    return msgspec.convert({name: value for name, value in said.items() if name in _APP}, App, strict=False)


def own(manifest: objects.Manifest) -> Own:
    """Read a desired object's annotations.

    Raises:
        BadAnnotation: as Invalid of `app`, with the object and where it stands.
    """
    marks = annotations.of(manifest.body)
    if _ALL.isdisjoint(marks):
        return _SILENT
    said: dict[str, str] = {}
    for annotation, level in _LISTS:
        said |= _said(manifest, annotation, _OBJECT[level])
    for name, annotation in _WORDS.items():
        if annotation in marks:
            said[name] = str(marks[annotation])
            if said[name] not in _SINGLE[name]:
                raise annotations.BadAnnotation(manifest, annotation, f"is {said[name]!r}; use {_or(_SINGLE[name])}")
    if rule := _contradiction(said):
        raise annotations.BadAnnotation(manifest, _WORDS["SSA"], rule)
    manager = annotations.find(marks, "client-side-apply-migration-manager")[1]
    return msgspec.structs.replace(msgspec.convert(said, Own, strict=False), migrated_manager=manager or CLIENT_SIDE_MANAGER)


def seen(marks: Mapping[str, Any]) -> Own:
    """Read a live object's annotations. What means nothing there stops no sync, and counts as no consent to a deletion."""
    if _ALL.isdisjoint(marks):
        return _SILENT
    said: dict[str, str] = {}
    for annotation, level in _LISTS:
        for name, value in _pairs(marks.get(annotation)):
            if value in _OBJECT[level].get(name, ()):
                said[name] = value
            elif name in ("Prune", "Delete") and level == _SYNC:
                said[name] = "false"
    return msgspec.convert(said, Own, strict=False)


@functools.lru_cache(maxsize=1024)  # objects of one fleet say the same few things
def merged(app: App, own: Own) -> Effective:
    """One object's options."""
    said = {name: mine if (mine := getattr(own, name)) is not None else getattr(app, name) for name in _BOTH}
    if own.ssa and own.ssa != "Override" and own.replace is None:
        said["replace"] = False  # it asked to leave others' fields alone; the app's Replace would take them all
    return Effective(
        **said,
        prune_propagation_policy=app.prune_propagation_policy,
        force=own.force is True,
        ignore_extraneous=own.ignore_extraneous is True,
        migrated_manager=own.migrated_manager if app.client_side_apply_migration else "",
    )


def app_warnings(words: Iterable[str]) -> tuple[str, ...]:
    """Options of an app's list that have no effect, each with the way out."""
    names = dict.fromkeys(name for word in words for name, _ in annotations.pairs(word))
    return tuple(f"{APP_PATH}: {_useless(name, _APP)}" for name in names if name not in _APP)


def warnings(manifest: objects.Manifest) -> tuple[str, ...]:
    """The same for an object's annotations."""
    marks = annotations.of(manifest.body)
    place = f"{manifest.position}: " if manifest.position else ""
    return tuple(
        f"{place}{annotation} of {manifest.key}: {_useless(name, _OBJECT[level])}"
        for annotation, level in _LISTS
        for name, _ in _pairs(marks.get(annotation))
        if name not in _OBJECT[level]
    )


def _pairs(text: object) -> Iterator[tuple[str, str]]:
    """As annotations.pairs; IgnoreExtraneous is the one option that is written without a value."""
    for name, value in annotations.pairs(str(text or "")):
        yield name, value or ("true" if name == "IgnoreExtraneous" else "")


def _said(manifest: objects.Manifest, annotation: str, table: _Table) -> dict[str, str]:
    """One annotation's options; a contradiction inside it is a fault, one between two annotations is settled by their order."""
    said: dict[str, str] = {}
    for name, value in _pairs(annotations.of(manifest.body).get(annotation)):
        if rule := _fault(name, value, said, table):
            raise annotations.BadAnnotation(manifest, annotation, rule)
        said[name] = value
    return {name: value for name, value in said.items() if name in table}


def _fault(name: str, value: str, said: Mapping[str, str], table: _Table) -> str:
    allowed = table.get(name)
    if allowed is None:
        return ""
    if value not in allowed:
        return f"says {name}={value}; use {_or(f'{name}={word}' for word in allowed)}"
    if said.get(name, value) != value:
        return f"says both {name}={said[name]} and {name}={value}; keep one of them"
    return ""


def _contradiction(said: Mapping[str, str]) -> str:
    """Options that cannot both be meant. Replace beside ServerSideApply is none: Argo CD lets Replace win, and so do we."""
    policy = said.get("SSA")
    if policy is None:
        return ""
    for name in ("Replace", "Force"):
        if policy != "Override" and said.get(name) == "true":
            return f"says {policy}, which leaves what others wrote alone, beside {name}=true, which does not; keep one of them"
    if said.get("ServerSideApply") == "false":
        return f"says {policy}, which only server-side apply knows, beside ServerSideApply=false; keep one of them"
    return ""


def _useless(name: str, table: _Table) -> str:
    for other, right in _PLACES:
        if name in other and other is not table:
            return f"{name} has no effect here; it belongs into {right}"
    spelled = {known.lower(): known for known in table}
    near = difflib.get_close_matches(name.lower(), spelled, n=1)
    return f"{name} is no option that the plane knows" + (f"; did you mean {spelled[near[0]]}?" if near else ", it has no effect")


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _table(shape: type[App | Own]) -> dict[str, tuple[str, ...]]:
    return {field.encode_name: words for field in msgspec.structs.fields(shape) if (words := _words(field.type))}


def _words(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 what an annotation may be
    if kind is bool:
        return ("true", "false")
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(word for part in get_args(kind) for word in _words(part))


_COMPARED = ("IgnoreExtraneous", "ServerSideDiff", "IncludeMutationWebhook")
_APP = _table(App)
_OWN = _table(Own)
_SINGLE = {name: _OWN.pop(name) for name in _WORDS}
_OBJECT: Mapping[str, _Table] = {
    _SYNC: {name: words for name, words in _OWN.items() if name not in _COMPARED},
    _COMPARE: {name: words for name, words in _OWN.items() if name in _COMPARED},
}
_PLACES = (
    (_OBJECT[_SYNC], f"an object's annotation {annotations.OURS}{_SYNC}"),
    (_OBJECT[_COMPARE], f"an object's annotation {annotations.OURS}{_COMPARE}"),
    (_SINGLE, "an object's annotations " + " and ".join(_WORDS.values())),
    (_APP, f"the app's {APP_PATH}"),
)
