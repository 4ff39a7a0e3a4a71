"""What rules are told that lies in the database: for all apps of a batch at once, and only where a set reads it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from plane.domain import access, objects, options
from plane.domain.judging import claims, policy, surroundings
from plane.domain.planning import changes
from plane.server import context
from plane.server.delivering import surroundings as told
from plane.store import engine
from plane.store.delivering import claims as rows
from plane.store.delivering import facts, policies, releases


class Subject(msgspec.Struct, frozen=True):
    """An app with what it is about to become. `reads`: what of the database its rules look at."""

    app: facts.App
    manifests: tuple[objects.Manifest, ...]
    reads: frozenset[str]

    def claims(self) -> frozenset[str]:
        """What it would take for itself."""
        return claims.of(self.manifests, self.app.cluster.id if self.app.cluster else "")


def of(plane: context.Plane, scope: access.Scope, subjects: Iterable[Subject]) -> list[told.Beside]:
    """One for each subject, in their order; nothing is asked where nothing is read."""
    asked = list(subjects)
    over = {one.app.reported for one in asked if "changes" in one.reads and one.app.reported}
    named: dict[str, frozenset[str]] = {}
    for one in asked:
        if "inventory" in one.reads:
            named[one.app.id] = named.get(one.app.id, frozenset()) | one.claims()
    kept: Mapping[str, tuple[objects.Manifest, ...]] = {}
    found: Mapping[str, Sequence[claims.Neighbour]] = {}
    if over or named:
        with engine.begin(plane.engine, scope) as tx:
            kept = releases.manifests(tx, scope.tenant, over) if over else {}
            found = rows.neighbours(tx, scope.tenant, named) if named else {}
    return [told.Beside(one.app.reported, _changes(one, kept), claims.inventory(found.get(one.app.id, ()))) for one in asked]


def before(tx: engine.Tx, tenant: str, apps: Sequence[facts.App], standing: policies.Standing) -> dict[str, surroundings.Inventory]:
    """The inventory by app as it is now, for the releases there are; empty where no set can read it."""
    curious = [app.id for app in apps if any(policy.reads(one.binding.policy, "inventory") for one in standing.of(app.project_id))]
    if not curious:
        return {}
    found = rows.neighbours(tx, tenant, rows.wanted(tx, tenant, curious))
    return {app: claims.inventory(several) for app, several in found.items()}


def rivals(subjects: Iterable[Subject]) -> frozenset[str]:
    """Apps that want what an older app of the same batch wants too; they wait for its verdict."""
    found: set[str] = set()
    taken: set[str] = set()
    for one in sorted((each for each in subjects if "inventory" in each.reads), key=lambda each: each.app.id):
        names = one.claims()
        if claims.meet(names, taken):
            found.add(one.app.id)
        else:
            taken |= names
    return frozenset(found)


def _changes(one: Subject, kept: Mapping[str, tuple[objects.Manifest, ...]]) -> tuple[surroundings.Change, ...]:
    if "changes" not in one.reads:
        return ()
    meant = options.app(one.app.spec.sync_policy.sync_options)
    return changes.between(kept.get(one.app.reported, ()), one.manifests, meant)
