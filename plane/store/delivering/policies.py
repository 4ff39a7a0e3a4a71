"""Which policies may hold for a tenant's apps, and the exceptions from them."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from plane.domain.judging import policy, policy_bindings, styles, waivers
from plane.store import documents
from plane.store.delivering import policy_sources
from plane.store.engine import Row, Tx
from plane.store.layout import columns, policy_tables, tables

SETS, BINDINGS, WAIVERS = tables.policy_sets, policy_tables.policy_bindings, policy_tables.waivers
NIL = tables.NIL
_WAIVER_ROWS = sa.select(WAIVERS, (WAIVERS.c.ends_at <= sa.func.now()).label("over"))
BINDING_SHELF, WAIVER_SHELF = documents.plain(BINDINGS), documents.Shelf(WAIVERS, _WAIVER_ROWS, _WAIVER_ROWS)
PLATFORM = "platform/"  # before the name of a set that is the platform's


class Standing(msgspec.Struct, frozen=True):
    """All that is bound, the platform's first, then the tenant's; `projects` and `given`, the waivers, by the project's id.

    `dangling`: sentences on bindings to sets that are not there.
    """

    everywhere: tuple[policy_bindings.Held, ...] = ()
    projects: dict[str, tuple[policy_bindings.Held, ...]] = {}
    given: dict[str, tuple[waivers.Waiver, ...]] = {}
    dangling: tuple[str, ...] = ()

    def of(self, project: str) -> tuple[policy_bindings.Held, ...]:
        """What may hold for a project's apps."""
        return (*self.everywhere, *self.projects.get(project, ()))


def load(tx: Tx, tenant: str, *, named: str, projects: Mapping[str, str]) -> Standing:
    """For the apps of some projects. `named`: the tenant's name; `projects`: id → name."""
    found = tx.execute(_SETS, {"tenant": tenant}).all()
    sets = {_set_name(row): _set(row, named) for row in found if row.digest}
    unread = {_set_name(row): f"which holds nothing: {policy_sources.sentence(row)}" for row in found if not row.digest}
    dangling = [policy_sources.sentence(row) for row in found if not row.digest and row.spec.get("mode", "deny") != "off"]
    everywhere, inner = list(sets.values()), dict[str, tuple[policy_bindings.Held, ...]]()
    for row in tx.execute(_BINDINGS, {"tenant": tenant, "projects": list(projects)}):
        spec = msgspec.convert(row.spec, policy_bindings.BindingSpec)
        level = "platform" if row.tenant_id == tables.NIL else f"{named}/{projects[row.project_id]}" if row.project_id else named
        name, bound = f"{level}/{row.name}", sets.get(set_name(spec, platform=row.tenant_id == tables.NIL))
        if bound is None:
            why = unread.get(set_name(spec, platform=row.tenant_id == tables.NIL), "which is not there")
            dangling.append(f"binding {name} names the policy set {spec.policy_set}, {why}")
            continue
        held = policy_bindings.Held(policy_bindings.bound(spec, bound.binding, name=name), spec)
        if row.project_id:
            inner[row.project_id] = (*inner.get(row.project_id, ()), held)
        else:
            everywhere.append(held)
    return Standing(tuple(everywhere), inner, _waivers(tx, tenant, projects), tuple(dangling))


def set_name(spec: policy_bindings.BindingSpec, *, platform: bool) -> str:
    """The set that a binding means: the platform's own bindings know no other sets."""
    return f"{PLATFORM}{spec.policy_set}" if platform else spec.policy_set


def binders(tx: Tx, tenant: str, name: str) -> int:
    """How many bindings name a tenant's set, or, in a dispatch transaction, one of the platform's."""
    said = BINDINGS.c.policy_set
    if tenant == tables.NIL:
        where = sa.or_(sa.and_(BINDINGS.c.tenant_id == tenant, said == name), said == f"{PLATFORM}{name}")
    else:
        where = sa.and_(BINDINGS.c.tenant_id == tenant, said == name)
    return int(tx.execute(sa.select(sa.func.count()).select_from(BINDINGS).where(where)).scalar_one())


def name_set(tx: Tx, tenant: str, name: str) -> None:
    """Who names a set from now on waits for who is removing it, and the other way round; until the transaction ends.

    A lock on the row would do for a tenant's own; those of the platform it may not lock.
    """
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_naming(tenant, name))))


