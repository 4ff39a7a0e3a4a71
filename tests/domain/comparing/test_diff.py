"""What counts as a difference, and what people are shown of it."""

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plane.domain import apps, errors, objects
from plane.domain.comparing import diff, known_types
from plane.domain.reading import quantities
from tests.support import cases

ROWS = cases.named("diff")
CANARY = "canary-8c1f"


@pytest.mark.parametrize(("name", "case"), ROWS)
def test_a_pair_differs_where_the_table_says(name: str, case: dict[str, Any]) -> None:
    change = diff.compare(case["desired"], case["live"], ignore=tuple(case.get("ignore", ())))
    assert (list(change.fields) if change else []) == case.get("fields", []), name


@pytest.mark.parametrize(("name", "case"), ROWS)
def test_what_would_be_differs_no_more(name: str, case: dict[str, Any]) -> None:
    applied = diff.applied(case["desired"], case["live"])
    assert diff.compare(case["desired"], applied) is None, name


@pytest.mark.parametrize(("name", "case"), ROWS)
def test_comparing_changes_neither_object(name: str, case: dict[str, Any]) -> None:
    before = copy.deepcopy(case)
    diff.compare(case["desired"], case["live"])
    diff.text(case["desired"], case["live"])
    assert case == before, name


def test_an_absent_object_is_created() -> None:
    desired = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert diff.compare(desired, None) == diff.Change(objects.ObjectKey("", "ConfigMap", "", "a"), "create")


LEAF = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "80", "1Gi", "1000m"])
NAMES = st.sampled_from(
    [
        "spec",
        "template",
        "containers",
        "env",
        "ports",
        "name",
        "value",
        "resources",
        "limits",
        "cpu",
        "data",
        "selector",
        "rules",
        "tolerations",
    ]
)
TREE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=15)
KINDS = st.sampled_from([("v1", "Pod"), ("v1", "Secret"), ("v1", "Service"), ("apps/v1", "Deployment"), ("x.example/v1", "Y")])


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    version, kind = draw(KINDS)
    rest = draw(st.dictionaries(NAMES.filter(lambda name: name != "data"), TREE, max_size=4))
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, **rest}


@given(bodies())
def test_an_object_does_not_differ_from_itself(body: dict[str, Any]) -> None:
    assert diff.compare(body, body) is None
    assert not diff.text(body, body)


@given(bodies(), st.dictionaries(NAMES, LEAF, min_size=1))
def test_what_others_add_is_no_difference(body: dict[str, Any], more: dict[str, Any]) -> None:
    live = {**body, "metadata": {**body["metadata"], "labels": more, "uid": "u"}, "status": more, "added": more}
    assert diff.compare(body, live) is None


@settings(max_examples=50)
@given(bodies(), bodies())
def test_an_apply_settles_every_difference(desired: dict[str, Any], live: dict[str, Any]) -> None:
    live = {**live, "apiVersion": desired["apiVersion"], "kind": desired["kind"]}
    assert diff.compare(desired, diff.applied(desired, live)) is None


OWNED: dict[str, Any] = {"f:data": True, "f:spec": {"f:containers": {"k:{": {}, 'k:{"name":"a"}': {"f:env": {}}, 'k:{"name":"b"}': 1}}}
MANAGED = [{"manager": "gitops-plane", "operation": "Apply", "fieldsV1": OWNED}]
ODD = st.dictionaries(st.sampled_from(["labels", "annotations", "managedFields", "finalizers"]), TREE)
ODD_PARTS = st.dictionaries(st.sampled_from(["data", "stringData", "spec", "aggregationRule", "status"]), TREE)


@settings(max_examples=50)
@given(KINDS, ODD, ODD_PARTS, ODD, ODD_PARTS)
@example(("v1", "Pod"), {"labels": {"spec": None}}, {}, {"labels": None}, {})
@example(("v1", "Pod"), {}, {"spec": {"env": [{"name": None}]}}, {}, {"spec": {"env": [None]}})
@example(("x.example/v1", "Y"), {}, {}, {}, {"data": {"name": "a"}})
@example(("v1", "Pod"), {}, {"spec": {"containers": []}}, {}, {"spec": {"containers": [{"name": "b"}]}})
def test_no_object_breaks_the_comparison(
    kind: tuple[str, str], meta: dict[str, Any], parts: dict[str, Any], live_meta: dict[str, Any], live_parts: dict[str, Any]
) -> None:
    desired = {**parts, "apiVersion": kind[0], "kind": kind[1], "metadata": {**meta, "name": "a"}}
    live = {**live_parts, "apiVersion": kind[0], "kind": kind[1], "metadata": {"managedFields": MANAGED, **live_meta, "name": "a"}}
    diff.compare(desired, live)
    assert bool(diff.text(desired, live)) <= bool(diff.compare(desired, live))


