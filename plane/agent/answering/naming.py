"""From the words of a person to a live object of the app."""

from collections.abc import Iterator

from plane.adapters.cluster import kube_kinds
from plane.agent.answering import belongs, question
from plane.agent.applying import guard
from plane.domain import objects
from plane.wire import questions

CORE = "core"  # how people write the empty group
MOST_TRIES = 40  # kinds times namespaces that are looked into for one name


async def find(asked: question.Asked, wanted: questions.Subject) -> belongs.Found:
    """The one object of the app, or below it, that the words name.

    Raises:
        Absent: there is none, or it is somebody else's. Ambiguous: they name several.
    """
    own = [key for key in owned(asked) if _matches(wanted, key, asked.there.kinds.preferred(key.group, key.kind))]
    found: dict[str, belongs.Found] = {}
    for key in (own or list(_candidates(asked, wanted)))[:MOST_TRIES]:
        one = await belongs.look(asked, key) if guard.permits(asked.task, key) else None
        if one:
            found[str(key)] = one
    if len(found) > 1:
        raise Ambiguous(wanted, tuple(found))
    if not found:
        raise belongs.absent(asked, _written(wanted))
    return next(iter(found.values()))


class Ambiguous(guard.TaskRefused):
    """Words that fit several objects."""

    def __init__(self, wanted: questions.Subject, found: tuple[str, ...]) -> None:
        super().__init__(
            f"{_written(wanted)} names several objects: {', '.join(found)}; say the group, as `core` or `apps`, or the namespace"
        )


def owned(asked: question.Asked) -> tuple[objects.ObjectKey, ...]:
    """Keys of the app's own objects, wanted or there; a copy that somebody made of one, label and all, is none."""
    held, there = asked.there.book.get(asked.task.app_id), asked.there.watches.owned(asked.task.app_id)
    return tuple(sorted({*(held.objects if held else ()), *(key for key, record in there.items() if record.ours)}))


def namespaces(asked: question.Asked) -> tuple[str, ...]:
    """Where the app has objects."""
    return tuple(sorted({key.namespace for key in owned(asked) if key.namespace}))


def _candidates(asked: question.Asked, wanted: questions.Subject) -> Iterator[objects.ObjectKey]:
    served = {(one.group, one.kind): asked.there.kinds.preferred(one.group, one.kind) for one in asked.there.kinds.all()}
    places = (wanted.namespace,) if wanted.namespace else namespaces(asked)
    for resource in filter(None, served.values()):
        if _is_kind(wanted, resource.group, resource.kind, resource):
            for place in places if resource.namespaced else ("",):
                yield objects.ObjectKey(resource.group, resource.kind, place, wanted.name)


def _matches(wanted: questions.Subject, key: objects.ObjectKey, resource: kube_kinds.Resource | None) -> bool:
    named = key.name == wanted.name and wanted.namespace in {"", key.namespace}
    return named and _is_kind(wanted, key.group, key.kind, resource)


def _is_kind(wanted: questions.Subject, group: str, kind: str, resource: kube_kinds.Resource | None) -> bool:
    in_group = not wanted.group or wanted.group == (group or CORE)
    return in_group and wanted.kind.lower() in {kind.lower(), resource.plural if resource else ""}


def _written(wanted: questions.Subject) -> str:
    kind = f"{wanted.group}/{wanted.kind}" if wanted.group else wanted.kind
    return f"{kind} {wanted.namespace}/{wanted.name}" if wanted.namespace else f"{kind} {wanted.name}"
