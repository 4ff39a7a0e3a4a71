"""Policy sets that lie elsewhere: read by whoever looks at the repository, in force once accepted, and until then as before."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from plane.domain import access, errors, tenancy, trust
from plane.domain.auditing import policy_details
from plane.domain.deciding import decide
from plane.domain.judging import bundles, metadata, origins, policy, policy_sources, styles
from plane.domain.rendering import sources
from plane.server import context, record
from plane.server.delivering import permit
from plane.store import engine
from plane.store.delivering import duties, facts, leases, project_rules, usage
from plane.store.delivering import policy_sources as store
from plane.wire import documents

LATER = (errors.BackendDown, permit.ProjectForbids)  # what another look may find mended, with nothing new in between


class Read(msgspec.Struct, frozen=True):
    """A set as its source has it."""

    files: policy.PolicyFiles
    texts: dict[str, str]
    origin: origins.Origin


class Place(msgspec.Struct, frozen=True):
    """Where the look is made, with the project's name and rules. `keys`: none means that unsigned policy sets are taken."""

    scope: access.Scope
    project: str
    project_id: str
    rules: tenancy.ProjectSpec
    keys: tuple[trust.Key, ...]


class Source(Protocol):
    """A repository during one look. `refs`: what revisions are now, as a remote says it."""

    refs: Mapping[str, str]

    def found(self, place: Place, one: store.Following) -> str:
        """The commit, or the artifact's digest, that the set's revision is; ProjectForbids, SourceRefused, BackendDown."""
        ...

    def read(self, place: Place, one: store.Following, at: str) -> Read:
        """What is there, accepted; raises besides: PolicyInvalid, Invalid."""
        ...


def sync(plane: context.Plane, scope: access.Scope, leased: leases.Leased, url: str, source: Source) -> None:
    """Bring the sets that follow the repository to what it says now."""
    with engine.begin(plane.engine, scope) as tx:
        found = store.following(tx, leased.tenant, project=leased.project, url=tenancy.normal_url(url))
        rules = project_rules.of(tx, leased.tenant, [leased.project])[leased.project] if found else tenancy.ProjectSpec()
        keys = usage.above(tx, leased.tenant).policy_keys if found else ()
    for one in found:
        if _moved(one, source.refs):
            _bring(plane, Place(scope, one.source.project, leased.project, rules, keys), source, one)


def revisions(plane: context.Plane, scope: access.Scope, leased: leases.Leased, url: str) -> tuple[str, ...]:
    """What the sets of a repository follow, each once."""
    with engine.begin(plane.engine, scope) as tx:
        found = store.following(tx, leased.tenant, project=leased.project, url=tenancy.normal_url(url))
    return tuple(dict.fromkeys(one.source.target_revision for one in found))


def accepted(plane: context.Plane, one: store.Following, texts: dict[str, str]) -> policy.PolicyFiles:
    """The set of these texts; PolicyInvalid: it may not be in force."""
    files = policy.policy_files(one.name, texts, one.spec.style)
    plane.policies.check(files, policy.tests(texts))
    metadata.require(files)
    return files


def problem_of(one: store.Following, sizes: dict[str, int]) -> str:
    """Why files of these names and sizes are no set, or the empty string."""
    if not sizes:
        return f"holds no file of a policy set ({styles.ENDINGS[one.spec.style.kind]})"
    if len(sizes) > policy_sources.MAX_FILES or sum(sizes.values()) > documents.MAX_POLICY_BYTES:
        return f"holds more than {policy_sources.MAX_FILES:,} files or {documents.MAX_POLICY_BYTES:,} bytes; split the set"
    return next((f"{name}: {bad}" for name in sizes if (bad := styles.file_problem(one.spec.style, name))), "")


def text(name: str, body: bytes) -> str:
    """Of a file; SourceRefused."""
    found = bundles.text(body)
    if found is None:
        raise errors.SourceRefused(f"{name} {bundles.NO_TEXT}")
    return found


def failed(plane: context.Plane, scope: access.Scope, leased: leases.Leased, url: str, problem: decide.Problem) -> None:
    """The repository cannot be read, and so neither can its sets."""
    with engine.begin(plane.engine, scope) as tx:
        for one in store.following(tx, leased.tenant, project=leased.project, url=tenancy.normal_url(url)):
            store.refused(tx, leased.tenant, one, seen="", problem=problem)


def _moved(one: store.Following, refs: Mapping[str, str]) -> bool:
    """Whether its revision means something else than was looked at; one that is no ref does not move."""
    to = sources.commit_of(refs, one.source.target_revision)
    return not one.seen or (one.seen != to if to else not one.seen.startswith(one.source.target_revision))


def _bring(plane: context.Plane, place: Place, source: Source, one: store.Following) -> None:
    at = ""
    try:
        at = source.found(place, one)
        _accept(plane, place, one, source.read(place, one, at))
    except errors.PlaneError as e:
        _refuse(plane, place, one, at="" if isinstance(e, LATER) else at, error=e)


def _accept(plane: context.Plane, place: Place, one: store.Following, read: Read) -> None:
    """In one transaction the files, the event, and that everything they concern is judged again; nothing when the set changed meanwhile."""
    tenant, now = place.scope.tenant, plane.clock.now()
    changed = read.files.digest != one.digest
    values = {"seen": read.origin.at(), "origin": msgspec.to_builtins(read.origin)}
    if changed:
        values |= {"files": read.texts, "digest": read.files.digest}
    with engine.begin(plane.engine, place.scope) as tx:
        if not store.hold(tx, tenant, one):
            return
        store.accepted(tx, tenant, one, values=values, now=now if changed else None)
        if changed:
            duties.all_of_tenant(tx, tenant, now)
        if changed or one.problem:
            told = policy_details.Sourced(before=one.digest, after=read.files.digest, files=read.texts if changed else {})
            _tell(plane, tx, place, one, "policy.source.accepted", commit=read.origin.at(), details=told)


def _refuse(plane: context.Plane, place: Place, one: store.Following, *, at: str, error: errors.PlaneError) -> None:
    same = one.problem is not None and one.problem.sentence == str(error)
    problem = one.problem if one.problem and same else decide.Problem(error.code, str(error), facts.stamp(plane.clock.now()))
    with engine.begin(plane.engine, place.scope) as tx:
        if not store.hold(tx, place.scope.tenant, one):
            return
        store.refused(tx, place.scope.tenant, one, seen=at, problem=problem)
        if not same or one.seen != at:
            _tell(plane, tx, place, one, "policy.source.refused", commit=at, outcome="failure", message=str(error))


def _tell(plane: context.Plane, tx: engine.Tx, place: Place, one: store.Following, kind: str, **told: object) -> None:
    record.append(
        plane,
        tx,
        place.scope,
        kind,
        target=f"policy/{one.name}",
        project_id=place.project_id,
        project=place.project,
        **told,  # type: ignore[arg-type]
    )