def rule(**fields: Any) -> apps.IgnoreDifference:  # noqa: ANN401 fields of the struct
    return apps.IgnoreDifference(**{"kind": "*", "json_pointers": ("/spec/replicas",), **fields})


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({"group": "apps", "kind": "Deployment"}, "yes"),
        ({"group": "*", "kind": "Deploy*"}, "yes"),
        ({"group": "", "kind": "Deployment"}, ""),
        ({"group": "apps", "name": "web", "namespace": "shop"}, "yes"),
        ({"group": "apps", "name": "other"}, ""),
        ({"group": "apps", "namespace": "other"}, ""),
    ],
)
def test_an_ignore_rule_names_its_objects_by_glob(fields: dict[str, str], matches: str) -> None:
    key = objects.ObjectKey("apps", "Deployment", "shop", "web")
    assert diff.ignored(key, [rule(**fields)]) == (("/spec/replicas",) if matches else ())


def test_people_see_only_what_changes() -> None:
    live = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "uid": "u", "labels": {"x": "y"}},
        "data": {"a": "1", "b": "2"},
    }
    desired = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "3"}}
    changed = [line for line in diff.text(desired, live).splitlines() if line[0] in "+-"]
    assert changed == ["--- live ConfigMap a", "+++ desired ConfigMap a", '-  a: "1"', '+  a: "3"']


def secret(value: str) -> dict[str, Any]:
    last = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"stringData":{{"password":"{value}"}}}}'}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a", "annotations": last},
        "stringData": {"password": value, "user": "u"},
    }


@pytest.mark.parametrize(
    ("desired", "live"),
    [(secret(CANARY), secret("old" + CANARY)), (secret(CANARY), None), (None, secret(CANARY)), (secret(CANARY), secret(CANARY))],
)
def test_no_value_of_a_secret_is_ever_shown(desired: dict[str, Any] | None, live: dict[str, Any] | None) -> None:
    shown = diff.text(desired, live)
    assert CANARY not in shown
    assert diff._secret_data(secret(CANARY))["password"][:12] not in shown  # noqa: SLF001 the encoded value


def test_a_changed_secret_says_which_key() -> None:
    changed = [line for line in diff.text(secret("new"), secret("old")).splitlines() if line[0] in "+-"]
    assert changed[2:] == ["-  password: '********'", "+  password: '******** (changed)'"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1", "1000m"),
        (1, "1"),
        ("0.5", "500m"),
        ("1Ki", 1024),
        ("1e3", "1k"),
        ("1.5Gi", "1536Mi"),
        ("100n", "0.1u"),
        ("1E", "1000P"),
        ("1E2", "100"),
    ],
)
def test_amounts_have_many_spellings(left: object, right: object) -> None:
    assert quantities.same(left, right)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1GiB", "1e999", "one", True, None, "9" * 100])
def test_what_is_no_amount_equals_nothing(text: object) -> None:
    assert not quantities.same(text, text)


@pytest.mark.parametrize(
    ("left", "right"), [("90m", "1h30m0s"), ("1.5h", "90m"), ("0", "0s"), ("1000ms", "1s"), ("-1m", "-60s"), ("1us", "1µs")]
)
def test_durations_have_many_spellings(left: str, right: str) -> None:
    assert quantities.same_duration(left, right)


@pytest.mark.parametrize("text", ["", "1", "1d", "s", "1h 2m", 60, None, "1" * 80 + "s"])
def test_what_is_no_duration_equals_nothing(text: object) -> None:
    assert not quantities.same_duration(text, text)


def test_a_kind_can_be_taught_what_its_fields_hold() -> None:
    desired = {"apiVersion": "x.example/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"pools": [{"size": "1024Mi"}]}}
    live = {**desired, "spec": {"pools": [{"size": "1Gi"}]}}
    path, held = known_types.declared("spec.pools[].size", "core/Quantity")
    taught = known_types.merged(known_types.BUILT_IN, {("x.example", "Widget"): {path: held}})
    assert diff.compare(desired, live)
    assert diff.compare(desired, live, known=taught) is None


def test_a_type_nobody_knows_is_named() -> None:
    with pytest.raises(errors.Invalid, match="the type 'core/Nothing' is not known; use core/Quantity"):
        known_types.declared("spec.a", "core/Nothing")
