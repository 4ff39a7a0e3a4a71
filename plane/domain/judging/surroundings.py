"""What rules may know besides the objects and the context: the project, its cluster, what else is there, what would change.

Published as docs/policies/input.schema.json. A field that is not known is left out, and a rule that reads it says nothing.
"""

from collections.abc import Container
from typing import Literal

import msgspec

Action = Literal["create", "update", "replace", "delete"]
Names = tuple[str, ...]


class ProjectFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """What the project may use. Globs; `cluster_kinds` are `group/Kind`, `quota` is resource → quantity."""

    namespaces: Names | None = None
    cluster_kinds: Names | None = None
    api_groups: Names | None = None
    repositories: Names | None = None
    quota: dict[str, str] = {}
    vault_prefixes: Names | None = None
    sops_recipients: Names | None = None


class Served(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """How the cluster serves a kind; no versions means that they are not known."""

    versions: Names = ()
    namespaced: bool = True


class ClusterFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """What the agent found. `kinds`: `group/Kind` → how it is served; empty: not known."""

    kinds: dict[str, Served] = {}


class Host(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """A host name that some app answers for, on whichever cluster. `owner` is its project, or `another tenant`."""

    host: str
    owner: str
    cluster: str = ""


class Held(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """An object on the target cluster that another app keeps. `owner` is `project/app`, or `another tenant`."""

    kind: str
    name: str
    owner: str
    group: str = ""
    namespace: str = ""


class Shared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A namespace of the release in which other apps keep objects: their `project/app`, or `another tenant`."""

    name: str
    owners: Names


class Inventory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """What else runs there, as far as the release meets it. `guarded`: namespaces in which a NetworkPolicy of another app lies."""

    hosts: tuple[Host, ...] = ()
    owners: tuple[Held, ...] = ()
    namespaces: tuple[Shared, ...] = ()
    guarded: Names = ()


def narrowed(inventory: Inventory, parts: Container[str]) -> Inventory:
    """Only these parts of it, `inventory.NAME` each."""
    left_out = {name: () for name in inventory.__struct_fields__ if f"inventory.{name}" not in parts}
    return msgspec.structs.replace(inventory, **left_out)


class ObjectName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    kind: str
    name: str
    group: str = ""
    namespace: str = ""


class Replicas(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    before: int
    after: int


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """What the release would do to one object; objects that no change names stay as they are."""

    action: Action
    object: ObjectName
    replicas: Replicas | None = None


class SourceOrigin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """One source of the app. `revision`: as asked for. `floating`: it is a branch or HEAD, so that the next commit may be another."""

    repo_url: str = msgspec.field(name="repoURL")
    path: str = "."
    revision: str = ""
    floating: bool = False
    kind: Literal["", "plain", "kustomize", "helm"] = ""  # empty: it only lends files
    chart: str = ""  # the name in Chart.yaml


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """Where the objects come from, and what rendering reached for besides the source's own files."""

    origins: tuple[SourceOrigin, ...] = ()

    remotes: Names = ()
    plugins: Names = ()
    post_renderers: Names = ()
    functions: Names = ()


class Rendered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What only a render tells. `clear`: number of a manifest → pointers to values that stood in the source in the clear."""

    source: SourceFacts = SourceFacts()
    clear: dict[str, Names] = {}
