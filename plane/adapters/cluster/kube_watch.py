"""Lists in pages and watches with bookmarks. Objects come out as the bytes they arrived in."""

import random
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import msgspec

from plane.adapters.cluster import kube

PAGE = 500
WATCH_S = 300  # the API server ends a watch after this; resumed from the last bookmark it costs one request
MAX_EVENT_BYTES = 64 * 1024 * 1024  # etcd bounds an object by 1.5 MiB; this only stops a stream that never ends a line

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
GONE = 410


class Event(msgspec.Struct, frozen=True):
    """One line of a watch. type: ADDED, MODIFIED, DELETED, BOOKMARK; ERROR never comes out."""

    type: str
    object: msgspec.Raw


class Page(msgspec.Struct, frozen=True):
    """Some objects of a list; `resource_version` is where a watch goes on."""

    items: tuple[msgspec.Raw, ...]
    resource_version: str


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct):
    metadata: _ListMeta
    items: tuple[msgspec.Raw, ...] | None = None


_LIST = msgspec.json.Decoder(_List)
_EVENT = msgspec.json.Decoder(Event)


async def pages(api: kube.Api, path: str, *, selector: str = "", name: str = "", accept: str = kube.JSON) -> AsyncIterator[Page]:
    """All objects of a collection, or the one of a name; a list whose continue token expired (410) raises as any refusal does."""
    token = ""
    while True:
        query: dict[str, str | int] = {"limit": PAGE} | _selection(selector, name) | ({"continue": token} if token else {})
        found = _LIST.decode(await api.get(path, query=urlencode(query), accept=accept))
        yield Page(found.items or (), found.metadata.resource_version)
        token = found.metadata.continue_
        if not token:
            return


async def events(
    api: kube.Api, path: str, *, since: str, selector: str = "", name: str = "", accept: str = kube.JSON
) -> AsyncIterator[list[Event]]:
    """What changed after `since`, in the batches in which it arrived, until the server ends the watch; first an empty one, once it stands.

    Raises:
        KubeRefused: 410 when `since` is too old: list again. Unreachable: connection lost or silent.
    """
    seconds = int(WATCH_S * random.uniform(0.8, 1.2))  # noqa: S311 - spreads renewals, guards nothing
    query: dict[str, str | int] = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since, "timeoutSeconds": seconds}
    query |= _selection(selector, name)
    async with api.stream(path, query=urlencode(query), accept=accept, silence_s=api.silence_s) as content:
        yield []
        rest = b""
        async for chunk in content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > MAX_EVENT_BYTES:
                raise kube.Unreachable("a watch sent one event without an end")
            if lines:
                yield [_event(line) for line in lines if line]


def _selection(selector: str, name: str) -> dict[str, str | int]:
    """`name`: the form that a Role with `resourceNames` allows."""
    found: dict[str, str | int] = {"labelSelector": selector, "fieldSelector": f"metadata.name={name}" if name else ""}
    return {word: value for word, value in found.items() if value}


def _event(line: bytes) -> Event:
    try:
        event = _EVENT.decode(line)
    except msgspec.MsgspecError as e:  # a proxy's words in the middle of a stream
        raise kube.Unreachable(f"a watch sent something that is no event: {e}") from e
    if event.type == "ERROR":
        status = kube.decode(bytes(event.object))
        raise kube.KubeRefused(int(status.get("code", 500)), str(status.get("reason", "")), str(status.get("message", "")))
    return event
