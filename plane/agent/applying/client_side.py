"""`ServerSideApply=false`: the object as a client-side apply leaves it, with the annotation in which kubectl keeps what it applied."""

import contextlib
from typing import Any

import msgspec

from plane.adapters.cluster import kube
from plane.domain.comparing import fields, three_way

Body = dict[str, Any]


def made(payload: bytes, document: bytes) -> bytes:
    """The object to create. `document`: the same as Git says it, without opened values."""
    return msgspec.json.encode(_marked(kube.decode(payload), document))


def changed(payload: bytes, document: bytes, live: bytes) -> bytes | None:
    """The object to put in the place of the live one, at its resourceVersion; None when it is that already."""
    there = kube.decode(live)
    body = _marked(three_way.merge(last_applied(there), kube.decode(payload), there), document)
    return None if body == there else msgspec.json.encode(body)


def last_applied(live: Body) -> Body:
    """What was applied last, by us or by kubectl; empty when nobody says."""
    marks = (live.get("metadata") or {}).get("annotations") or {}
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.json.decode(marks.get(fields.LAST_APPLIED) or "{}", type=Body)
    return {}


def _marked(body: Body, document: bytes) -> Body:
    meta = body["metadata"]
    return {**body, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), fields.LAST_APPLIED: _told(document)}}}


def _told(document: bytes) -> str:
    """Of a Secret the keys alone: they are what the next apply looks for."""
    body = kube.decode(document)
    if body.get("kind") == "Secret":
        body |= {part: dict.fromkeys(body[part], "") for part in ("data", "stringData") if isinstance(body.get(part), dict)}
    return f"{msgspec.json.encode(body).decode()}\n"
