"""What a patch must look like, and that none carries the values of a Secret."""

import pytest

from plane.domain.acting import patching


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", {"spec": {"replicas": 2}}),
        ("strategic", {"metadata": {"labels": None}}),
        ("json", [{"op": "remove", "path": "/spec/paused"}, {"op": "add", "path": "/metadata/labels/a", "value": "b"}]),
        ("json", [{"op": "move", "from": "/spec/a", "path": "/spec/b"}]),
    ],
)
def test_a_patch_as_it_should_be(kind: patching.Type, patch: object) -> None:
    assert patching.problems(kind, patch, secret=True) == {}


@pytest.mark.parametrize(
    ("kind", "patch", "where", "rule"),
    [
        ("merge", [], "patch", "is a mapping"),
        ("merge", {}, "patch", "is a mapping"),
        ("strategic", "spec", "patch", "is a mapping"),
        ("merge", {"metadata": None}, "patch.metadata", "must be a mapping"),
        ("json", {"op": "remove", "path": "/a"}, "patch", "is a list of 1 to 500 steps"),
        ("json", [], "patch", "is a list of 1 to 500 steps"),
        ("json", ["remove"], "patch[0]", "needs an op: add, copy, move, remove, replace, test"),
        ("json", [{"op": "change", "path": "/a"}], "patch[0]", "needs an op"),
        ("json", [{"op": "add", "path": "/a"}], "patch[0]", "op add needs value"),
        ("json", [{"op": "copy"}], "patch[0]", "op copy needs from and path"),
        ("json", [{"op": "remove", "path": "spec.paused"}], "patch[0]", "is a JSON pointer"),
        ("json", [{"op": "replace", "path": "", "value": {}}], "patch[0]", "is a JSON pointer"),
    ],
)
def test_what_is_no_patch_is_told(kind: patching.Type, patch: object, where: str, rule: str) -> None:
    assert rule in patching.problems(kind, patch, secret=False)[where]


@pytest.mark.parametrize(
    ("kind", "patch", "where"),
    [
        ("merge", {"data": {"a": "c2VjcmV0"}}, "patch.data"),
        ("strategic", {"stringData": {"a": "secret"}}, "patch.stringData"),
        ("json", [{"op": "test", "path": "/data/a", "value": "guess"}], "patch[0]"),
        ("json", [{"op": "copy", "from": "/data/a", "path": "/metadata/annotations/a"}], "patch[0]"),
        ("json", [{"op": "add", "path": "/stringData", "value": {}}], "patch[0]"),
    ],
)
def test_a_patch_neither_brings_nor_moves_secret_values(kind: patching.Type, patch: object, where: str) -> None:
    assert patching.problems(kind, patch, secret=True)[where].startswith("the plane keeps no secret value")
    assert patching.problems(kind, patch, secret=False) == {}
