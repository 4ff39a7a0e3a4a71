"""Live objects of an app, or one of those that descend from them, masked."""

from typing import Any

import msgspec

from plane.agent.answering import belongs, descent, masking, naming, question
from plane.agent.kept import releases
from plane.wire import answers, questions, views

Body = dict[str, Any]
MOST = 500  # objects in an answer
MOST_BYTES = 16 * 1024 * 1024


async def answer(asked: question.Asked) -> bytes:
    """What a `manifests` question hears: the object that it names by its key or in a person's words, or all of the app's own."""
    keys, wanted = asked.task.keys, asked.terms(questions.Subject)
    if not keys and not wanted.kind:
        return await _all(asked)
    found = await (belongs.find(asked, releases.key_of(keys[0])) if keys else naming.find(asked, wanted))
    body = masking.veil(asked.there, asked.task.app_id).over(found.body, found.root)
    return answers.encode(answers.Manifests(live=views.Live(items=(body,))))


async def _all(asked: question.Asked) -> bytes:
    own = await descent.roots(asked)
    bodies = await descent.bodies(asked, own[:MOST])
    veil = masking.veil(asked.there, asked.task.app_id)
    items: list[Body] = []
    size = 0
    for key in sorted(bodies):
        body = veil.over(bodies[key], key)
        size += len(msgspec.json.encode(body))
        if size > MOST_BYTES:
            break
        items.append(body)
    cut = len(items) < len(bodies) or len(own) > MOST
    warnings = (f"{len(items)} of the app's {len(own)} objects are shown; name one to see it",) if cut else ()
    return answers.encode(answers.Manifests(live=views.Live(items=tuple(items), warnings=warnings)))
