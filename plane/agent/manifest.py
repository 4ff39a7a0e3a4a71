"""One live object of an app, or what descends from it, masked."""

from plane.agent import belongs, masking, question, releases
from plane.wire import answers


async def answer(asked: question.Asked) -> bytes:
    """The object that the question names."""
    key = releases.key_of(asked.task.keys[0])
    found = await belongs.find(asked, key)
    veil = masking.veil(asked.there, asked.task.app_id, found.root)
    return answers.encode(answers.Manifest(body=veil.over(found.body)))
