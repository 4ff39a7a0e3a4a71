"""App: where its objects come from, where they go and how they are kept. Field names and meanings follow Argo CD's Application."""

from typing import Literal

import msgspec


class HelmParameter(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One `--set`; `force_string` makes it `--set-string`."""

    name: str
    value: str
    force_string: bool = False


class Helm(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How a chart is rendered. Precedence: parameters > values_object > values > value_files > the chart's own values."""

    release_name: str = ""
    value_files: tuple[str, ...] = ()
    values: str = ""
    values_object: dict[str, object] = {}
    parameters: tuple[HelmParameter, ...] = ()
    ignore_missing_value_files: bool = False
    skip_crds: bool = False
    namespace: str = ""


class Kustomize(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Changes laid over a kustomization, as `kustomize edit` would make them."""

    name_prefix: str = ""
    name_suffix: str = ""
    namespace: str = ""
    images: tuple[str, ...] = ()
    common_labels: dict[str, str] = {}
    common_annotations: dict[str, str] = {}


class Directory(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Plain manifests. `include` and `exclude` are globs over the path below the source's path, comma lists in braces."""

    recurse: bool = False
    include: str = ""
    exclude: str = ""


class Source(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A folder of a repository at a revision. At most one of helm, kustomize, directory; none: found out from the files.

    `ref` lets other sources' valueFiles name files of this one as `$ref/path`; with it and without a path nothing is rendered.
    """

    repo_url: str = msgspec.field(name="repoURL")
    path: str = "."
    target_revision: str = "HEAD"
    helm: Helm | None = None
    kustomize: Kustomize | None = None
    directory: Directory | None = None
    ref: str = ""

    def rendered(self) -> bool:
        """Whether it makes objects of its own, rather than only lending files."""
        return not (self.ref and self.path == ".") or bool(self.helm or self.kustomize or self.directory)


class Destination(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A cluster by its name, and the namespace of objects that name none."""

    cluster: str
    namespace: str = ""


class Automated(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Sync without a person. `enabled` absent means on, so that a template can keep the block."""

    enabled: bool | None = None
    prune: bool = False
    self_heal: bool = False
    allow_empty: bool = False


class NamespaceMetadata(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What the destination's namespace gets beside CreateNamespace=true, also when it is there already."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Backoff(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How long to wait before a retry: `duration`, then `factor` times as long each, at most `max_duration`."""

    duration: str = "5s"
    factor: int = 2
    max_duration: str = "3m"


class Retry(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How often a failed sync is tried again; -1: for ever. A newer commit is always taken instead, whatever `refresh` says."""

    limit: int = 0
    backoff: Backoff = Backoff()
    refresh: bool = False


class AutoRollback(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """When a release gives way to the last one that was Synced and Healthy: it leaves the app Degraded for `on_degraded`.

    What begins later than `within` after the sync is not the release's fault.
    """

    on_degraded: str
    within: str = "1h"


class SyncPolicy(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`sync_options` are `Name=value` words, spelled as Argo CD spells them."""

    automated: Automated | None = None
    sync_options: tuple[str, ...] = ()
    managed_namespace_metadata: NamespaceMetadata = NamespaceMetadata()
    retry: Retry | None = None
    rollback: AutoRollback | None = None


class KnownType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field of a custom kind that holds a type of Kubernetes' own: `spec.resources`, `core/v1/ResourceList`."""

    field: str
    type: str


class IgnoreDifference(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Fields of matching objects that somebody else may own. group and kind are globs; jq expressions name paths.

    `known_type_fields`: where only the spelling may differ, of an amount or a duration.
    """

    kind: str
    group: str = ""
    name: str = ""
    namespace: str = ""
    json_pointers: tuple[str, ...] = ()
    jq_path_expressions: tuple[str, ...] = ()
    managed_fields_managers: tuple[str, ...] = ()
    known_type_fields: tuple[KnownType, ...] = ()


class Drift(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What becomes of fields that others add to the app's objects: passed over, told, or removed again."""

    foreign: Literal["ignore", "report", "revert"] = "report"


class Info(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A free line for people."""

    name: str
    value: str


class BlastRadius(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How much one plan may delete without a person: the smaller of the two bounds counts; guarded kinds always wait."""

    max_deletes: int = 10
    max_percent: int = 50


class AppSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The whole wish of an app; exactly one of `source` and `sources`."""

    destination: Destination
    source: Source | None = None
    sources: tuple[Source, ...] = ()
    sync_policy: SyncPolicy = SyncPolicy()
    ignore_differences: tuple[IgnoreDifference, ...] = ()
    drift: Drift = Drift()
    revision_history_limit: int = 10
    info: tuple[Info, ...] = ()
    blast_radius: BlastRadius = BlastRadius()

    def all_sources(self) -> tuple[Source, ...]:
        """The sources in order, whichever field holds them."""
        return self.sources or ((self.source,) if self.source else ())

    def automated(self) -> Automated | None:
        """The automation in force, or None when a person must ask for each sync."""
        wanted = self.sync_policy.automated
        return wanted if wanted and wanted.enabled is not False else None


SyncStatus = Literal["Synced", "OutOfSync", "Unknown"]
