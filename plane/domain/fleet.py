"""Clusters: what they are, who may use which part of them, and what they can do."""

import fnmatch
from typing import Annotated

import msgspec


class Capacity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much of a cluster a tenant may use; absent: as much as its quota gives."""

    apps: Annotated[int, msgspec.Meta(ge=0)] | None = None
    namespaces: Annotated[int, msgspec.Meta(ge=0)] | None = None
    objects: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What narrows a grant further."""

    projects: tuple[str, ...] = ()
    capacity: Capacity = Capacity()


class Grant(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A tenant's part of a cluster. `namespaces` are globs; `cluster_kinds` are `group/Kind` globs, none by default.

    `selector` in place of `tenant`: every tenant with such labels, each in namespaces that bear its name (`permitting.sharing`).
    `projects`: globs of the tenant's projects that may use it; none: all, and then it is no project's own.
    """

    tenant: str = ""
    namespaces: tuple[str, ...] = ()
    cluster_kinds: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    capacity: Capacity = Capacity()
    selector: str = ""

    def serves(self, project: str) -> bool:
        """Whether it is for a project's apps."""
        return not self.projects or any(fnmatch.fnmatchcase(project, glob) for glob in self.projects)


class ClusterSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A cluster belongs to the platform; tenants use it through grants.

    `agent_certificate`: the client certificate that its agent must show besides its signature (`permitting.certificates`); empty: none.
    """

    labels: dict[str, str] = {}
    grants: tuple[Grant, ...] = ()
    agent_certificate: Annotated[str, msgspec.Meta(max_length=2048)] = ""


def full(capacity: Capacity, cluster: str, *, apps: int, namespaces: frozenset[str], namespace: str) -> str:
    """Why there is no room for one more app on a cluster, in a namespace, or the empty string."""
    if capacity.apps is not None and apps >= capacity.apps:
        return f"the tenant may have {capacity.apps} apps on cluster {cluster} and has {apps}; {_MORE_ROOM}"
    wanted = namespaces | ({namespace} if namespace else frozenset())
    if capacity.namespaces is not None and len(wanted) > capacity.namespaces:
        return f"the tenant's apps may use {capacity.namespaces} namespaces of cluster {cluster} and use {len(namespaces)}; {_MORE_ROOM}"
    return ""


_MORE_ROOM = "use one that is there, delete an app, or ask the platform team for a higher capacity in the cluster's grant"


class Terms(msgspec.Struct, frozen=True):
    """Who claims in an agent's name: the cluster's own id, the term of office now, and those before it."""

    installation: str = ""
    term: str = ""
    former: tuple[str, ...] = ()

    def twin(self, said: "Terms") -> str:
        """Why what claims now cannot be the agent that claimed before, or the empty string.

        A term that ended never comes back: two that take turns are two agents with the same keys.
        """
        if said.installation and self.installation and said.installation != self.installation:
            return f"an agent with its keys runs in another cluster ({said.installation}) than the one that joined ({self.installation})"
        if said.term and said.term in self.former:
            return f"two agents use its keys in turn: {self.term} and {said.term}"
        return ""

    def next(self, said: "Terms") -> "Terms":
        """With the term that claims now."""
        former = (*self.former, self.term) if self.term else self.former
        return Terms(self.installation, said.term, former[-MOST_TERMS:])


MOST_TERMS = 20  # as many changes of office are remembered; twins take turns far sooner


def lends(grant: Grant, account: str) -> bool:
    """Whether a tenant may act as a service account, NAMESPACE:NAME: one outside its namespaces is another's, with other rights."""
    return permits(grant, group="", kind="ServiceAccount", namespace=account.partition(":")[0] or ":", name="")


def permits(grant: Grant, *, group: str, kind: str, namespace: str, name: str) -> bool:
    """Whether a grant covers an object. A Namespace counts as inside itself alone: a tenant may make the namespaces it is granted.

    No list of kinds gives it another's.
    """
    inside = name if (group, kind) == ("", "Namespace") else namespace
    if inside:
        return any(fnmatch.fnmatchcase(inside, pattern) for pattern in grant.namespaces)
    return any(fnmatch.fnmatchcase(f"{group}/{kind}", pattern) for pattern in grant.cluster_kinds)
