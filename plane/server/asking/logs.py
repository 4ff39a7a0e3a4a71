"""Logs of an app's Pods: asked for with a permission of their own, told in the audit log, read piece by piece and kept by nobody."""

import msgspec

from plane.domain.auditing import details
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.server.asking import pieces, questions, views
from plane.server.keeping import apps
from plane.store import wake
from plane.store.attending import pieces as rows
from plane.store.delivering import tasks
from plane.wire import answers
from plane.wire import questions as terms
from plane.wire import views as wire

PERMISSION = "app:logs"


class Heard(msgspec.Struct, frozen=True):
    """What came since the last look: numbered pieces, and the last word when it has been said."""

    pieces: tuple[tuple[int, bytes], ...]
    last: answers.Logs | None


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.LogsQuery) -> questions.Asked:
    """Ask for the lines. Who asks for whose is told in the same transaction."""
    whose = views.subject(query)
    wanted = terms.Logs(
        **msgspec.structs.asdict(whose),
        container=query.container,
        all_containers=query.all_containers,
        previous=query.previous,
        since_s=query.since_seconds or 0,
        since_time=query.since_time,
        tail=-1 if query.tail is None else query.tail,
        filter=query.filter,
        follow=query.follow,
        timestamps=query.timestamps,
        max_pods=query.max_pods,
    )
    with authorise.enter(plane, caller, names, PERMISSION) as place:
        row = generic.existing(apps.KIND, place)
        asked = questions.put(plane, place, row, questions.Question("logs", terms=wanted))
        told = details.LogsRead(kind=query.kind, name=query.name, namespace=query.namespace, container=query.container, follow=query.follow)
        record.append(
            plane,
            place.tx,
            place.scope,
            "app.logs.read",
            project_id=row.project_id,
            project=names.project,
            target=f"app/{names.name}",
            cluster=asked.cluster,
            correlation=asked.task,
            message=f"logs of {query.kind} {query.name}" if query.kind else "logs of all Pods",
            details=told,
        )
    return asked


def hear(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> Heard:
    """What came since the last look; it is gone then. Raises as `questions.heard`."""
    with authorise.enter(plane, caller, names, PERMISSION) as place:
        last = questions.heard(place, asked, answers.Logs)  # first: after it, no piece comes any more
        found = rows.take(place.tx, place.scope.tenant, asked.task)
        if found:
            wake.notify(place.tx, "plane_pieces", pieces.read_by(asked.task))
    return Heard(found, last)


def leave(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> None:
    """Nobody listens any more: end the stream at its source."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        tasks.withdraw(place.tx, place.scope.tenant, asked.task, plane.clock.now())
        rows.take(place.tx, place.scope.tenant, asked.task)
        wake.notify(place.tx, "plane_pieces", pieces.read_by(asked.task))
