"""Step 2 of the flow: every source of an app at its commit, from the mirrors; and which paths of which source the app is made from."""

from collections.abc import Iterable, Mapping

import msgspec

from plane import ports
from plane.domain import apps, errors, tenancy
from plane.domain.rendering import refs
from plane.server import context, keys
from plane.server.delivering import laid
from plane.store.delivering import facts

Known = dict[tuple[str, str], "Source"]  # by repository id and revision; lives as long as a batch


class Source(msgspec.Struct, frozen=True):
    """A resolved revision and its files."""

    commit: ports.Commit
    tree: ports.Tree


def all_of(
    plane: context.Plane, app: facts.App, held: keys.Keys, known: Known, *, instead: Mapping[int, Source] | None = None
) -> tuple[Source, ...]:
    """One per source of the app, in their order; a chart's tree shows the files of the refs that its values name.

    `instead`: what takes the place of Git's, by number.

    Raises:
        SourceRefused, BackendDown: a repository is not registered or failed, a revision is unknown.
    """
    sources = app.spec.all_sources()
    given = instead or {}
    found = [given[number] if number in given else _resolve(plane, app, held, known, number) for number in range(len(sources))]
    lent = {source.ref: at.tree for source, at in zip(sources, found, strict=True) if source.ref}
    return tuple(
        msgspec.structs.replace(at, tree=laid.Laid(at.tree, {ref: lent[ref] for ref in refs.used(source)})) if refs.used(source) else at
        for source, at in zip(sources, found, strict=True)
    )


def roots(sources: tuple[apps.Source, ...], read: Mapping[int, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """The paths that the app is made from, per source. `read`: what the render of each source can read, by its number."""
    numbers = {source.ref: number for number, source in enumerate(sources) if source.ref}
    found: list[set[str]] = [set() for _ in sources]
    for number, paths in read.items():
        own, lent = refs.split(frozenset(paths))
        found[number].update(own)
        for ref, names in lent.items():
            found[numbers[ref]].update(names)
    return tuple(tuple(sorted(paths)) for paths in found)


def _resolve(plane: context.Plane, app: facts.App, held: keys.Keys, known: Known, number: int) -> Source:
    source, repository = app.spec.all_sources()[number], app.repositories.get(number)
    if repository is None:
        message = f"repository {source.repo_url} is not registered in project {app.project}; add it with `plane repo create`"
        raise errors.SourceRefused(message)
    if tenancy.normal_url(source.repo_url) != tenancy.normal_url(repository.url):
        message = f"repository {repository.url} is no longer the one that the app names, {source.repo_url}; refresh the app"
        raise errors.SourceRefused(message)
    if repository.problem:
        raise errors.SourceRefused(repository.problem.sentence)
    place = (repository.id, source.target_revision)
    if place not in known:
        remote = keys.remote(repository, held)
        commit = _commit(plane, remote, source.target_revision)
        known[place] = Source(commit, plane.git.tree(remote, commit.sha))
    return known[place]


def _commit(plane: context.Plane, remote: ports.GitRemote, revision: str) -> ports.Commit:
    """From the mirror; a worker that has not fetched yet fetches once."""
    try:
        return plane.git.resolve(remote, revision)
    except errors.SourceRefused:
        plane.git.fetch(remote)
        return plane.git.resolve(remote, revision)
