"""Policy bindings: which policies hold where. The platform's hold for everybody, and inner ones only tighten."""

import msgspec

from plane.domain import errors
from plane.domain.judging import policy_bindings
from plane.server import authorise
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store import engine
from plane.store.delivering import duties, policies
from plane.wire import documents

MOST = 200  # at one place: all of them are looked at for each app


def _read(row: rows.Row, names: authorise.Names, level: int) -> documents.PolicyBinding:
    return documents.PolicyBinding(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=level),
        spec=msgspec.convert(row.spec, policy_bindings.BindingSpec),
        status=documents.Status(**generic.common(row)),
    )


def read(row: rows.Row, names: authorise.Names) -> documents.PolicyBinding:
    """From a row, wherever it belongs."""
    return _read(row, names, 2 if row.project_id else 1)


def _columns(change: generic.Change) -> generic.Columns:
    spec: policy_bindings.BindingSpec = change.wish.spec
    problems = policy_bindings.problems(spec)
    if not problems and not _bound_set(change, spec.policy_set):
        whose = "the platform has" if _above(change, spec.policy_set) else "there is"
        problems["spec.policySet"] = f"{whose} no policy set {spec.policy_set!r}; a tenant names one of the platform's as platform/NAME"
    if spec.projects and change.place.project:
        problems["spec.projects"] = "says nothing here, where the binding belongs to a project; remove it"
    if not problems and change.before is None and _many(change):
        problems["spec"] = f"there are {MOST} bindings here, the most there may be; let one name more than one project"
    if problems:
        raise errors.Invalid(problems)
    return {"spec": generic.plain(spec), "policy_set": spec.policy_set}


def _bound_set(change: generic.Change, name: str) -> rows.Row | None:
    """The set's row, which stays until this is done: of the platform, or of the tenant that the binding belongs to."""
    platform = _above(change, name)
    tenant, own = policies.NIL if platform else change.place.scope.tenant, name.removeprefix(policies.PLATFORM) if platform else name
    policies.name_set(change.place.tx, tenant, own)
    return rows.find(change.place.tx, rows.POLICY_SETS, {"tenant_id": tenant}, own)


def _above(change: generic.Change, name: str) -> bool:
    """Whether a tenant's binding names one of the platform's sets."""
    return bool(change.place.names.tenant) and name.startswith(policies.PLATFORM)


def _many(change: generic.Change) -> bool:
    here = {"tenant_id": change.place.scope.tenant, "project_id": change.place.project or None}
    return rows.count(change.place.tx, policies.BINDINGS, here) >= MOST


def _settle(change: generic.Change) -> None:
    """What was judged before is judged again."""
    place, now = change.place, change.plane.clock.now()
    if place.project:
        duties.all_of_project(place.tx, place.scope.tenant, place.project, now)
    else:
        duties.all_of_tenant(place.tx, place.scope.tenant, now)


def _everywhere(change: generic.Change) -> None:
    with engine.dispatch(change.plane.engine) as tx:
        duties.everywhere(tx, change.plane.clock.now())


KIND = generic.Kind(
    type=documents.PolicyBinding,
    noun="policybinding",
    plural="policybindings",
    resource="policy",
    level=1,
    shelf=policies.BINDING_SHELF,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_settle,
    above=True,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0, settle=generic.nothing_more, release=generic.nothing_more, afterwards=_everywhere)
PROJECT_KIND = msgspec.structs.replace(KIND, level=2, above=False)
