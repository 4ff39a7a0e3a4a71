"""What one operation is told and finds: its terms, and the slim view of what lives in the cluster."""

from typing import Any, Literal

import msgspec

from plane.domain import annotations, kinds, objects, options, release
from plane.domain.planning import selection, waves

HELM_KEEP = "helm.sh/resource-policy"

Strategy = Literal["hook", "apply"]  # apply: hooks do not run


class Live(msgspec.Struct, frozen=True):
    """What planning needs of an object in the cluster; `live` makes it.

    Attributes:
        owner: the app id in its label.
        mark: tenant/project/app, for people.
        wave: as it was applied.
        hook: it was made as a hook.
        own: its own sync options.
        keep: helm.sh/resource-policy: keep.
        defines: of a CustomResourceDefinition, the kind it brings.
    """

    key: objects.ObjectKey
    owner: str = ""
    mark: str = ""
    uid: str = ""
    wave: int = 0
    hook: bool = False
    own: options.Own = options.Own()
    keep: bool = False
    defines: kinds.Kind | None = None


class Namespace(msgspec.Struct, frozen=True):
    """CreateNamespace=true: the destination's namespace, and `managedNamespaceMetadata`."""

    name: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Options(msgspec.Struct, frozen=True):
    """How one operation behaves.

    Attributes:
        app_id: whose objects may be pruned.
        prune: whether objects that are no longer wanted are deleted.
        allow_empty: whether that holds when nothing at all is wanted.
        removing: the app goes away: everything of it is pruned and its delete hooks run.
        approved: a person agreed to what Prune=confirm and Delete=confirm ask about.
        strategy: whether hooks run.
        chosen: of a selective sync; then no hook runs, and nothing else is pruned.
        out_of_sync: with ApplyOutOfSyncOnly, what differs; None: unknown, so everything is applied.
        namespace: to create first.
        sync: the app's sync options.
        revision: with started_at, part of the names of hooks that have only generateName.
        started_at: Unix seconds, or whatever else tells operations apart.
    """

    app_id: str
    prune: bool = False
    allow_empty: bool = False
    removing: bool = False
    approved: bool = False
    strategy: Strategy = "hook"
    chosen: selection.Selection | None = None
    out_of_sync: frozenset[objects.ObjectKey] | None = None
    namespace: Namespace | None = None
    sync: options.App = options.App()
    revision: str = ""
    started_at: int = 0

    def hooks(self) -> bool:
        """Whether hooks run at all."""
        return self.strategy == "hook" and self.chosen is None


def live(body: dict[str, Any]) -> Live:
    """The slim view of a live object."""
    meta = body.get("metadata") or {}
    labels, marks = meta.get("labels") or {}, annotations.of(body)
    key = objects.key_of(body)
    return Live(
        key,
        owner=labels.get(release.OWNER_LABEL, ""),
        mark=marks.get(release.OWNER_ANNOTATION, ""),
        uid=meta.get("uid", ""),
        wave=waves.wave_of(marks),
        hook=waves.is_hook(marks),
        own=options.seen(marks),
        keep=marks.get(HELM_KEEP) == "keep",
        defines=kinds.brought(body) if (key.group, key.kind) == kinds.CRD else None,
    )


def ignores(manifest: objects.Manifest, told: Options) -> bool:
    """Whether the apply policy of a wanted object is to leave it alone; it is not pruned either."""
    return (options.own(manifest).ssa or told.sync.ssa) == "Ignore"
