"""Writing as the service account that a project names, against a real API server with RBAC: never as the agent instead."""

from typing import Any

import pytest

from plane.domain.permitting import namespaces
from plane.wire import agent as wire
from plane.wire import permitted
from tests.agent.conftest import Agent
from tests.agent.kube import Kube, config_map
from tests.agent.plane_end import PlaneEnd
from tests.support import waiting

RBAC = "rbac.authorization.k8s.io"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
BACKGROUND = ("PrunePropagationPolicy=background",)
VERBS = ("get", "create", "patch")


@pytest.fixture
def account(kube: Kube) -> str:
    """One that may write ConfigMaps of the namespace, and delete none."""
    meta = {"name": "deployer", "namespace": kube.namespace}
    kube.create("serviceaccounts", {"metadata": meta})
    kube.create(f"{RBAC}/v1/roles", {"metadata": meta, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": VERBS}]})
    subject = {"kind": "ServiceAccount", **meta}
    role = {"apiGroup": RBAC, "kind": "Role", "name": "deployer"}
    kube.create(f"{RBAC}/v1/rolebindings", {"metadata": meta, "roleRef": role, "subjects": [subject]})
    until_it_may(kube, f"system:serviceaccount:{kube.namespace}:deployer")
    return f"{kube.namespace}:deployer"


def until_it_may(kube: Kube, user: str, resource: str = "configmaps", verb: str = "patch") -> None:
    """The API server's authoriser hears of a binding a moment later."""
    asked = {"user": user, "resourceAttributes": {"namespace": kube.namespace, "resource": resource, "verb": verb}}
    waiting.until(lambda: kube.create(REVIEWS, {"spec": asked})["status"]["allowed"], lambda: f"{user} has no rights")


def secret(namespace: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden", "namespace": namespace}, "stringData": {"a": "b"}}


def test_what_the_account_may_not_is_refused_though_the_agent_could(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, account: str
) -> None:
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), secret(kube.namespace), run_as=account))
    assert final.outcome == "failed"
    told = {one.key.kind: (one.result, one.message) for one in final.results}
    assert told["ConfigMap"][0] == "Synced"
    assert f'User "system:serviceaccount:{account}" cannot patch resource "secrets"' in told["Secret"][1]
    assert kube.get("secrets", "hidden") is None


def test_pruning_is_the_accounts_doing_too(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, account: str) -> None:
    both = [config_map(kube.namespace, name) for name in ("old", "new")]
    shared_plane.final(shared_plane.apply(app, *both, run_as=account))
    final = shared_plane.final(shared_plane.apply(app, both[1], prune=True, run_as=account, sync_options=BACKGROUND))
    assert (final.outcome, f'"system:serviceaccount:{account}" cannot delete' in final.message) == ("failed", True), final
    assert kube.there("configmaps", "old")


def test_where_the_project_names_no_account_nothing_is_written_as_the_agent(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str
) -> None:
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), run_as=permitted.NOBODY))
    assert (final.outcome, "names no service account for this destination" in final.results[0].message) == ("failed", True), final
    assert kube.get("configmaps", "web") is None


def test_an_account_that_is_none_is_not_asked_for(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    for name in ("system:masters", "default:a\r\nX-Remote-User: admin", "default", ":admin"):
        final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), run_as=name))
        assert (final.outcome, kube.get("configmaps", "web")) == ("failed", None), name


def test_a_repair_is_made_as_the_account(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, account: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue"), run_as=account, self_heal=True))
    kube.delete("configmaps", "web")
    healed = kube.until("configmaps", "web", lambda one: one is not None)
    assert healed is not None
    assert healed["data"] == {"colour": "blue"}


def test_a_namespace_begins_with_the_tenants_template_whoever_the_app_syncs_as(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, account: str
) -> None:
    wanted = namespaces.Template(
        resource_quota={"hard": {"pods": "2"}},
        limit_range={"limits": [{"type": "Container", "default": {"memory": "64Mi"}}]},
        network_policy="deny-ingress",
    )
    told: dict[str, Any] = {
        "create_namespace": kube.namespace,
        "namespace_template": namespaces.documents(wanted, tenant="acme"),
        "run_as": account,
    }
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}  # may look whether the namespace is there
    subject = {"kind": "ServiceAccount", "name": "deployer", "namespace": kube.namespace}
    kube.create(f"{RBAC}/v1/rolebindings", {"metadata": {"name": "looks"}, "roleRef": role, "subjects": [subject]})
    until_it_may(kube, f"system:serviceaccount:{account}", "namespaces", "get")
    web = config_map(kube.namespace, "web")
    final = shared_plane.final(shared_plane.apply(app, web, **told))
    assert final.outcome == "succeeded", final
    assert shared_plane.final(shared_plane.apply(app, web, prune=True, **told)).outcome == "succeeded"
    assert kube.there("resourcequotas", namespaces.NAME)["spec"]["hard"] == {"pods": "2"}
    assert kube.there("limitranges", namespaces.NAME)["metadata"]["labels"] == {namespaces.TENANT_LABEL: "acme"}
    assert kube.there("networking.k8s.io/v1/networkpolicies", namespaces.NAME)["spec"]["policyTypes"] == ["Ingress"]


def test_a_template_holds_three_kinds_and_no_other(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    role = b'{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"}}'
    told: dict[str, Any] = {"create_namespace": kube.namespace, "namespace_template": (role,)}
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), **told))
    assert (final.outcome, final.message) == ("failed", "a tenant's template may not hold a Role")


def test_an_object_that_its_project_does_not_allow_is_refused_from_the_signed_task(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str
) -> None:
    rules = permitted.Rules(namespace_denied=(permitted.Kinds("", "Secret"),), namespaces=("*", "!kube-*"))
    scope = wire.Scope(namespaces=("*",), cluster_kinds=("*",), rules=rules)
    denied = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), secret(kube.namespace), scope=scope))
    assert (denied.outcome, "is denied by /Secret in the namespaceResourceBlacklist of project" in denied.message) == ("refused", True)
    elsewhere = shared_plane.final(shared_plane.apply(app, config_map("kube-public", "web"), scope=scope))
    assert (elsewhere.outcome, "is left out by" in elsewhere.message) == ("refused", True)
    assert kube.get("configmaps", "web") is None
