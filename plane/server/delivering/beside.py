"""What rules are told that lies in the database: for all apps of a batch at once, and only where a set reads it."""

from collections.abc import Iterable

import msgspec

from plane.domain import access, objects, options
from plane.domain.planning import changes
from plane.server import context
from plane.server.delivering import surroundings
from plane.store import engine
from plane.store.delivering import facts, releases


class Subject(msgspec.Struct, frozen=True):
    """An app with what it is about to become. `reads`: what of the database its rules look at."""

    app: facts.App
    manifests: tuple[objects.Manifest, ...]
    reads: frozenset[str]


def of(plane: context.Plane, scope: access.Scope, subjects: Iterable[Subject]) -> list[surroundings.Beside]:
    """One for each subject, in their order; nothing is asked where nothing is read."""
    asked = list(subjects)
    over = {one.app.reported for one in asked if "changes" in one.reads and one.app.reported}
    if not over:
        return [_beside(one, {}) for one in asked]
    with engine.begin(plane.engine, scope) as tx:
        kept = releases.manifests(tx, scope.tenant, over)
    return [_beside(one, kept) for one in asked]


def _beside(one: Subject, kept: dict[str, tuple[objects.Manifest, ...]]) -> surroundings.Beside:
    if "changes" not in one.reads:
        return surroundings.Beside(one.app.reported)
    meant = options.app(one.app.spec.sync_policy.sync_options)
    return surroundings.Beside(one.app.reported, changes.between(kept.get(one.app.reported, ()), one.manifests, meant))
