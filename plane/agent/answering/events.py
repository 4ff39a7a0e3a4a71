"""What Kubernetes says of an app's objects and of what descends from them."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from plane.adapters.cluster import kube, kube_watch
from plane.agent.answering import belongs, descent, masking, naming, question
from plane.domain import kube_events, objects
from plane.domain.viewing import tree
from plane.wire import answers, questions, views

MOST = 500  # events in an answer, the newest
MOST_LISTED = 20_000  # events of one namespace that are looked through
CLUSTERS_OWN = "default"  # the namespace in which events of cluster-scoped objects are


async def answer(asked: question.Asked) -> bytes:
    """What an `events` question hears, newest last."""
    wanted = asked.terms(questions.Subject)
    found = await descent.below(asked, await above(asked, wanted))
    about = {one.uid for one in found.seen}
    places = {one.key.namespace or CLUSTERS_OWN for one in found.seen}
    heard, warnings = await _heard(asked, sorted(places), about)
    told = kube_events.folded(heard)
    if len(told) > MOST:
        warnings.append(f"there are {len(told)} events; the newest {MOST} are shown")
    veil = masking.veil(asked.there, asked.task.app_id)
    shown = views.KubeEvents(items=tuple(_shown(one, veil) for one in told[-MOST:]), warnings=(*found.warnings, *warnings))
    return answers.encode(answers.Events(events=shown))


async def above(asked: question.Asked, wanted: questions.Subject) -> Sequence[tree.Seen]:
    """The object that the question names, or all of the app."""
    if not wanted.kind:
        return await descent.roots(asked)
    found: belongs.Found = await naming.find(asked, wanted)
    return (tree.seen(found.body),)


async def _heard(asked: question.Asked, places: Sequence[str], about: set[str]) -> tuple[list[kube_events.Event], list[str]]:
    heard: list[kube_events.Event] = []
    warnings: list[str] = []
    for place in places:
        looked = 0
        try:
            async for page in _pages(asked, place):
                heard += [one for one in map(kube_events.read, page.items) if one.uid in about]
                looked += len(page.items)
                await asyncio.sleep(0)  # a page is some milliseconds of work; let the others have a turn
                if looked >= MOST_LISTED:
                    warnings.append(f"only the first {MOST_LISTED} events of {place} were looked through")
                    break
        except kube.KubeRefused as e:
            warnings.append(f"events in {place} could not be listed: {e}")
    return heard, warnings


async def _pages(asked: question.Asked, place: str) -> AsyncIterator[kube_watch.Page]:
    resource = await asked.applier.resource(objects.ObjectKey("", "Event", place, ""))
    async for page in kube_watch.pages(asked.there.api, resource.path(place)):
        yield page


def _shown(one: kube_events.Event, veil: masking.Veil) -> views.KubeEvent:
    return views.KubeEvent(
        type=one.type,
        reason=one.reason,
        message=veil.text(one.message),
        group=one.key.group,
        kind=one.key.kind,
        namespace=one.key.namespace,
        name=one.key.name,
        count=one.count,
        first=one.first,
        last=one.last,
        source=one.source,
    )
