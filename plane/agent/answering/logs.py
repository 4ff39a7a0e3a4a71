"""Logs of an app's Pods, streamed."""

import itertools
from collections.abc import Sequence

import msgspec

from plane.agent.answering import descent, events, log_reading, masking, question
from plane.agent.applying import guard
from plane.domain.viewing import logs, tree
from plane.wire import answers, questions, views

MOST_SOURCES = 50  # containers of one answer; each holds a connection

_ENCODER = msgspec.json.Encoder()


async def answer(asked: question.Asked) -> bytes:
    """What a `logs` question hears last; the lines go before it, in pieces."""
    wanted = asked.terms(questions.Logs)
    veil = masking.veil(asked.there, asked.task.app_id)
    sources, warnings = await _sources(asked, wanted)
    reading = log_reading.Reading(asked.there, wanted, sources)
    with asked.streams.open(asked.task, connections=len(sources)) as stream:
        shown = tuple(views.LogSource(namespace=one.pod.namespace, pod=one.pod.name, container=one.container) for one in sources)
        await stream.send(_ENCODER.encode(views.LogPiece(sources=shown)))
        numbers = {source: number for number, source in enumerate(sources)}
        async for batch in reading.batches():
            runs = tuple(
                views.LogRun(source=numbers[source], lines=tuple(veil.text(_shown(line, wanted)) for line in lines))
                for source, lines in itertools.groupby(batch, key=lambda line: line.source)
            )
            await stream.send(_ENCODER.encode(views.LogPiece(runs=runs)) if runs else b"")
    return answers.encode(answers.Logs(warnings=tuple(veil.text(one) for one in (*warnings, *reading.warnings))))


def _shown(line: logs.Line, wanted: questions.Logs) -> str:
    return f"{line.time} {line.text}" if wanted.timestamps and line.time else line.text


async def _sources(asked: question.Asked, wanted: questions.Logs) -> tuple[Sequence[logs.Source], list[str]]:
    """Containers of the Pods below what is named, the newest Pods first; Absent or TaskRefused when there are none."""
    found = await descent.below(asked, await events.above(asked, wanted))
    pods = sorted((one for one in found.seen if one.kind == tree.POD), key=lambda one: (one.created, one.key), reverse=True)
    warnings = list(found.warnings)
    if not pods:
        raise question.Absent("there is no Pod whose logs could be read; `plane app tree` shows what there is")
    if len(pods) > wanted.max_pods:
        warnings.append(f"there are {len(pods)} Pods; the logs of the {wanted.max_pods} newest are shown")
    bodies = await descent.bodies(asked, pods[: wanted.max_pods])
    sources = [
        logs.Source(key, name)
        for key, body in sorted(bodies.items())
        for name in logs.containers(body, named=wanted.container, every=wanted.all_containers)
    ]
    if not sources:
        names = sorted({name for body in bodies.values() for name in logs.containers(body, every=True)})
        raise guard.TaskRefused(f"no Pod has a container {wanted.container!r}; there are {', '.join(names) or 'none'}")
    if len(sources) > MOST_SOURCES:
        warnings.append(f"there are {len(sources)} containers; the logs of {MOST_SOURCES} are shown")
    return sources[:MOST_SOURCES], warnings
