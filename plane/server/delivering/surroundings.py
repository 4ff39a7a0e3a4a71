"""What the plane tells rules besides the objects: of what it has at hand, what a policy set reads; nothing is asked for it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from plane.domain import objects
from plane.domain.deciding import decide
from plane.domain.judging import policy, surroundings
from plane.domain.permitting import projects
from plane.domain.rendering import opening
from plane.store.delivering import facts
from plane.wire import agent

BESIDE = ("changes", "inventory")  # what lies in the database
LATER = ("clear", *BESIDE)  # what is not known before the render


class Beside(msgspec.Struct, frozen=True):
    """What the database has of it. `base`: digest of the release that the cluster keeps, which `changes` begin with."""

    base: str = ""
    changes: tuple[surroundings.Change, ...] = ()
    inventory: surroundings.Inventory = surroundings.Inventory()


class Known(msgspec.Struct, frozen=True):
    """`manifests`: as they come from the source, in the order in which they are judged. `source`: without what only a render tells.

    `clear`: what is in the clear among manifests that are no longer there.
    """

    app: facts.App
    cluster: facts.Cluster
    served: agent.Capabilities | None
    manifests: tuple[objects.Manifest, ...] = ()
    source: surroundings.SourceFacts = surroundings.SourceFacts()
    beside: Beside = Beside()
    clear: Mapping[str, tuple[str, ...]] = {}


def told(asked: policy.PolicyInput, binding: policy.Binding, known: Known) -> policy.PolicyInput:
    """The question that one binding asks."""
    return msgspec.structs.replace(asked, parameters=binding.parameters, **_fields(binding, known))


def reads(bindings: tuple[policy.Binding, ...]) -> frozenset[str]:
    """What of the database some set looks at."""
    return frozenset(field for field in (*BESIDE, *policy.PARTS) if any(policy.reads(one.policy, field) for one in bindings))


def key(bindings: tuple[policy.Binding, ...], known: Known) -> list[Any]:
    """What a verdict depends on that nothing else of a release does; empty when no set reads it. Without what is known later."""
    named = {field: value for binding in bindings for field, value in _fields(binding, known).items() if field not in LATER}
    asked = _asked_for(bindings, known.app.request)
    return [msgspec.to_builtins(named | asked)] if named or asked else []


def _asked_for(bindings: tuple[policy.Binding, ...], request: decide.Request | None) -> dict[str, str]:
    """Who asked, and for what; nothing while nobody does, so that a release stays what it is once a request is taken up."""
    if request is None:
        return {}
    told = {"trigger": request.trigger, "actor": request.actor}
    return {field: value for field, value in told.items() if any(policy.reads(one.policy, field) for one in bindings)}


def _fields(binding: policy.Binding, known: Known) -> dict[str, Any]:
    found = {field: tell(known) for field, tell in _TELL.items() if policy.reads(binding.policy, field)}
    if "inventory" in found:
        found["inventory"] = surroundings.narrowed(found["inventory"], reads((binding,)))
    return found


def _project(known: Known) -> surroundings.ProjectFacts:
    rules, grant = known.app.rules, known.cluster.grant
    here = projects.Where(known.cluster.name, labels=known.cluster.labels)
    return surroundings.ProjectFacts(
        namespaces=_allowed(projects.namespaces(rules, here)) if rules.destinations else grant.namespaces,
        cluster_kinds=grant.cluster_kinds,
        repositories=_allowed(rules.source_repos) or None,
    )


def _allowed(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that take away: what they are about has been refused before."""
    return tuple(one for one in entries if not one.startswith("!"))


def _cluster(known: Known) -> surroundings.ClusterFacts:
    kinds: dict[str, surroundings.Served] = {}
    for one in known.served.kinds if known.served else ():
        name = f"{one.group}/{one.kind}"
        versions = kinds[name].versions if name in kinds else ()
        kinds[name] = surroundings.Served(versions=(*versions, one.version), namespaced=one.namespaced)
    return surroundings.ClusterFacts(kinds=kinds)


def clear(manifests: Iterable[objects.Manifest]) -> dict[str, tuple[str, ...]]:
    """Number of a manifest → pointers to the values that stand in it in the clear."""
    found = ((str(number), tuple(opening.clear(manifest))) for number, manifest in enumerate(manifests))
    return {number: pointers for number, pointers in found if pointers}


_TELL: dict[str, Callable[[Known], Any]] = {
    "project": _project,
    "cluster": _cluster,
    "clear": lambda known: clear(known.manifests) if known.manifests else dict(known.clear),
    "source": lambda known: known.source,
    "changes": lambda known: known.beside.changes,
    "inventory": lambda known: known.beside.inventory,
}
