"""What an app takes for itself, and who is in its way."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plane.domain import objects
from plane.domain.judging import claims, surroundings

LABELS = st.lists(st.sampled_from(["a", "b", "shop", "x-1"]), min_size=1, max_size=4)


def manifest(api: str, kind: str, spec: object, namespace: str = "shop") -> objects.Manifest:
    """One named web."""
    body: dict[str, Any] = {"apiVersion": api, "kind": kind, "metadata": {"name": "web", "namespace": namespace}, "spec": spec}
    return objects.Manifest(objects.key_of(body), api, body)


INGRESS = "networking.k8s.io/v1"
GATEWAY = "gateway.networking.k8s.io/v1"


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (manifest("v1", "Namespace", {}, ""), {"o one /Namespace /web"}),
        (manifest("apps/v1", "Deployment", {}), {"o one apps/Deployment shop/web", "n one shop"}),
        (manifest(INGRESS, "NetworkPolicy", {}), {"o one networking.k8s.io/NetworkPolicy shop/web", "n one shop", "g one shop"}),
        (manifest(INGRESS, "Ingress", {"rules": [{"host": "Web.Shop.example."}, {}, 7]}), {"h example.shop.web."}),
        (manifest(GATEWAY, "HTTPRoute", {"hostnames": ["*.shop.example", None]}), {"h example.shop.*."}),
        (manifest(GATEWAY, "Gateway", {"listeners": [{"hostname": "a.example"}, "b"]}), {"h example.a."}),
        (manifest(GATEWAY, "Gateway", "wrong"), set()),
    ],
)
def test_a_release_claims_its_objects_its_hosts_and_its_namespaces(made: objects.Manifest, names: set[str]) -> None:
    found = claims.of([made], "one")
    assert names <= found
    assert {name for name in found if name.startswith("h ")} == {name for name in names if name.startswith("h ")}


def test_what_the_cluster_names_itself_is_nobodys() -> None:
    body: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "load-", "namespace": "shop"}}
    assert claims.of([objects.Manifest(objects.key_of(body), "batch/v1", body)], "one") == frozenset()


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("h example.shop.", "h example.shop.", True),
        ("h example.shop.", "h example.shop.web.", False),
        ("h example.shop.*.", "h example.shop.", False),
        ("h example.shop.*.", "h example.shop.web.", True),
        ("h example.shop.*.", "h example.shop.web.api.", True),
        ("h example.shop.*.", "h example.shops.web.", False),
        ("h example.*.", "h example.shop.*.", True),
        ("h *.", "h example.", True),
        ("o one /ConfigMap shop/a", "o two /ConfigMap shop/a", False),
        ("n one shop", "n one shop", False),
    ],
)
def test_hosts_meet_as_wildcards_do_and_namespaces_are_for_many(one: str, other: str, meets: bool) -> None:  # noqa: FBT001
    assert (claims.meet([one], [other]), claims.meet([other], [one])) == (meets, meets)


@given(LABELS, LABELS, st.booleans(), st.booleans())
@settings(max_examples=100)
def test_whoever_meets_is_met(one: list[str], other: list[str], wild: bool, also: bool) -> None:  # noqa: FBT001
    names = ["h " + "".join(f"{label}." for label in labels) + ("*." if star else "") for labels, star in ((one, wild), (other, also))]
    assert claims.meet(names[:1], names[1:]) == claims.meet(names[1:], names[:1])


def test_of_another_tenant_rules_hear_that_it_has_what_they_name_themselves() -> None:
    found = claims.inventory(
        [
            claims.Neighbour("h example.shop.*."),
            claims.Neighbour("h example.shop.*.", "h example.shop.web.", "shop/web"),
            claims.Neighbour("o one apps/Deployment shop/web"),
            claims.Neighbour("n one shop", "n one shop", "shop/api"),
            claims.Neighbour("n one shop"),
            claims.Neighbour("g one shop"),
        ]
    )
    assert found == surroundings.Inventory(
        hosts=(surroundings.Host(host="*.shop.example", owner="another tenant"), surroundings.Host(host="web.shop.example", owner="shop")),
        owners=(surroundings.Held(group="apps", kind="Deployment", namespace="shop", name="web", owner="another tenant"),),
        namespaces=(surroundings.Shared(name="shop", owners=("another tenant", "shop/api")),),
        guarded=("shop",),
    )
