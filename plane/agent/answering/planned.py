"""The answer to what a sync would do: its plan, and what each step turns out to be."""

from collections.abc import Mapping
from typing import Any

import msgspec

from plane.agent.answering import preview, question
from plane.agent.applying import apply, planning
from plane.agent.watching import cluster
from plane.domain import objects
from plane.domain.planning import plan

UNCHANGED = "the cluster has it as Git wants it, so it needs no request"
MOST_LOOKED_AT = 2000  # objects that are not known to be as Git wants them; each may cost two requests
MOST_FIELDS = 3  # named in one line


async def answer(asked: question.Asked) -> bytes:
    """What a `plan` question hears: what a task with this release and these options would do if it came now."""
    task = msgspec.structs.replace(asked.task, kind="apply", generation=asked.task.generation + 1)
    coming = planning.Work(task, asked.work.release, asked.work.before)
    planned = await planning.make(asked.there, coming, namespace=planning.namespace(coming))
    document, named = await _looked_at(asked.there, asked.applier, coming, planned)
    told = document | {
        "needs_approval": (*planning.radius(asked.there, coming, planned), *plan.confirmations(planned)),
        "warnings": planning.warnings(asked.work),
        "digest": named,
    }
    return msgspec.json.encode(told)


async def digest(there: cluster.Cluster, applier: apply.Applier, work: planning.Work) -> str:
    """Names what a task that came does: equal to what a `plan` question was told, if both would do the same."""
    planned = await planning.make(there, work, namespace=planning.namespace(work))
    return (await _looked_at(there, applier, work, planned))[1]


async def _looked_at(there: cluster.Cluster, applier: apply.Applier, work: planning.Work, planned: plan.Plan) -> tuple[dict[str, Any], str]:
    """The plan as JSON with what becomes of each object, and the name of all it says."""
    looking = preview.Looking(there, applier, work)
    steps = [one for one in planned.steps() if one.action == "apply" and one.index >= 0]
    found = {one.key: one for one in await looking.of([one.index for one in steps[:MOST_LOOKED_AT]], tolerant=True)}
    document = plan.document(_told(planned, found))
    fields = sorted((key, one.action, one.fields) for key, one in found.items() if one.action)
    return document, objects.digest(msgspec.json.encode((work.task.release, document, fields)))


def sentence(found: preview.Preview) -> str:
    """What becomes of an object that is there; nothing about one that is not."""
    taken = f"taken over from {', '.join(found.former)}" if found.former else ""
    more = f" and {len(found.fields) - MOST_FIELDS} more" if len(found.fields) > MOST_FIELDS else ""
    changed = f"changes {', '.join(found.fields[:MOST_FIELDS])}{more}" if found.fields else ""
    nothing = UNCHANGED if not (found.action or taken) else ""
    return "; ".join(said for said in (found.trouble, taken, changed, nothing) if said)


def _told(planned: plan.Plan, found: Mapping[objects.ObjectKey, preview.Preview]) -> plan.Plan:
    def step(one: plan.Step) -> plan.Step:
        looked = found.get(one.key) if one.action == "apply" and one.index >= 0 else None
        return msgspec.structs.replace(one, reason=sentence(looked)) if looked else one

    return plan.Plan(
        tuple(
            plan.Phase(phase.name, tuple(plan.Wave(wave.number, tuple(map(step, wave.steps))) for wave in phase.waves))
            for phase in planned.phases
        )
    )
