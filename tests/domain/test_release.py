"""What a release carries and where its objects may go."""

from typing import Any

import pytest

from plane.domain import fleet, objects, release
from plane.domain.permitting import projects

OWNER = release.Owner("a1", "acme", "shop", "web")
GRANT = fleet.Grant("acme", ("acme-*",))


def manifest(kind: str = "ConfigMap", namespace: str = "", name: str = "web", **more: Any) -> objects.Manifest:  # noqa: ANN401 fields of an object
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, **more}
    return objects.Manifest(objects.key_of(body), "v1", body, objects.Position("web/config.yaml", 3))


def test_a_stamp_marks_the_owner_and_fills_the_namespace_in() -> None:
    stamped = release.stamp(manifest(), OWNER, namespace="acme-shop")
    assert stamped.key.namespace == "acme-shop"
    assert stamped.body["metadata"]["labels"] == {release.OWNER_LABEL: "a1"}
    assert stamped.body["metadata"]["annotations"] == {release.OWNER_ANNOTATION: "acme/shop/web"}


def test_a_stamp_leaves_a_named_namespace_and_the_original_alone() -> None:
    original = manifest(namespace="acme-other")
    assert release.stamp(original, OWNER, namespace="acme-shop").key.namespace == "acme-other"
    assert "labels" not in original.body["metadata"]


@pytest.mark.parametrize("one", [manifest(namespace="acme-shop"), manifest("Namespace", name="acme-new")])
def test_what_the_grant_covers_passes(one: objects.Manifest) -> None:
    release.check_scope((one,), GRANT, "east")


@pytest.mark.parametrize("one", [manifest(namespace="kube-system"), manifest("Namespace", name="globex"), manifest("Node", name="n1")])
def test_what_the_grant_does_not_cover_is_refused_with_its_place(one: objects.Manifest) -> None:
    with pytest.raises(release.ScopeRefused, match="outside what this tenant may use on cluster east") as refused:
        release.check_scope((one,), GRANT, "east")
    assert refused.value.where == "web/config.yaml:3"


EAST = projects.Where("east")


def test_a_project_narrows_what_the_tenant_may() -> None:
    rules = projects.Rules(destinations=(projects.Place("east", "acme-shop"), projects.Place("west", "*")))
    release.check_project((manifest(namespace="acme-shop"),), rules, EAST, project="shop")
    with pytest.raises(release.ProjectRefused, match=r"web/config.yaml:3: .* is not among the destinations of project shop") as refused:
        release.check_project((manifest(namespace="acme-other"),), rules, EAST, project="shop")
    assert refused.value.where == "web/config.yaml:3"


def test_a_project_says_which_kinds_its_apps_may_hold() -> None:
    rules = projects.Rules(namespace_resource_blacklist=(projects.Kinds("Config*"),))
    with pytest.raises(release.ProjectRefused, match="is denied by /Config"):
        release.check_project((manifest(namespace="acme-shop"),), rules, EAST, project="shop")


def test_a_project_without_rules_narrows_nothing() -> None:
    release.check_project((manifest(namespace="acme-other"),), projects.Rules(), EAST, project="shop")
