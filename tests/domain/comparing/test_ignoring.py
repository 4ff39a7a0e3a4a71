"""What rules leave out of a comparison, and that they reach no further."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import apps, errors, objects
from plane.domain.comparing import diff, ignoring, ownership
from tests.support import cases

KEY = objects.ObjectKey("apps", "Deployment", "shop", "web")
BODY: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"l": [{"a": 1}, {"a": 2}, {"a": 3}]}}


@pytest.mark.parametrize(("name", "case"), cases.named("ignoring"))
def test_rules_leave_out_what_the_table_says(name: str, case: dict[str, Any]) -> None:
    def query(_: tuple[str, ...], body: dict[str, Any]) -> tuple[tuple[str | int, ...], ...]:
        return tuple(tuple(path) for path in case["jq"]["live" if body is case["live"] else "desired"])

    change = diff.compare_under(case["desired"], case["live"], msgspec.convert(case["rules"], ignoring.Rules), query)
    assert (list(change.fields) if change else []) == case["fields"], name


def test_all_that_matches_counts_once() -> None:
    written = [
        apps.IgnoreDifference(kind="Deployment", group="apps", json_pointers=("/a",), jq_path_expressions=(".b",)),
        apps.IgnoreDifference(kind="*", group="*", json_pointers=("/a", "/c"), managed_fields_managers=("m",)),
        apps.IgnoreDifference(kind="StatefulSet", group="apps", json_pointers=("/d",)),
    ]
    assert ignoring.rules(KEY, written) == ignoring.Rules(("/a", "/c"), (".b",), ("m",))


def test_settings_of_argo_cd_hold_for_the_whole_system() -> None:
    settings = {
        "resource.customizations.ignoreDifferences.all": {"managedFieldsManagers": ["kube-controller-manager"]},
        "resource.customizations.ignoreDifferences.apps_Deployment": {"jsonPointers": ["/spec/replicas"]},
        "resource.customizations.ignoreDifferences.ConfigMap": {"jqPathExpressions": [".data"]},
        "resource.compareoptions": "ignoreAggregatedRoles: true",
    }
    found = ignoring.system(settings)
    assert ignoring.rules(KEY, found) == ignoring.Rules(("/spec/replicas",), (), ("kube-controller-manager",))
    assert ignoring.rules(objects.ObjectKey("", "ConfigMap", "", "a"), found).expressions == (".data",)


def test_a_setting_that_is_no_rule_is_named() -> None:
    with pytest.raises(errors.Invalid, match=r"ignoreDifferences\.all: Expected `array`"):
        ignoring.system({"resource.customizations.ignoreDifferences.all": {"jsonPointers": "/a"}})


def test_without_jq_an_expression_is_refused() -> None:
    with pytest.raises(errors.Invalid, match="use jsonPointers"):
        ignoring.pair(BODY, BODY, ignoring.Rules(expressions=(".spec",)))


STEP = st.sampled_from(["apiVersion", "kind", "metadata", "name", "spec", "l", "a", "none"]) | st.integers(-4, 4)
PATHS = st.lists(st.lists(STEP, max_size=4).map(tuple), max_size=6)


@given(PATHS)
def test_no_path_breaks_an_object_or_takes_its_identity(paths: list[tuple[str | int, ...]]) -> None:
    before = copy.deepcopy(BODY)
    left = ignoring.without(BODY, paths)
    assert before == BODY
    assert objects.key_of(left) == objects.key_of(BODY)
    assert diff.compare(left, BODY) is None or "l" in str(paths)


def test_items_go_from_the_last_to_the_first() -> None:
    left = ignoring.without(BODY, [("spec", "l", 0), ("spec", "l", 2), ("spec", "l", 0, "a")])
    assert left["spec"] == {"l": [{"a": 2}]}


CONTAINERS: dict[str, Any] = {"spec": {"containers": [{"name": "web", "image": "web:1"}], "replicas": 2, "paused": True}}
SIDECAR: dict[str, Any] = {
    "metadata": {
        "managedFields": [
            {"manager": "keda", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "setter", "fieldsV1": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}}}}}},
        ]
    },
    "spec": {"containers": [{"name": "proxy", "image": "proxy:1"}, {"name": "web", "image": "web:2"}], "replicas": 5},
}


@pytest.mark.parametrize(
    ("rules", "spec"),
    [
        (ignoring.Rules(pointers=("/spec/replicas",)), {"replicas": 5}),
        (ignoring.Rules(pointers=("/spec/paused", "/spec/absent")), {"paused": None}),
        (ignoring.Rules(pointers=("/spec/containers/0/image",)), {"containers": [{"name": "web", "image": "web:2"}]}),
        (ignoring.Rules(expressions=("…",)), {"containers": [{"name": "web", "image": "web:2"}]}),
        (ignoring.Rules(managers=("keda",)), {"replicas": None}),
        (ignoring.Rules(managers=("setter",)), {"containers": [{"name": "web", "image": "web:2"}]}),
        (ignoring.Rules(pointers=("", "/metadata", "/kind")), {}),
    ],
    ids=["pointer", "not there", "item by name", "jq", "owned", "owned item", "identity"],
)
def test_what_is_applied_spares_what_is_ignored(rules: ignoring.Rules, spec: dict[str, Any]) -> None:
    found = ignoring.spared(CONTAINERS, SIDECAR, rules, lambda _, __: (("spec", "containers", 0, "image"), ()))
    wanted = {name: value for name, value in (CONTAINERS["spec"] | spec).items() if value is not None}
    assert found == {"spec": wanted}


SIDE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "finalizers": ["example/kept"], "annotations": {"by": "another"}},
    "spec": {"containers": [{"name": "proxy", "image": "proxy:1", "stdin": False}, {"name": "web", "image": "web:1", "tty": True}]},
}


def added(*pointers: str) -> list[ownership.Extra]:
    return [ownership.Extra(pointer, "another", "Update", "") for pointer in pointers]


def test_an_added_item_goes_as_a_whole_and_a_finalizer_stays() -> None:
    names = ("/metadata/annotations/by", "/metadata/finalizers/0", "/spec/containers/0/image", "/spec/containers/0/name")
    left = ignoring.removed(SIDE, added(*names, "/spec/containers/1/tty"))
    assert left["spec"] == {"containers": [{"name": "web", "image": "web:1"}]}
    assert left["metadata"] == {"name": "web", "finalizers": ["example/kept"], "annotations": {}}


def test_what_rules_name_is_no_addition() -> None:
    owned: dict[str, Any] = {"f:data": {"f:a": {}, "f:b": {}, "f:c": {}}}
    live = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "data": {"a": "1", "b": "1", "c": "1", "d": "1"},
        "metadata": {
            "name": "a",
            "managedFields": [{"manager": "x", "fieldsV1": owned}, {"manager": "y", "fieldsV1": {"f:data": {"f:d": {}}}}],
        },
    }
    desired = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    rules = ignoring.Rules(pointers=("/data/a",), expressions=(".data.b",), managers=("y",))
    found = ignoring.extras(desired, live, rules, lambda _, __: (("data", "b"),))
    assert [one.pointer for one in found] == ["/data/c"]


SIZED = apps.IgnoreDifference(kind="Widget", group="x.example", known_type_fields=(apps.KnownType("spec.size", "core/Quantity"),))


def widget(size: str) -> dict[str, Any]:
    return {"apiVersion": "x.example/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"size": size}}


@pytest.mark.parametrize(("live", "differs"), [("1", False), ("1000m", False), ("2", True)])
def test_an_amount_inside_a_custom_kind_compares_by_what_it_means_where_somebody_says_so(live: str, differs: bool) -> None:  # noqa: FBT001 a case
    rules = ignoring.rules(objects.key_of(widget("1000m")), [SIZED])
    assert (diff.compare_under(widget("1000m"), widget(live), rules) is not None) == differs
    assert bool(diff.text_under(widget("1000m"), widget(live), rules)) == differs
    assert diff.compare(widget("1000m"), widget("1")) is not None


def test_a_type_that_is_none_is_refused_by_its_place() -> None:
    wrong = msgspec.structs.replace(SIZED, known_type_fields=(apps.KnownType("spec.size", "float"),))
    said = ignoring.problems([SIZED, wrong], lambda _expressions, _body: ())
    assert list(said) == ["spec.ignoreDifferences[1].knownTypeFields[0]"]