def remove_set(tx: Tx, tenant: str, name: str) -> None:
    """Wait for all who are naming it."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_naming(tenant, name))))


def _naming(tenant: str, name: str) -> sa.ColumnElement[int]:
    return sa.func.hashtextextended(f"policy set {tenant}/{name}", 0)


def used(tx: Tx, tenant: str, uses: Iterable[tuple[str, str]], now: dt.datetime) -> None:
    """Count what changed a verdict: (project's id, waiver's name), once for each release."""
    for project, name in uses:
        at = (WAIVERS.c.tenant_id == tenant, WAIVERS.c.project_id == project, WAIVERS.c.name == name)
        tx.execute(sa.update(WAIVERS).where(*at).values(uses=WAIVERS.c.uses + 1, used_at=now))


class Ending(msgspec.Struct, frozen=True):
    """A waiver whose end is near. `reminded`: when somebody was last told."""

    id: str
    project_id: str
    project: str
    waiver: waivers.Waiver
    reminded: dt.datetime | None


def ending(tx: Tx, tenant: str, *, before: dt.datetime) -> tuple[Ending, ...]:
    """Those that end by then and count until then, at most a page of them."""
    return tuple(
        Ending(row.id, row.project_id, row.project, waiver(row, project=row.project), row.reminded_at)
        for row in tx.execute(_ENDING, {"tenant": tenant, "before": before})
    )


def reminded(tx: Tx, tenant: str, ids: Sequence[str], now: dt.datetime) -> None:
    """Remember that somebody was told."""
    tx.execute(sa.update(WAIVERS).where(WAIVERS.c.tenant_id == tenant, WAIVERS.c.id.in_(ids)).values(reminded_at=now))


def waiver(row: Row, *, project: str) -> waivers.Waiver:
    """From a row, with the name of its project."""
    return waivers.Waiver(
        name=f"{project}/{row.name}",
        spec=msgspec.convert(row.spec, waivers.WaiverSpec),
        requested_by=row.requested_by,
        approved_by=row.approved_by,
        revoked_by=row.revoked_by,
    )


def _waivers(tx: Tx, tenant: str, projects: Mapping[str, str]) -> dict[str, tuple[waivers.Waiver, ...]]:
    found: dict[str, tuple[waivers.Waiver, ...]] = {}
    for row in tx.execute(_WAIVERS, {"tenant": tenant, "projects": list(projects)}):
        found[row.project_id] = (*found.get(row.project_id, ()), waiver(row, project=projects[row.project_id]))
    return found


def _set_name(row: Row) -> str:
    return f"{PLATFORM}{row.name}" if row.tenant_id == tables.NIL else row.name


def _set(row: Row, tenant: str) -> policy_bindings.Held:
    """A set is in force by itself, under its own modes; `off` leaves that to bindings."""
    style = msgspec.convert(row.spec.get("style", {}), styles.Style)
    files = policy.PolicyFiles(_set_name(row), row.digest, policy.untested(row.files), style)
    by = _set_name(row) if row.tenant_id == tables.NIL else f"{tenant}/{row.name}"
    own = (row.spec.get("mode", "deny"), row.spec.get("rules", {}), row.spec.get("parameters", {}))
    return policy_bindings.Held(policy.Binding(files, *own, name=by))


_SETS = (
    sa.select(SETS.c.tenant_id, SETS.c.name, SETS.c.digest, SETS.c.files, SETS.c.spec, SETS.c.seen, SETS.c.problem, SETS.c.origin)
    .where(SETS.c.tenant_id.in_([sa.bindparam("tenant"), tables.NIL]))
    .order_by(SETS.c.tenant_id != tables.NIL, SETS.c.name)
)
_BINDINGS = (
    sa.select(BINDINGS.c.tenant_id, BINDINGS.c.project_id, BINDINGS.c.name, BINDINGS.c.spec)
    .where(
        BINDINGS.c.tenant_id.in_([sa.bindparam("tenant"), tables.NIL]),
        sa.or_(BINDINGS.c.project_id.is_(None), columns.among(BINDINGS.c.project_id, "projects")),
    )
    .order_by(BINDINGS.c.tenant_id != tables.NIL, BINDINGS.c.project_id.is_not(None), BINDINGS.c.name)
)
_WAIVERS = (
    sa.select(WAIVERS)
    .where(
        WAIVERS.c.tenant_id == sa.bindparam("tenant"),
        columns.among(WAIVERS.c.project_id, "projects"),
        WAIVERS.c.revoked_by == "",
        WAIVERS.c.ends_at > sa.func.now(),
    )
    .order_by(WAIVERS.c.name)
)
_ENDING = (
    sa.select(WAIVERS, tables.projects.c.name.label("project"))
    .select_from(
        WAIVERS.join(
            tables.projects, sa.and_(tables.projects.c.tenant_id == WAIVERS.c.tenant_id, tables.projects.c.id == WAIVERS.c.project_id)
        )
    )
    .where(
        WAIVERS.c.tenant_id == sa.bindparam("tenant"),
        WAIVERS.c.revoked_by == "",
        WAIVERS.c.ends_at > sa.func.now(),
        WAIVERS.c.ends_at <= sa.bindparam("before"),
    )
    .order_by(WAIVERS.c.ends_at, WAIVERS.c.name)
    .limit(1000)
)
