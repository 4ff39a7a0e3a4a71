"""Live objects as people may read them: without secret values, and without bookkeeping nobody reads."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from plane.agent.kept import releases
from plane.agent.watching import cluster
from plane.domain import objects
from plane.domain.comparing import ignoring, ownership
from plane.wire import agent

Body = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # holds the values of a Secret in the clear
IDENTITY = frozenset({"apiVersion", "kind"})
SHORTEST = 8  # letters of a value that is masked inside a longer text: blanking every "1" would tell the value


class Veil(msgspec.Struct, frozen=True):
    """What hides an app's secret values in its objects, and in what controllers made of them.

    `pointers`: where values were sealed, by object; `forms`: how the values themselves look.
    """

    pointers: Mapping[objects.ObjectKey, frozenset[str]]
    forms: tuple[str, ...]

    def over(self, body: Body, root: objects.ObjectKey) -> Body:
        """An object that is, or comes from, the app's object `root`, masked."""
        shown = masked(body)
        for pointer in self.pointers.get(root, ()):
            _blank(shown, pointer)
        return {part: value if part in IDENTITY else self._within(value) for part, value in shown.items()}

    def text(self, text: str) -> str:
        """A sentence or a line, masked."""
        for form in self.forms:
            text = text.replace(form, releases.MASK) if len(form) >= SHORTEST else text
        return text

    def _within(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict):
            return {name: self._within(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._within(inner) for inner in value]
        if isinstance(value, str):
            return releases.MASK if value in self.forms else self.text(value)
        return value


def veil(there: cluster.Cluster, app: str) -> Veil:
    """The app's; SecretRefused when its values cannot be opened, so cannot be looked for."""
    release = there.book.release(app) if there.book.get(app) else None
    if release is None:
        return Veil({}, ())
    opened = [value for key in release.sealed for value in releases.values(release, key, there.unsealer).values()]
    pointers = {key: frozenset(place for one in sealed for place in _inherited(one.pointer)) for key, sealed in release.sealed.items()}
    return Veil(pointers, releases.forms(opened))


def _inherited(pointer: str) -> set[str]:
    """Where a place of a template lies in what is made from it: in a Pod, `/spec/template/spec/…` of its Deployment is `/spec/…`."""
    parts = pointer.split("/")[1:]
    return {"/" + "/".join(parts[n:]) for n, part in enumerate(parts) if n == 0 or part in {"spec", "metadata"}}


def masked(live: Body, release: releases.Release | None = None, key: objects.ObjectKey | None = None) -> Body:
    """Without values of a Secret, of sealed places, and without managed fields."""
    meta = {name: value for name, value in live["metadata"].items() if name != "managedFields"}
    annotations = {name: value for name, value in (meta.get("annotations") or {}).items() if name != LAST_APPLIED}
    body = {
        **copy.deepcopy(live),
        "metadata": {**meta, "annotations": annotations} if annotations else {n: v for n, v in meta.items() if n != "annotations"},
    }
    if body.get("kind") == "Secret":
        body |= {part: dict.fromkeys(body[part], releases.MASK) for part in ("data", "stringData") if isinstance(body.get(part), dict)}
    return unsealed(body, release, key) if release and key else body


def unsealed(body: Body, release: releases.Release, key: objects.ObjectKey) -> Body:
    """A copy without the values of sealed places, which lie outside Secrets too."""
    shown = copy.deepcopy(body)
    for value in release.sealed.get(key, ()):
        _blank(shown, value.pointer)
    return shown


def compared(desired: Body, live: Body, becomes: Body, sealed: Iterable[agent.SealedValue]) -> tuple[Body, Body]:
    """The live object and what it becomes, without sealed values; each is told to change or not.

    A Secret's own values are left to who shows the difference. Items of lists are found by name: theirs may stand elsewhere.
    """
    before, after = copy.deepcopy(live), copy.deepcopy(becomes)
    for value in sealed:
        if value.key.kind != "Secret" or not value.pointer.startswith(("/data/", "/stringData/")):
            old, new = (_place(desired, body, value.pointer) for body in (before, after))
            changed = old is None or new is None or old[0][old[1]] != new[0][new[1]]
            for found, mask in ((old, releases.MASK), (new, f"{releases.MASK} (changed)" if changed else releases.MASK)):
                if found:
                    found[0][found[1]] = mask
    return before, after


def _place(desired: Any, body: Any, pointer: str) -> tuple[Any, Any] | None:  # noqa: ANN401 - JSON
    """The part of a body that holds what a pointer into the desired object leads to, and the last step."""
    found: tuple[Any, Any] | None = None
    for step in ignoring.steps(pointer):
        place: str | int | None = step
        if isinstance(desired, list):
            index = int(step)
            place = ownership.counterpart(desired[index], body, index) if isinstance(body, list) else None
            desired = desired[index]
        else:
            desired = desired[step]
        if place is None or (isinstance(place, str) and not (isinstance(body, dict) and place in body)):
            return None
        found, body = (body, place), body[place]
    return found


def _blank(body: Any, pointer: str) -> None:  # noqa: ANN401 - JSON
    """Put the mask at a JSON pointer, if it leads somewhere."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in way:
        body = (
            body.get(part)
            if isinstance(body, dict)
            else body[int(part)]
            if isinstance(body, list) and part.isdigit() and int(part) < len(body)
            else None
        )
    if isinstance(body, dict) and last in body:
        body[last] = releases.MASK
    elif isinstance(body, list) and last.isdigit() and int(last) < len(body):
        body[int(last)] = releases.MASK
