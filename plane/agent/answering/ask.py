"""Which question a query task asks, and what answers it."""

import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from plane.adapters.cluster import kube
from plane.agent.answering import acting, events, live, logs, manifests, orphans, planned, question, tree
from plane.domain import errors
from plane.wire import agent, answers

Answer = Callable[[question.Asked], Awaitable[bytes]]
LATER = 500  # HTTP's first status that is not the asker's fault

ANSWERS: Mapping[str, Answer] = {
    "action": acting.act,
    "actions": acting.listed,
    "delete": acting.delete,
    "events": events.answer,
    "live": live.answer,
    "logs": logs.answer,
    "manifests": manifests.answer,
    "patch": acting.patch,
    "tree": tree.answer,
    "orphans": orphans.answer,
    "plan": planned.answer,
}


async def answer(asked: question.Asked) -> agent.Final:
    """The last word on a query: failed when asking again may help, refused when not."""
    task = asked.task
    final = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=time.time(), finished=0)
    try:
        found = ANSWERS.get(task.query)
        if found is None:
            message = f"the agent of this cluster does not know the question {task.query!r}; upgrade it"
            final = msgspec.structs.replace(final, outcome="refused", message=message)
        else:
            final = msgspec.structs.replace(final, live=await found(asked))
    except question.Absent as e:
        final = msgspec.structs.replace(final, live=answers.encode(answers.Absent(sentence=str(e))))
    except errors.PlaneError as e:
        final = msgspec.structs.replace(final, outcome="failed" if _passing(e) else "refused", message=str(e))
    return msgspec.structs.replace(final, finished=time.time())


def _passing(error: errors.PlaneError) -> bool:
    return isinstance(error, kube.Unreachable) or (isinstance(error, kube.KubeRefused) and error.status >= LATER)
