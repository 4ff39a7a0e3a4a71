"""Which of an unhealthy workload's children says why, and in which words."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from plane.domain import kube_events
from plane.domain.health import health_values

MOST = 400  # letters of a quotation
_IMAGE = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable"}
)


class Said(msgspec.Struct, frozen=True):
    """What a pod's own status tells; `weight` 0: nothing but that it is not ready yet."""

    name: str
    uid: str
    words: str
    weight: int


def of_pods(pods: Iterable[dict[str, Any]]) -> Said | None:
    """The pod that tells most, the first by name of equals; None when all are well."""
    told = [said for pod in pods if (said := _pod(pod)) is not None]
    return min(told, key=lambda said: (-said.weight, said.name), default=None)


def quoted(said: Said, events: Sequence[kube_events.Event]) -> str:
    """The pod in one sentence; its newest warning speaks where its status does not."""
    words = said.words if said.weight else warning(events) or said.words
    return _short(f"Pod {said.name}: {words}")


def warning(events: Sequence[kube_events.Event]) -> str:
    """The newest warning, or nothing."""
    found = [event for event in events if event.type == "Warning"]
    newest = max(found, key=lambda event: event.last, default=None)
    return f"{newest.reason}: {newest.message}" if newest else ""


def refused(replica_sets: Iterable[dict[str, Any]]) -> str:
    """Why the newest ReplicaSet can make no pods, as its condition says."""
    newest = max(replica_sets, key=lambda one: health_values.text(health_values.part(one, "metadata"), "creationTimestamp"), default=None)
    if newest is None:
        return ""
    failure = health_values.conditions(health_values.part(newest, "status")).get("ReplicaFailure")
    name = health_values.text(health_values.part(newest, "metadata"), "name")
    return _short(f"ReplicaSet {name}: {failure.why()}") if failure and failure.status == "True" else ""


def _pod(body: dict[str, Any]) -> Said | None:
    meta, status = health_values.part(body, "metadata"), health_values.part(body, "status")
    if health_values.text(meta, "deletionTimestamp") or health_values.text(status, "phase") == "Succeeded":
        return None
    conditions = health_values.conditions(status)
    ready = conditions.get("Ready")
    if ready and ready.status == "True":
        return None
    scheduled = conditions.get("PodScheduled")
    failed = health_values.text(status, "phase") == "Failed"
    evicted = ": ".join(part for part in (health_values.text(status, "reason"), health_values.text(status, "message")) if part)
    candidates = (
        (4, next(_stuck(status), "")),
        (3, evicted if failed else ""),
        (3 if failed else 2, next(_ended(status), "")),
        (1, scheduled.why() if scheduled and scheduled.status == "False" else ""),
    )
    weight, words = next(((weight, words) for weight, words in candidates if words), (0, ready.why() if ready else "it is not ready yet"))
    return Said(health_values.text(meta, "name"), health_values.text(meta, "uid"), words, weight)


def _stuck(status: dict[str, Any]) -> Iterator[str]:
    """Containers that wait for what does not come by itself."""
    for container in _containers(status):
        waiting = health_values.part(container, "state", "waiting")
        reason, message = health_values.text(waiting, "reason"), health_values.text(waiting, "message")
        if reason in _IMAGE:
            yield f"{reason}, image {health_values.text(container, 'image')}" + (
                f": {message}" if reason == "InvalidImageName" and message else ""
            )
        elif reason == "CrashLoopBackOff":
            yield f"{reason} of container {container.get('name', '')}, {_end(health_values.part(container, 'lastState', 'terminated'))}"
        elif reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            yield f"{reason} of container {container.get('name', '')}: {message}".removesuffix(": ")


def _ended(status: dict[str, Any]) -> Iterator[str]:
    """Containers that ended badly, now or before their last restart."""
    for container in _containers(status):
        for state in ("state", "lastState"):
            ended = health_values.part(container, state, "terminated")
            if ended and health_values.number(ended, "exitCode"):
                yield f"container {container.get('name', '')} {_end(ended)}"


def _end(ended: dict[str, Any]) -> str:
    why = ": ".join(part for part in (health_values.text(ended, "reason"), health_values.text(ended, "message").strip()) if part)
    code = health_values.number(ended, "exitCode")
    return f"ended with exit code {code} ({why})" if why else f"ended with exit code {code}"


def _containers(status: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("initContainerStatuses", "containerStatuses"):
        yield from health_values.entries(status, name)


def _short(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= MOST else f"{one[: MOST - 1]}…"
