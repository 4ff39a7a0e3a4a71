"""Taking objects over from other tools at the API server. An object that nobody applied before costs nothing more."""

import re
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from plane.adapters.cluster import kube
from plane.agent.applying import refusals
from plane.domain.comparing import adoption, fields, merging
from plane.wire import agent

TRIES = 5
CONFLICT = 409

Ask = Callable[[str, str, str, bytes, str], Awaitable[bytes]]  # method, path, query, body, content type

_FORMER = "|".join(sorted(adoption.FORMER))
_SIGNS = re.compile(f'"manager":"(?:(?:{_FORMER})"|{merging.MANAGER}","operation":"Update")'.encode())
_OWN = f'"manager":"{merging.MANAGER}","operation":"Update"'.encode()

log = structlog.get_logger()


def names(named: str, *, stranger: bool) -> frozenset[str]:
    """Whose fields become ours; `stranger`: an object that we have not applied before."""
    return adoption.FORMER | {named} if stranger else frozenset()


def due(answer: bytes, named: str, *, stranger: bool) -> bool:
    """Whether an object's owners, as an apply answered them, may have to be changed."""
    if not stranger:
        return _OWN in answer
    return _SIGNS.search(answer) is not None or f'"manager":"{named}"'.encode() in answer


def may_help(error: kube.KubeRefused) -> bool:
    """Whether an apply could be refused because of what a former tool owns: its values, or its fields beside ours."""
    return error.status == refusals.INVALID or (error.status == CONFLICT and "Apply failed with" in str(error))


async def hand_over(ask: Ask, path: str, who: frozenset[str]) -> tuple[str, ...]:
    """Let fields change hands, unless somebody writes the object each time meanwhile; from whom, empty when nobody has any.

    Raises:
        KubeRefused: the API server says no.
    """
    for _ in range(TRIES):
        live = await _read(ask, path)
        meta = kube.decode(live)["metadata"] if live else {}
        before = meta.get("managedFields") or ()
        managed = adoption.handed_over(before, who)
        if managed is None:
            return ()
        changed = {"managedFields": managed, "uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        if fields.LAST_APPLIED in (meta.get("annotations") or {}):
            changed["annotations"] = {fields.LAST_APPLIED: None}
        try:
            await ask("PATCH", path, f"fieldManager={agent.FIELD_MANAGER}", msgspec.json.encode({"metadata": changed}), kube.MERGE_PATCH)
        except kube.KubeRefused as e:
            if e.status != CONFLICT:
                raise
            continue
        left = {one["manager"] for one in before if not one.get("subresource")} - {one["manager"] for one in managed}
        log.info("object.adopted", path=path, managers=sorted(left))
        return tuple(sorted(left))
    return ()


async def has_former(ask: Ask, path: str, named: str) -> bytes | None:
    """The object, when an apply would take it over."""
    live = await _read(ask, path)
    return live if live and adoption.former(kube.decode(live), named) else None


async def _read(ask: Ask, path: str) -> bytes | None:
    try:
        return await ask("GET", path, "", b"", kube.JSON)
    except kube.KubeRefused as e:
        if e.status == refusals.NOT_FOUND:
            return None
        raise
