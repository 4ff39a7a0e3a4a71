"""Documents in the plane: found, written with the version they were read at, removed."""

from collections.abc import Iterator

import msgspec

from plane.cli import client, failures, kinds, manifests, session
from plane.domain import errors
from plane.wire import documents, reading

Json = client.Json
FORBIDDEN = 403
ABSENT = client.Reply(404, None)


def read(where: session.Session, kind: kinds.Kind, name: str) -> client.Reply:
    """The document as the caller may see it."""
    try:
        return where.api.get(kinds.path(kind, where, name))
    except failures.Refused as refusal:
        if not _has_a_part(where, kind, refusal):
            raise
        return where.api.get(f"{_part(where, kind)}/{name}")


def several(where: session.Session, kind: kinds.Kind, *, limit: int, labels: str) -> Iterator[Json]:
    """The documents that the caller may see here, as they arrive."""
    try:
        yield from where.api.items(kinds.home(kind, where), limit=limit, labels=labels)
    except failures.Refused as refusal:
        if not _has_a_part(where, kind, refusal):
            raise
        yield from where.api.items(_part(where, kind), limit=limit, labels=labels)


def remove(where: session.Session, kind: kinds.Kind, name: str, params: dict[str, str]) -> client.Reply:
    """Delete the document, or the caller's part of a kind that has parts."""
    try:
        return where.api.call("DELETE", kinds.path(kind, where, name), params=params)
    except failures.Refused as refusal:
        if not _has_a_part(where, kind, refusal) or not kind.inner:
            raise
        return where.api.call("DELETE", f"{_part(where, kind)}/{name}", params=params)


def _has_a_part(where: session.Session, kind: kinds.Kind, refusal: failures.Refused) -> bool:
    place = where.context.project if kind.inner else where.context.tenant
    return (kind.shared or kind.inner) and refusal.status == FORBIDDEN and bool(place)


def _part(where: session.Session, kind: kinds.Kind) -> str:
    """The path of what a caller sees who does not see all."""
    return f"/tenants/{where.tenant()}{f'/projects/{where.project()}' if kind.inner else ''}/{kind.collection}"


def live(where: session.Session, kind: kinds.Kind, name: str) -> client.Reply:
    """The document as the plane has it; ABSENT when it has none."""
    try:
        return where.api.get(kinds.path(kind, where, name))
    except failures.Refused as refusal:
        if refusal.code == failures.NOT_FOUND:
            return ABSENT
        raise


def write(where: session.Session, kind: kinds.Kind, body: Json, *, etag: str) -> client.Reply:
    """Create it when `etag` is empty, otherwise replace that version."""
    if etag:
        return where.api.call("PUT", kinds.path(kind, where, body["metadata"]["name"]), body=body, etag=etag)
    return where.api.call("POST", kinds.home(kind, where), body=body)


def home_of(where: session.Session, each: manifests.Manifest) -> session.Session:
    """Where a manifest goes: what it says itself, else the session's place.

    Raises:
        WrongUse: the manifest and the command line name different places.
    """
    for field, said, asked in zip(("tenant", "project"), each.place, where.asked, strict=True):
        if said and asked and said != asked:
            at = each.where(f"metadata.{field}")
            raise failures.WrongUse(f"{at}: metadata.{field} is {said}, but the command names {asked}; leave one of them out")
    return where.within(*each.place)


def written(body: Json) -> Json:
    """What a person may write of a document: all but `status`."""
    return {field: value for field, value in body.items() if field != "status"}


def same(kind: kinds.Kind, mine: Json, theirs: Json) -> bool:
    """Whether writing `mine` would change nothing; a secret in `data` counts as a change, since the plane never gives it back."""
    return not mine.get("data") and normal(kind, mine, theirs) == normal(kind, theirs, theirs)


def normal(kind: kinds.Kind, body: Json, live: Json) -> Json:
    """A document with its defaults written out and its place taken from `live`; as it is when this program does not know a field."""
    wanted = next(known for known in documents.KINDS if known.__name__ == kind.name)
    place = {field: value for field, value in live.get("metadata", {}).items() if field in {"tenant", "project"}}
    shaped = {**written(body), "metadata": {**body["metadata"], **place}}
    try:
        found = msgspec.to_builtins(reading.convert(shaped, wanted))
    except errors.Invalid:
        return shaped
    theirs = {"files"} if found.get("spec", {}).get("source") else set()  # of a policy set in Git: not the writer's to say
    return {field: value for field, value in found.items() if field not in {"status", "data"} | theirs}
