"""Objects in the namespaces of a project's apps that belong to no app: asked of every cluster's agent, less what the project ignores."""

from collections.abc import Sequence

import msgspec

from plane.domain import errors, objects, resource_rules
from plane.domain import orphans as domain
from plane.server import authorise, context
from plane.server.asking import questions
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store.delivering import resource_rules as rules
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
    """All answers together; how many there were is remembered where the agents' answers come in."""
    silent = [one for one, answer in zip(asked.questions, answers, strict=True) if answer is None]
    late = tuple(str(questions.give_up(plane, caller, names, one)) for one in silent)
    with authorise.enter(plane, caller, names, "app:get") as place:
        watch = orphans.watch(place.tx, place.scope.tenant, place.project) or domain.Watch()
        excluded = rules.load(place.tx)
    items = tuple(
        _shown(one, asker.cluster)
        for asker, answer in zip(asked.questions, answers, strict=True)
        for one in counted(answer.items if answer else (), watch, excluded, cluster=asker.cluster)
    )
    warnings = (*asked.warnings, *late, *(line for answer in answers if answer for line in answer.warnings))
    return wire.OrphanedResources(items=items, warnings=warnings)


def counted(found: Sequence[wire.Orphan], watch: domain.Watch, excluded: resource_rules.Rules, *, cluster: str) -> tuple[wire.Orphan, ...]:
    """Those that the project wants to hear of, of kinds that the platform lets be touched."""
    keys = ((one, _key(one.key)) for one in found)
    return tuple(one for one, key in keys if not domain.ignored(key, watch) and not excluded.excludes(key, cluster))


def _key(key: agent.Key) -> objects.ObjectKey:
    return objects.ObjectKey(key.group, key.kind, key.namespace, key.name)


def _shown(one: wire.Orphan, cluster: str) -> wire.OrphanedResource:
    return wire.OrphanedResource(**msgspec.structs.asdict(one.key), cluster=cluster, created=one.created)
