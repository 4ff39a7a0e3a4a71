"""What lies in a namespace and belongs to no app is found, and nothing that Kubernetes or an app has there."""

import msgspec

from plane.wire import agent as wire
from plane.wire import orphans
from tests.agent.conftest import Agent
from tests.agent.kube import Kube, config_map, deployment
from tests.agent.plane_end import PlaneEnd


def test_what_belongs_to_no_app_is_listed_and_the_rest_is_not(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, deployment(kube.namespace, "web"), config_map(kube.namespace, "ours")))
    kube.create("configmaps", config_map(kube.namespace, "forgotten"))
    where = orphans.Where(namespaces=(kube.namespace,))
    final = shared_plane.final(shared_plane.ask(app, "orphans", terms=where))
    assert final.outcome == "succeeded", final.message
    found = msgspec.json.decode(final.live, type=orphans.Found)
    mine = {one.key for one in found.items if one.key.name not in agents_own(found)}
    assert wire.Key("", "ConfigMap", kube.namespace, "forgotten") in mine
    assert not {
        key for key in mine if key.name in {"web", "ours", "default", "kube-root-ca.crt"} or key.kind in {"Pod", "ReplicaSet", "Event"}
    }
    assert all(one.created for one in found.items)


def agents_own(found: orphans.Found) -> set[str]:
    """The test's agent keeps its Secret and fence in the same namespace."""
    return {one.key.name for one in found.items if one.key.name.startswith("gitops-plane")}


def test_a_namespace_outside_the_tasks_scope_is_not_looked_into(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    kube.create("configmaps", config_map(kube.namespace, "stranger"))
    asked = shared_plane.ask(app, "orphans", terms=orphans.Where(namespaces=(kube.namespace,)), scope=wire.Scope(namespaces=("other",)))
    assert msgspec.json.decode(shared_plane.final(asked).live, type=orphans.Found).items == ()
