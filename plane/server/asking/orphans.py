"""Objects in the namespaces of a project's apps that belong to no app: asked of every cluster's agent, less what the project ignores."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from plane.domain import errors, objects, tenancy
from plane.domain import orphans as domain
from plane.server import authorise, context
from plane.server.asking import questions
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store.delivering import facts
from plane.store.showing import orphans
from plane.wire import agent
from plane.wire import orphans as wire


class Asked(msgspec.Struct, frozen=True):
    """Questions under way, and why some could not be asked."""

    questions: tuple[questions.Asked, ...]
    warnings: tuple[str, ...] = ()


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> Asked:
    """Ask the agent of every cluster on which the project has an app."""
    asked: list[questions.Asked] = []
    warnings: list[str] = []
    with authorise.enter(plane, caller, names, "app:get") as place:
        for one in orphans.places(place.tx, place.scope.tenant, place.project):
            there = msgspec.structs.replace(place, names=authorise.Names(names.tenant, names.project, one.app))
            row = rows.find(place.tx, apps.KIND.shelf, place.where(), one.app)
            question = questions.Question("orphans", terms=wire.Where(namespaces=one.namespaces))
            try:
                asked += [questions.put(plane, there, row, question)] if row else []
            except errors.BackendDown as e:
                warnings.append(str(e))
    return Asked(tuple(asked), tuple(warnings))


def heard(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> wire.Found | None:
    """One agent's answer, or None while there is none; what it could not do is a warning."""
    try:
        with authorise.enter(plane, caller, names, "app:get") as place:
            return questions.heard(place, asked, wire.Found)
    except (errors.BackendDown, errors.Conflict) as e:
        return wire.Found(items=(), warnings=(str(e),))


def told(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: Asked, answers: Sequence[wire.Found | None]
) -> wire.OrphanedResources:
    """All answers together; the project remembers how many there were, for its apps to warn of."""
    silent = [one for one, answer in zip(asked.questions, answers, strict=True) if answer is None]
    late = tuple(str(questions.give_up(plane, caller, names, one)) for one in silent)
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = rows.find(place.tx, rows.PROJECTS, {"tenant_id": place.scope.tenant}, names.project)
        spec = msgspec.convert(row.spec if row else {}, tenancy.ProjectSpec)
        items = tuple(
            _shown(one, asker.cluster)
            for asker, answer in zip(asked.questions, answers, strict=True)
            for one in (answer.items if answer else ())
            if not domain.ignored(_key(one.key), spec.orphaned_resources or domain.Watch())
        )
        found = Counter(f"{one.cluster}/{one.namespace}" for one in items)
        orphans.keep(place.tx, place.scope.tenant, place.project, {"at": facts.stamp(plane.clock.now()), "found": dict(found)})
    warnings = (*asked.warnings, *late, *(line for answer in answers if answer for line in answer.warnings))
    return wire.OrphanedResources(items=items, warnings=warnings)


def _key(key: agent.Key) -> objects.ObjectKey:
    return objects.ObjectKey(key.group, key.kind, key.namespace, key.name)


def _shown(one: wire.Orphan, cluster: str) -> wire.OrphanedResource:
    return wire.OrphanedResource(**msgspec.structs.asdict(one.key), cluster=cluster, created=one.created)
