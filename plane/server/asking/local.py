"""Sync and diff with files from somebody's disk: rendered, opened and judged exactly as if they had come from Git."""

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from plane import ports
from plane.domain import access, errors
from plane.domain import apps as domain
from plane.domain.auditing import details
from plane.domain.deciding import decide
from plane.domain.judging import policy
from plane.domain.planning import terms
from plane.server import authorise, context
from plane.server import documents as generic
from plane.server.asking import diffs, orders, questions
from plane.server.delivering import beside, deliver, prepare
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store.delivering import releases
from plane.store.showing import apps as store
from plane.wire import local, rest


class Folder(msgspec.Struct, frozen=True):
    """ports.Tree of files in memory, by path."""

    contents: Mapping[str, bytes]

    def files(self, folder: str) -> Sequence[ports.File]:
        """Below the folder, sorted; SourceRefused when there is none."""
        prefix = "" if folder == "." else f"{folder.rstrip('/')}/"
        found = [_file(path, content) for path, content in sorted(self.contents.items()) if path.startswith(prefix)]
        if not found:
            message = f"there is no folder {folder} among the files that were sent; only the app's own path is"
            raise errors.SourceRefused(message)
        return found

    def read(self, files: Iterable[ports.File]) -> Mapping[str, bytes]:
        """Contents by path."""
        return {file.path: self.contents[file.path] for file in files}


def _file(path: str, content: bytes) -> ports.File:
    return ports.File(path, hashlib.sha256(content).hexdigest(), len(content))


def sync(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: local.LocalSync) -> rest.Operation:
    """Ask for a sync to these files.

    Raises:
        Conflict: the app syncs by itself, or another request waits. PolicyRefused and what rendering raises.
    """
    if body.plan:
        raise errors.Invalid({"plan": "is of what Git wants, and files take its place; leave one of them out"})
    scope, _ = authorise.scope(plane, caller, names, "app:override")
    wish = terms.Terms(body.resources, body.labels, body.strategy, body.sync_options)
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = orders.free(place)
        orders.check_wish(place, row, wish)
        _check_by_hand(names.name, orders.spec_of(row))
    made = _made(plane, scope, row, body)
    refusal = decide.refused(orders.spec_of(row), decide.Wanted(made.digest, made.commit, made.verdict, made.objects))
    if refusal and not made.verdict.allowed():
        raise policy.PolicyRefused(made.verdict)
    if refusal:
        raise errors.Conflict(refusal.sentence)
    request = decide.Request(
        caller.actor.name, prune=body.prune, dry_run=body.dry_run, force=body.force, terms=wish,
        revision=made.commit, digest=made.digest, commit=made.commit,
    )  # fmt: skip
    with authorise.enter(plane, caller, names, "app:override") as place:
        row = orders.free(place)
        request = msgspec.structs.replace(request, **orders.whose(place))
        releases.add(place.tx, place.scope.tenant, [made])
        store.ask(place.tx, place.scope.tenant, row.id, {"request": msgspec.to_builtins(request)}, plane.clock.now())
        plain = msgspec.to_builtins(msgspec.structs.replace(body, files={}, sources={}))
        sources = {word: _digests(files) for word, files in body.sources.items()}
        told = msgspec.convert(plain | {"files": _digests(body.files), "sources": sources}, details.Asked)
        apps.note(plane, place, "app.local-sync.asked", release=made.digest, commit=made.commit, told=told)
        return place.done(orders.operation(names, "sync", row), status=202)


Release = tuple[str, str]  # digest and commit


def ask_diff(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: local.LocalDiff
) -> tuple[questions.Asked, Release]:
    """Put the files beside what lives: the app's agent is asked what an apply of them would change. Raises as `sync`, for any app."""
    scope, _ = authorise.scope(plane, caller, names, "app:sync")
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
    made = _made(plane, scope, row, body)
    with authorise.enter(plane, caller, names, "app:sync") as place:
        releases.add(place.tx, place.scope.tenant, [made])
        release = (made.digest, made.commit)
        return diffs.put(plane, place, generic.existing(apps.KIND, place), release, ignored=body.ignored), release


Body = local.LocalSync | local.LocalDiff


def _made(plane: context.Plane, scope: access.Scope, row: rows.Row, body: Body) -> releases.New:
    """The release of the files; nothing is written yet."""
    system = access.Scope(scope.tenant, access.SYSTEM)
    [app], shared = deliver.load(plane, system, [row.id])
    sources = app.spec.all_sources()
    texts = [text for files in (body.files, *body.sources.values()) for text in files.values()]
    total = sum(map(len, texts))
    if total > local.MOST_BYTES:
        raise errors.Invalid({"files": f"are {total} bytes together; at most {local.MOST_BYTES} are taken"})
    trees = {number: Folder(_placed(at, files, sources[number])) for at, number, files in _given(row.name, body, sources)}
    commit = ports.Commit(f"local by {scope.actor.name}", author=scope.actor.name, subject=f"{len(texts)} local files")
    try:
        draft = prepare.of_trees(plane, app, shared, commit=commit, trees=trees)
    finally:
        deliver.charge(plane, system, shared)
    [known] = beside.of(plane, system, [beside.Subject(app, draft.manifests, draft.base.reads)])
    return prepare.judged(plane, app, shared, draft, known)


def _given(name: str, body: Body, sources: Sequence[domain.Source]) -> Iterator[tuple[str, int, Mapping[str, bytes]]]:
    """Field, number of the source, and its files.

    Raises:
        Invalid: nothing, or a source that is not there, or that is meant twice.
    """
    if bool(body.files) == bool(body.sources):
        raise errors.Invalid({"files": "say which files: of an app of one source here, of one of several under `sources`"})
    if body.files:
        if len(sources) > 1:
            raise errors.Invalid({"files": f"app {name!r} has {len(sources)} sources; say whose place they take: {_known(sources)}"})
        yield "files", 0, body.files
    numbers = {source.ref: n for n, source in enumerate(sources) if source.ref} | {str(n + 1): n for n in range(len(sources))}
    seen = set[int]()
    for word, files in body.sources.items():
        number = numbers.get(word)
        if number is None or number in seen or not files:
            broken = "is no source" if number is None else "is given twice" if number in seen else "holds no file"
            raise errors.Invalid({f"sources[{word!r}]": f"{broken}; app {name!r} has {_known(sources)}"})
        seen.add(number)
        yield f"sources[{word!r}]", number, files


def _known(sources: Sequence[domain.Source]) -> str:
    return ", ".join(f"{n} (ref {one.ref})" if one.ref else str(n) for n, one in enumerate(sources, start=1))


def _placed(at: str, files: Mapping[str, bytes], source: domain.Source) -> dict[str, bytes]:
    """The files where the source has its own."""
    if problems := {f"{at}[{path!r}]": rule for path in files if (rule := _fault(path))}:
        raise errors.Invalid(problems)
    return {posixpath.normpath(posixpath.join(source.path, path)): content for path, content in files.items()}


def _fault(path: str) -> str:
    parts = path.split("/")
    clean = path.isprintable() and not path.startswith("/") and not {"", ".", "..", ".git"} & set(parts)
    return "" if clean else "must be a file below the app's path: relative, without `..`"


def _check_by_hand(name: str, spec: domain.AppSpec) -> None:
    if spec.automated():
        message = f"app {name!r} syncs by itself and would undo a sync of local files; switch syncPolicy.automated off first"
        raise errors.Conflict(message)


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: f"sha256:{hashlib.sha256(text).hexdigest()}" for path, text in files.items()}
