"""The API server's words and the way out of them."""

import pytest

from plane.adapters.cluster import kube
from plane.agent.applying import refusals
from plane.domain import objects

KEY = objects.ObjectKey("apps", "Deployment", "shop", "web")


@pytest.mark.parametrize(
    ("status", "words", "way_out"),
    [
        (500, 'Internal error occurred: failed calling webhook "a.example": connection refused', "see whether the webhook's server runs"),
        (403, 'deployments.apps "web" is forbidden: User "agent" cannot patch resource "deployments"', "widen the rights of that account"),
        (403, 'serviceaccounts "deployer" is forbidden: User "agent" cannot impersonate resource "serviceaccounts"', "rbac.impersonate"),
        (404, 'namespaces "shop" not found', "CreateNamespace=true"),
        (422, "metadata.annotations: Too long: may not be more than 262144 bytes", "leave out ServerSideApply=false"),
        (422, "spec.selector: Invalid value: {...}: field is immutable", "Force=true"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, words: str, way_out: str) -> None:
    told = refusals.explained(kube.KubeRefused(status, "", words), KEY)
    assert way_out in told


def test_a_quoted_object_is_left_out() -> None:
    told = refusals.explained(kube.KubeRefused(422, "Invalid", 'spec: Invalid value: {"secret":"word"}: is wrong'), KEY)
    assert told == "spec: Invalid value: {…}: is wrong"


@pytest.mark.parametrize(
    ("finalizers", "holder"),
    [
        ([], "the API server has not reported its deletion yet"),
        ([refusals.COLLECTOR], "the cluster's garbage collector deletes what it owns first"),
        (["example/a", refusals.COLLECTOR], "its finalizer example/a must be removed by the controller that set it"),
        (["example/a", "example/b"], "its finalizers example/a, example/b must be removed by the controllers that set them"),
    ],
)
def test_what_holds_a_deleted_object_is_named(finalizers: list[str], holder: str) -> None:
    assert holder in refusals.held(KEY, finalizers)
