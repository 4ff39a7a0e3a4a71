"""Objects, their keys and positions."""

import pytest

from plane.domain import objects
from plane.domain.reading import manifests

TWO = b"""# comment
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: shop}
---
# nothing
---

apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
"""

LIST = b"""apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: a}
  - apiVersion: v1
    kind: Secret
    metadata: {name: b}
"""


def refusal(text: bytes) -> str:
    with pytest.raises(manifests.Unreadable) as caught:
        manifests.read(text, file="app.yaml")
    return str(caught.value)


def test_every_object_knows_its_key_and_where_it_begins() -> None:
    first, second = manifests.read(TWO, file="app.yaml")
    assert (first.key, str(first.position)) == (objects.ObjectKey("", "ConfigMap", "shop", "a"), "app.yaml:2")
    assert (second.key, str(second.position)) == (objects.ObjectKey("apps", "Deployment", "", "web"), "app.yaml:9")


def test_a_list_is_its_items_each_at_its_own_line() -> None:
    assert [(manifest.key.name, str(manifest.position)) for manifest in manifests.read(LIST, file="l.yaml")] == [
        ("a", "l.yaml:4"),
        ("b", "l.yaml:7"),
    ]


def test_items_of_a_typed_list_take_their_kind_from_it() -> None:
    (manifest,) = manifests.read(b'{"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}', file="l.json")
    assert (manifest.key.kind, manifest.api_version, manifest.body["kind"]) == ("ConfigMap", "v1", "ConfigMap")


def test_an_empty_file_holds_no_objects() -> None:
    assert manifests.read(b"# nothing\n---\n", file="app.yaml") == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"a: 1", "app.yaml:1: apiVersion is missing; every Kubernetes object has apiVersion, kind and metadata.name"),
        (b"\n\napiVersion: v1", "app.yaml:3: kind is missing; every Kubernetes object has apiVersion, kind and metadata.name"),
        (b"apiVersion: 1\nkind: X", "app.yaml:1: apiVersion must be text, this is the number 1; every Kubernetes object has"),
        (b"apiVersion: v1\nkind: ConfigMap", "app.yaml:1: ConfigMap has no metadata; give it `metadata:` with a name"),
        (b"apiVersion: v1\nkind: ConfigMap\nmetadata: {}", "app.yaml:1: ConfigMap has no metadata.name; give it one"),
        (b"apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}", "app.yaml:1: Pod has generateName, which only hooks may have"),
        (
            b"apiVersion: v1\nkind: Pod\nmetadata: {name: n}",
            "metadata.name of Pod must be text, this is the boolean false; put it in quotes",
        ),
        (
            b"apiVersion: v1\nkind: Pod\nmetadata: {name: 12}",
            "app.yaml:1: metadata.name of Pod must be text, this is the number 12; put it in quotes",
        ),
        (
            b"apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {on: on}}",
            "labels[true] of Pod a must be text, this is the boolean true; put it in quotes",
        ),
        (b"- a", "app.yaml:1: a Kubernetes object is a mapping with apiVersion and kind, this is a list"),
        (b"apiVersion: v1\nkind: List\nitems: [3]", "a Kubernetes object is a mapping with apiVersion and kind, this is the number 3"),
    ],
)
def test_what_is_no_object_is_refused_with_the_way_out(text: bytes, sentence: str) -> None:
    assert sentence in refusal(text)


def test_a_hook_may_have_a_generated_name() -> None:
    (manifest,) = manifests.read(
        b"apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-, annotations: {argocd.argoproj.io/hook: PreSync}}", file="j.yaml"
    )
    assert manifest.key.name == ""


def test_the_same_object_twice_is_refused_with_both_positions() -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    with pytest.raises(manifests.Duplicate, match=r"^app\.yaml:5: ConfigMap a is already defined at app\.yaml:1; keep one of the two$"):
        manifests.duplicates(manifests.read(text + b"---\n" + text, file="app.yaml"))
