"""Policy sets that lie in Git: read by whoever looks at the repository, in force once they are accepted, and until then as before."""

from collections.abc import Mapping

import msgspec

from plane import ports
from plane.domain import access, errors, tenancy
from plane.domain.auditing import policy_details
from plane.domain.deciding import decide
from plane.domain.judging import bundles, origins, policy, policy_sources, styles
from plane.domain.permitting import projects
from plane.domain.rendering import sources
from plane.server import context, record
from plane.server.delivering import permit
from plane.store import engine
from plane.store.delivering import duties, facts, leases, project_rules, usage
from plane.store.delivering import policy_sources as store
from plane.wire import documents

LATER = (errors.BackendDown, permit.ProjectForbids)  # what another look may find mended, with no commit in between


class Read(msgspec.Struct, frozen=True):
    """A set as a commit has it."""

    files: policy.PolicyFiles
    texts: dict[str, str]
    origin: origins.Origin


class Place(msgspec.Struct, frozen=True):
    """The repository that is looked at, with its project's name and rules."""

    scope: access.Scope
    remote: ports.GitRemote
    refs: Mapping[str, str]
    project: str
    project_id: str
    rules: tenancy.ProjectSpec
    signed: bool  # the tenant takes signed policy sets alone


def sync(plane: context.Plane, scope: access.Scope, leased: leases.Leased, remote: ports.GitRemote, refs: Mapping[str, str]) -> None:
    """Bring the sets that follow the repository to what its refs say."""
    with engine.begin(plane.engine, scope) as tx:
        found = store.following(tx, leased.tenant, project=leased.project, url=tenancy.normal_url(remote.url))
        rules = project_rules.of(tx, leased.tenant, [leased.project])[leased.project] if found else tenancy.ProjectSpec()
        signed = bool(found and usage.above(tx, leased.tenant).policy_keys)
    for one in found:
        if _moved(one, refs):
            _bring(plane, Place(scope, remote, refs, one.source.project, leased.project, rules, signed), one)


def failed(plane: context.Plane, scope: access.Scope, leased: leases.Leased, url: str, problem: decide.Problem) -> None:
    """The repository cannot be read, and so neither can its sets."""
    with engine.begin(plane.engine, scope) as tx:
        for one in store.following(tx, leased.tenant, project=leased.project, url=tenancy.normal_url(url)):
            store.refused(tx, leased.tenant, one, seen="", problem=problem)


def _moved(one: store.Following, refs: Mapping[str, str]) -> bool:
    """Whether its revision means another commit than was looked at; one that is no ref does not move."""
    to = sources.commit_of(refs, one.source.target_revision)
    return not one.seen or (one.seen != to if to else not one.seen.startswith(one.source.target_revision))


def _bring(plane: context.Plane, place: Place, one: store.Following) -> None:
    commit = ""
    try:
        found = _resolved(plane, place, one)
        commit = found.sha
        _accept(plane, place, one, _read(plane, place, one, found))
    except errors.PlaneError as e:
        _refuse(plane, place, one, commit="" if isinstance(e, LATER) else commit, error=e)


def _resolved(plane: context.Plane, place: Place, one: store.Following) -> ports.Commit:
    """From the mirror; a worker that has not fetched yet fetches once. Only what the project takes from there, signed as it wants it."""
    if why := projects.source(place.rules, one.source.repo_url, name=place.project):
        raise permit.ProjectForbids(f"repository {one.source.repo_url} {why}")
    try:
        commit = plane.git.resolve(place.remote, one.source.target_revision)
    except errors.SourceRefused:
        plane.git.fetch(place.remote)
        commit = plane.git.resolve(place.remote, one.source.target_revision)
    if place.rules.signature_keys:
        permit.check_commit(plane, place.remote, commit, rules=place.rules, project=place.project)
    elif place.signed:
        why = f"the tenant has policyKeys and project {place.project} no signatureKeys, so nobody says whose commits count; add them to it"
        raise permit.ProjectForbids(why)
    return commit


def _read(plane: context.Plane, place: Place, one: store.Following, commit: ports.Commit) -> Read:
    """SourceRefused, PolicyInvalid: what the commit has is no policy set that may be in force."""
    tree = plane.git.tree(place.remote, commit.sha)
    folder = "" if one.source.path.strip("/") in {"", "."} else f"{one.source.path.strip('/')}/"
    below = {file.path.removeprefix(folder): file for file in tree.files(one.source.path)}
    names = policy_sources.members(below, one.spec.style)
    if problem := _problem(one, {name: below[name].size_bytes for name in names}):
        raise errors.SourceRefused(f"{one.source.path}: {problem}")
    contents = tree.read(below[name] for name in names)
    texts = {name: _text(name, contents[below[name].path]) for name in names}
    files = policy.policy_files(one.name, texts, one.spec.style)
    plane.policies.check(files, policy.tests(texts))
    signed = f"project/{place.project}" if place.rules.signature_keys else ""
    return Read(files, texts, origins.Origin("git", revision=commit.sha, signed_by=signed))


def _problem(one: store.Following, sizes: dict[str, int]) -> str:
    if not sizes:
        return f"holds no file of a policy set ({styles.ENDINGS[one.spec.style.kind]})"
    if len(sizes) > policy_sources.MAX_FILES or sum(sizes.values()) > documents.MAX_POLICY_BYTES:
        return f"holds more than {policy_sources.MAX_FILES:,} files or {documents.MAX_POLICY_BYTES:,} bytes; split the set"
    return next((f"{name}: {bad}" for name in sizes if (bad := styles.file_problem(one.spec.style, name))), "")


def _text(name: str, body: bytes) -> str:
    found = bundles.text(body)
    if found is None:
        raise errors.SourceRefused(f"{name} {bundles.NO_TEXT}")
    return found


def _accept(plane: context.Plane, place: Place, one: store.Following, read: Read) -> None:
    """In one transaction the files, the event, and that everything they concern is judged again; nothing when the set changed meanwhile."""
    tenant, now = place.scope.tenant, plane.clock.now()
    changed = read.files.digest != one.digest
    values = {"seen": read.origin.revision, "origin": msgspec.to_builtins(read.origin)}
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
            _tell(plane, tx, place, one, "policy.source.accepted", commit=read.origin.revision, details=told)


def _refuse(plane: context.Plane, place: Place, one: store.Following, *, commit: str, error: errors.PlaneError) -> None:
    same = one.problem is not None and one.problem.sentence == str(error)
    problem = one.problem if one.problem and same else decide.Problem(error.code, str(error), facts.stamp(plane.clock.now()))
    with engine.begin(plane.engine, place.scope) as tx:
        if not store.hold(tx, place.scope.tenant, one):
            return
        store.refused(tx, place.scope.tenant, one, seen=commit, problem=problem)
        if not same or one.seen != commit:
            _tell(plane, tx, place, one, "policy.source.refused", commit=commit, outcome="failure", message=str(error))


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
