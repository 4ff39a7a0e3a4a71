"""What a release would do to what the cluster keeps of an app, from both as the plane has them."""

from collections.abc import Iterable, Mapping
from typing import Any

from plane.domain import objects, options
from plane.domain.judging import surroundings
from plane.domain.planning import waves

Body = Mapping[str, Any]
SCALED = frozenset({("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("", "ReplicationController")})


def between(before: Iterable[objects.Manifest], after: Iterable[objects.Manifest], app: options.App) -> tuple[surroundings.Change, ...]:
    """Sorted by object; hooks are left out, and what leaves Git and may not be pruned.

    `app`: the app's own options, by which an object may be deleted and made anew rather than updated.
    """
    old, new = _lasting(before), _lasting(after)
    gone = [key for key in old if key not in new and options.own(old[key]).prune != "false"]
    found = {key: _change(key, "delete", old[key], None) for key in gone}
    for key, manifest in new.items():
        if key not in old:
            found[key] = _change(key, "create", None, manifest)
        elif old[key].body != manifest.body:
            found[key] = _change(key, _action(manifest, app), old[key], manifest)
    return tuple(found[key] for key in sorted(found))


def _lasting(manifests: Iterable[objects.Manifest]) -> dict[objects.ObjectKey, objects.Manifest]:
    return {one.key: one for one in manifests if not waves.turn(one).hook}


def _action(manifest: objects.Manifest, app: options.App) -> surroundings.Action:
    meant = options.merged(app, options.own(manifest))
    return "replace" if meant.replace and meant.force else "update"


def _change(
    key: objects.ObjectKey, action: surroundings.Action, before: objects.Manifest | None, after: objects.Manifest | None
) -> surroundings.Change:
    scaled = (key.group, key.kind) in SCALED
    return surroundings.Change(
        action=action,
        object=surroundings.ObjectName(group=key.group, kind=key.kind, namespace=key.namespace, name=key.name),
        replicas=_replicas(before, after) if scaled and before and after else None,
    )


def _replicas(before: objects.Manifest, after: objects.Manifest) -> surroundings.Replicas | None:
    """None where one of the two leaves the number to an autoscaler, or says none at all."""
    numbers = [(one.body.get("spec") or {}).get("replicas") for one in (before, after)]
    known = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
    return surroundings.Replicas(before=known[0], after=known[1]) if len(known) == len(numbers) else None
