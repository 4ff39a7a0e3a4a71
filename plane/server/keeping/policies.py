"""Policy sets: a tenant's own, and the platform's, which hold for everybody; compiled by the engine before they are kept."""

import msgspec

from plane.domain import errors, tenancy
from plane.domain.judging import metadata, origins, policy, styles
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.server.keeping import policy_bundles, policy_sources, repositories
from plane.store import documents as rows
from plane.store import engine
from plane.store.delivering import duties, policies
from plane.store.delivering import policy_sources as policy_rows
from plane.store.delivering import repositories as repositories_store
from plane.wire import documents


def read(row: rows.Row, names: authorise.Names) -> documents.PolicySet:
    """From a row; a list's rows have no files."""
    return documents.PolicySet(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=msgspec.convert(row.spec, tenancy.PolicySetSpec),
        files=getattr(row, "files", {}),
        status=documents.PolicySetStatus(
            **generic.common(row),
            digest=row.digest,
            origin=row.origin and msgspec.convert(row.origin, origins.Origin),
            commit=row.seen,
            problem=repositories.problem(row.problem),
        ),
    )


def _columns(change: generic.Change) -> generic.Columns:
    wish, found = change.wish, policy_bundles.brought(change)
    files, style, source = found.files, wish.spec.style, wish.spec.source
    where = policy_sources.tied(change, source) if source else policy_sources.NOWHERE
    if source and not files:
        return {"spec": generic.plain(wish.spec), "files": {}, "digest": "", "origin": None, **where}
    problems = styles.problems(style) | {f"files.{name}": bad for name in files if (bad := styles.file_problem(style, name))}
    if not files:
        problems["files"] = f"a policy set needs at least one file ({styles.ENDINGS[style.kind]})"
    if sum(map(len, files.values())) > documents.MAX_POLICY_BYTES:
        problems["files"] = f"together more than {documents.MAX_POLICY_BYTES:,} characters; split the set"
    if problems:
        raise errors.Invalid(problems)
    compiled = policy.policy_files(wish.metadata.name, files, style)
    new = change.before is None or change.before.digest != compiled.digest
    if new:
        policy_bundles.check_signed(change, found)
    if new or (change.before and change.before.files != files):
        change.plane.policies.check(compiled, policy.tests(files))
        metadata.require(compiled)
    columns = {"spec": generic.plain(wish.spec), "files": dict(files), "digest": compiled.digest, **where}
    return columns | ({"origin": found.origin and generic.plain(found.origin)} if new or found.origin else {})


def _release(change: generic.Change) -> None:
    policies.remove_set(change.place.tx, change.place.scope.tenant, change.place.names.name)
    _check_unbound(policies.binders(change.place.tx, change.place.scope.tenant, change.place.names.name), change)
    _settle(change)


def _release_everywhere(change: generic.Change) -> None:
    policies.remove_set(change.place.tx, policies.NIL, change.place.names.name)
    with engine.dispatch(change.plane.engine) as tx:
        bound = policies.binders(tx, policies.NIL, change.place.names.name)
    _check_unbound(bound, change)


def _check_unbound(bound: int, change: generic.Change) -> None:
    """A binding whose set is gone would deny everything."""
    if bound:
        named = f"{bound} policy binding{'s' if bound > 1 else ''}"
        raise errors.Conflict(f"policy {change.place.names.name!r} is still named by {named}; delete or change them first")


def _settle(change: generic.Change) -> None:
    """What was judged before is judged again."""
    duties.all_of_tenant(change.place.tx, change.place.scope.tenant, change.plane.clock.now())


def _everywhere(change: generic.Change) -> None:
    with engine.dispatch(change.plane.engine) as tx:
        duties.everywhere(tx, change.plane.clock.now())


def _public(wish: documents.PolicySet) -> documents.PolicySet:
    """The audit log keeps the rules themselves: an auditor asks what was in force."""
    return msgspec.structs.replace(wish, status=None)


def refresh(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.PolicySet:
    """Look at the repository now, also at a commit that was refused; Conflict for a set that lies in none."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant, "", names.name), KIND.may("update")) as place:
        row = generic.existing(KIND, place, lock=True)
        if not row.source_url:
            raise errors.Conflict(f"policy {names.name!r} has no spec.source; there is no repository to look at")
        policy_rows.look_again(place.tx, place.scope.tenant, row.id)
        repository = repositories_store.by_url(place.tx, place.scope.tenant, row.project_id, row.source_url)
        if repository:
            repositories_store.look_now(place.tx, place.scope.tenant, repository, plane.clock.now())
        record.append(plane, place.tx, place.scope, "policy.refresh.asked", target=f"policy/{names.name}")
        return place.done(read(generic.existing(KIND, place), names))


KIND = generic.Kind(
    type=documents.PolicySet,
    noun="policy",
    plural="policies",
    level=1,
    shelf=rows.POLICY_SETS,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
    public=_public,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0, settle=generic.nothing_more, release=_release_everywhere, afterwards=_everywhere)
