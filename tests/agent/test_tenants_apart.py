"""Two tenants on one cluster: the same attacks, refused by the plane at render and by the agent from the signed task."""

import asyncio
import pathlib
from typing import Any

import msgspec
import pytest

from plane.adapters.cluster import kube, kube_kinds
from plane.agent.applying import guard
from plane.agent.kept import releases
from plane.domain import fleet, objects, release
from plane.wire import agent
from tests.support import cases

GRANT = fleet.Grant("acme", ("acme-*",), ("example.com/Widget",))
ATTACKS = cases.load("projects/attacks.yaml")


@pytest.fixture(scope="module")
def served(kubeconfig: pathlib.Path) -> kube_kinds.Kinds:
    """What the cluster serves."""

    async def ask() -> kube_kinds.Kinds:
        api = await kube.connect(str(kubeconfig))
        found = kube_kinds.Kinds(api)
        await found.refresh()
        await api.close()
        return found

    return asyncio.run(ask())


def manifest(body: dict[str, Any]) -> objects.Manifest:
    return objects.Manifest(objects.key_of(body), body["apiVersion"], body)


def task() -> agent.Task:
    scope = agent.Scope(namespaces=GRANT.namespaces, cluster_kinds=GRANT.cluster_kinds)
    return agent.Task(
        id="t", kind="apply", cluster_id="c", app_id="a", tenant="acme", project="shop", app="web", generation=1, expires=0, scope=scope
    )


@pytest.mark.parametrize("case", ATTACKS, ids=[case["name"] for case in ATTACKS])
def test_neither_the_plane_nor_the_agent_lets_a_tenant_out_of_its_part(served: kube_kinds.Kinds, case: dict[str, Any]) -> None:
    one = manifest(case["object"])
    held = releases.Release(app="a", digest="d", documents=(), manifests=(one,), sealed={})
    if case.get("allowed"):
        release.check_scope((one,), GRANT, "east")
        guard.check_scope(task(), held, served)
        return
    if "agent" not in case:  # what hides its scope is found where the cluster's own kinds are known
        with pytest.raises(release.ScopeRefused):
            release.check_scope((one,), GRANT, "east")
    with pytest.raises(guard.TaskRefused, match=case.get("agent", "is outside what tenant acme may use")):
        guard.check_scope(task(), held, served)


@pytest.mark.parametrize(
    ("account", "refused"),
    [
        ("", False),
        ("none", False),
        ("acme-shop:deployer", False),
        ("acme:x", True),
        ("kube-system:x", True),
        ("globex:x", True),
        (":x", True),
    ],
)
def test_the_agent_acts_as_no_service_account_of_another_tenant(account: str, refused: bool) -> None:  # noqa: FBT001 - a column of the table
    told = msgspec.structs.replace(task(), options=agent.Options(run_as=account))
    if not refused:
        guard.check_account(told)
        return
    with pytest.raises(guard.TaskRefused, match=f"the service account {account} is outside what tenant acme may use"):
        guard.check_account(told)
