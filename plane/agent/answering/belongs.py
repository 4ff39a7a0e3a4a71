"""What is an app's: objects with its owner label, and what descends from them by owner references. Nothing else is shown or touched."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from plane.agent.answering import question
from plane.domain import objects
from plane.wire import agent

Body = dict[str, Any]
DEEPEST = 8  # owners above an object: Rollout → ReplicaSet → Pod has two
WIDEST = 8  # owners of one object that are looked at


class Found(msgspec.Struct, frozen=True):
    """A live object that is the app's to know. `root`: the object of the app that it is, or comes from."""

    body: Body
    root: objects.ObjectKey


async def find(asked: question.Asked, key: objects.ObjectKey) -> Found:
    """`look`; Absent when there is nothing to see. UnknownKind: the cluster does not serve it."""
    found = await look(asked, key)
    if found is None:
        raise absent(asked, str(key))
    return found


async def look(asked: question.Asked, key: objects.ObjectKey) -> Found | None:
    """The live object, in the version that the cluster prefers; None when it is not there, or somebody else's: the two look the same."""
    found = await _read(asked, key)
    root = await origin(asked, found) if found else None
    return Found(found, root) if found and root else None


def absent(asked: question.Asked, what: str) -> question.Absent:
    """How it is said."""
    return question.Absent(f"{what} was not found among the objects of app {asked.task.app} and what descends from them")


async def origin(asked: question.Asked, body: Body) -> objects.ObjectKey | None:
    """The object of the app that this is, or comes from."""
    layer = [body]
    for _ in range(DEEPEST):
        root = next((one for one in layer if marked(asked.task, one)), None)
        if root is not None:
            return objects.key_of(root)
        layer = [owner for one in layer async for owner in _owners(asked, one)]
    return None


def marked(task: agent.Task, body: Body) -> bool:
    """Whether it carries the app's owner label."""
    labels = body["metadata"].get("labels") or {}
    return bool(labels.get(agent.OWNER_LABEL) == task.app_id)


async def _owners(asked: question.Asked, body: Body) -> AsyncIterator[Body]:
    """Owners as they live; one that was replaced by another of its name is none."""
    for reference in (body["metadata"].get("ownerReferences") or [])[:WIDEST]:
        group = reference["apiVersion"].rpartition("/")[0]
        resource = asked.there.kinds.preferred(group, reference["kind"])
        if resource is None:
            continue
        namespace = body["metadata"].get("namespace", "") if resource.namespaced else ""
        owner = await _read(asked, objects.ObjectKey(group, reference["kind"], namespace, reference["name"]))
        if owner is not None and owner["metadata"]["uid"] == reference["uid"]:
            yield owner


async def _read(asked: question.Asked, key: objects.ObjectKey) -> Body | None:
    resource = await asked.applier.resource(key)
    return await asked.applier.get(key, resource.api_version)
