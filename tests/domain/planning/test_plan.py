"""Plans: order of work, what is pruned, what a person must approve."""

import random
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import annotations, apps, kinds, objects, options, release
from plane.domain.planning import operation, plan, selection
from plane.domain.reading import manifests
from tests.support import cases

APP = "0192f0c1-0000-7000-8000-000000000001"
GROUPS = {
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "Widget": "shop.example/v1",
    "ExampleNetworkPolicy": "shop.example/v1",  # a NetworkPolicy of somebody's own group
}
OPTIONS = plan.Options(app_id=APP, prune=True, revision="0123456789abcdef", started_at=1_700_000_000)


def body(kind: str, name: str, annotations: dict[str, str], more: dict[str, Any] | None = None, *, owner: str = APP) -> dict[str, Any]:
    full = {
        key.replace("argocd/", "argocd.argoproj.io/").replace("plane/", "gitops-plane.io/"): value for key, value in annotations.items()
    }
    rest = dict(more or {})
    spec = {"group": "shop.example", "names": {"kind": rest.pop("defines")}} if "defines" in rest else {}
    labels = {release.OWNER_LABEL: owner, **rest.pop("labels", {})}
    meta = {"name": name, "annotations": full, "labels": labels, **rest}
    return {"apiVersion": GROUPS.get(kind, "v1"), "kind": kind.removeprefix("Example"), "metadata": meta, "spec": spec}


def desired(*rows: list[Any]) -> tuple[objects.Manifest, ...]:
    return tuple(manifests.of(body(*row), position=objects.Position("app.yaml", 1)) for row in rows)


def live(*rows: list[Any], owner: str = APP) -> dict[objects.ObjectKey, plan.Live]:
    entries = [plan.live(body(*row, owner=owner)) for row in rows]
    return {entry.key: entry for entry in entries}


def shown(planned: plan.Plan) -> dict[str, dict[str, list[str]]]:
    return {
        phase.name: {str(wave.number): [f"{step.action} {step.key.kind}/{step.key.name}" for step in wave.steps] for wave in phase.waves}
        for phase in planned.phases
    }


def terms(*, wanted: tuple[objects.Manifest, ...], sync: Iterable[str] = (), **told: Any) -> plan.Options:  # noqa: ANN401 a case's options
    """A case's options: `resources`, `selector`, `namespace` and `out_of_sync` as a person writes them."""
    resources, selector = told.pop("resources", ()), told.pop("selector", "")
    if resources or selector:
        told["chosen"] = selection.parse(resources, selector=selector)
    if "namespace" in told:
        told["namespace"] = operation.Namespace(told["namespace"])
    if "out_of_sync" in told:
        told["out_of_sync"] = frozenset(one.key for one in wanted if f"{one.key.kind}/{one.key.name}" in told["out_of_sync"])
    return plan.Options(**{"app_id": APP, "prune": True, "sync": options.app(sync), **told})


@pytest.mark.parametrize(("name", "case"), cases.named("plan"))
def test_work_is_ordered_as_the_table_says(name: str, case: dict[str, Any]) -> None:
    there, wanted = live(*case.get("live", [])), desired(*case["desired"])
    planned = plan.make(wanted, live=there, inventory=frozenset(there), options=terms(wanted=wanted, **case.get("options", {})))
    assert (shown(planned), list(shown(planned))) == (case["expected"], list(case["expected"])), name
    if "why" in case:
        assert [step.reason for step in planned.steps() if step.action == "keep"] == case["why"], name


@pytest.mark.parametrize("owner", ["", "0192f0c1-0000-7000-8000-000000000002"])
def test_an_object_that_is_not_ours_is_never_pruned(owner: str) -> None:
    there = live(["ConfigMap", "old", {}], owner=owner)
    assert plan.make((), live=there, inventory=frozenset(there), options=plan.Options(APP, prune=True, allow_empty=True)) == plan.Plan()


def test_an_object_outside_the_inventory_is_never_pruned() -> None:
    there = live(["ConfigMap", "old", {}])
    assert plan.make((), live=there, inventory=frozenset(), options=plan.Options(APP, prune=True, allow_empty=True)) == plan.Plan()


def test_a_hook_with_a_generated_name_has_one_name_per_operation_and_phase() -> None:
    hook = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "Db-", "annotations": {"argocd.argoproj.io/hook": "PreSync,PostSync"}},
    }
    planned = plan.make((manifests.of(hook),), live={}, inventory=frozenset(), options=OPTIONS)
    assert [step.key.name for step in planned.steps()] == ["db-0123456-presync-1700000000", "db-0123456-postsync-1700000000"]


def test_a_custom_object_follows_its_definition_whatever_its_kind_is_called() -> None:
    crd = manifests.of(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "networkpolicies.net.example"},
            "spec": {"group": "net.example", "names": {"kind": "NetworkPolicy"}, "scope": "Cluster"},
        }
    )
    custom = manifests.of({"apiVersion": "net.example/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}})
    planned = plan.make((custom, crd), live={}, inventory=frozenset(), options=OPTIONS)
    assert [step.index for step in planned.steps()] == [1, 0]
    assert kinds.namespaced("net.example", "NetworkPolicy", kinds.defined((crd,))) is False


@pytest.mark.parametrize(
    ("group", "kind", "expected"),
    [("", "Namespace", ""), ("", "Pod", "namespaced"), ("rbac.authorization.k8s.io", "ClusterRole", ""), ("x.example", "Y", "namespaced")],
)
def test_scope_of_kinds(group: str, kind: str, expected: str) -> None:
    assert kinds.namespaced(group, kind) is bool(expected)


def pruning(rows: list[list[Any]]) -> plan.Plan:
    there = live(*rows)
    return plan.make(desired(["ConfigMap", "new", {}]), live=there, inventory=frozenset(there), options=OPTIONS)


def test_a_small_prune_needs_nobody() -> None:
    assert plan.radius(pruning([["ConfigMap", "a", {}]]), inventory=4, blast=apps.BlastRadius()) == ()


def test_many_deletes_need_a_person() -> None:
    (reason,) = plan.radius(pruning([["ConfigMap", f"c{n}", {}] for n in range(11)]), inventory=100, blast=apps.BlastRadius())
    assert reason == "it would delete 11 objects, more than the 10 of blastRadius.maxDeletes"


def test_a_large_share_needs_a_person() -> None:
    (reason,) = plan.radius(pruning([["ConfigMap", "a", {}], ["ConfigMap", "b", {}]]), inventory=3, blast=apps.BlastRadius())
    assert reason == "it would delete 2 of the app's 3 objects, more than the 50 % of blastRadius.maxPercent"


@pytest.mark.parametrize("kind", ["Namespace", "PersistentVolumeClaim", "CustomResourceDefinition"])
def test_a_guarded_kind_needs_a_person(kind: str) -> None:
    (reason,) = plan.radius(pruning([[kind, "a", {}]]), inventory=100, blast=apps.BlastRadius())
    assert reason.endswith(f"{kind} a, and with it what it holds")


ROWS = st.lists(
    st.tuples(st.sampled_from(["ConfigMap", "Deployment", "Namespace", "Widget"]), st.sampled_from("abcde"), st.integers(-2, 2)),
    unique_by=lambda row: row[:2],
)


@given(ROWS, ROWS, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_files(wanted: list[Any], there: list[Any], shuffled: random.Random) -> None:
    have = live(*[[kind, name, {"argocd/sync-wave": str(wave)}] for kind, name, wave in there])
    rows = [[kind, name, {"plane/sync-wave": str(wave)}] for kind, name, wave in wanted]
    straight = plan.make(desired(*rows), live=have, inventory=frozenset(have), options=OPTIONS)
    shuffled.shuffle(rows)
    assert shown(plan.make(desired(*rows), live=have, inventory=frozenset(have), options=OPTIONS)) == shown(straight)


@given(ROWS, ROWS)
def test_every_wanted_object_is_applied_once_and_no_wanted_object_is_pruned(wanted: list[Any], there: list[Any]) -> None:
    have = live(*[[kind, name, {"argocd/sync-wave": str(wave)}] for kind, name, wave in there])
    rows = desired(*[[kind, name, {"plane/sync-wave": str(wave)}] for kind, name, wave in wanted])
    steps = plan.make(rows, live=have, inventory=frozenset(have), options=OPTIONS).steps()
    applied = [step.key for step in steps if step.action == "apply"]
    assert sorted(applied) == sorted(manifest.key for manifest in rows)
    assert {step.key for step in steps if step.action in ("prune", "keep")} == set(have) - set(applied)


def test_hooks_with_one_prefix_do_not_take_each_others_name() -> None:
    hook = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "db-", "annotations": {"argocd.argoproj.io/hook": "PreSync"}},
    }
    planned = plan.make((manifests.of(hook), manifests.of(hook)), live={}, inventory=frozenset(), options=OPTIONS)
    assert [step.key.name for step in planned.steps()] == ["db-0123456-presync-1700000000", "db-0123456-presync-1700000000-2"]


def test_the_namespace_that_is_created_carries_its_metadata() -> None:
    told = plan.Options(APP, namespace=operation.Namespace("shop", labels={"team": "acme"}))
    assert plan.namespace(told) == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "acme"}}}


def test_what_waits_for_a_person_is_told_apart_from_what_stays() -> None:
    there = live(["ConfigMap", "a", {"argocd/sync-options": "Prune=confirm"}], ["ConfigMap", "b", {"argocd/sync-options": "Prune=false"}])
    planned = plan.make(desired(["ConfigMap", "new", {}]), live=there, inventory=frozenset(there), options=OPTIONS)
    (sentence,) = plan.confirmations(planned)
    assert sentence == "ConfigMap a would be deleted: its sync option says Prune=confirm, and nobody has approved its deletion"


def test_an_option_that_means_nothing_is_refused_with_its_place() -> None:
    with pytest.raises(annotations.BadAnnotation, match=r"^app.yaml:1: argocd.argoproj.io/sync-options of ConfigMap a says Prune=maybe"):
        plan.make(desired(["ConfigMap", "a", {"argocd/sync-options": "Prune=maybe"}]), live={}, inventory=frozenset(), options=OPTIONS)


OBJECTS = st.lists(
    st.tuples(
        st.sampled_from(["ConfigMap", "Deployment", "Namespace", "Widget", "CustomResourceDefinition", "Job"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(-2, 2),
        st.sampled_from(["", "", "a", "b"]),
        st.sampled_from(["", "", "PreSync", "PostSync", "PreSync,PostSync", "Skip", "SyncFail"]),
        st.sampled_from(["", "", "", "Prune=false", "Prune=confirm", "PruneLast=true", "Delete=false"]),
    ),
    unique_by=lambda row: (row[0], row[1], row[3]),
    max_size=12,
)


def rows(found: list[Any], *, hooks: bool = True) -> list[list[Any]]:
    made: list[list[Any]] = []
    for kind, name, wave, namespace, hook, words in found:
        marks = {"argocd/sync-wave": str(wave), "argocd/sync-options": words}
        more: dict[str, Any] = {"defines": "Widget"} if kind == "CustomResourceDefinition" else {}
        if namespace and kind not in ("Namespace", "CustomResourceDefinition"):
            more["namespace"] = namespace
        made.append([kind, name, {**marks, "argocd/hook": hook} if hook and hooks else marks, more])
    return [row for n, row in enumerate(made) if all(_key(row) != _key(other) for other in made[:n])]


def _key(row: list[Any]) -> tuple[str, ...]:
    return (row[0], row[1], row[3].get("namespace", ""))


TERMS = st.builds(
    plan.Options,
    app_id=st.just(APP),
    prune=st.booleans(),
    allow_empty=st.booleans(),
    removing=st.booleans(),
    approved=st.booleans(),
    strategy=st.sampled_from(["hook", "apply"]),
    sync=st.sampled_from([options.App(), options.App(prune_last=True), options.App(prune="false"), options.App(delete="confirm")]),
)


@given(OBJECTS, OBJECTS, TERMS)
def test_what_is_pruned_and_what_is_kept_are_the_inventory_without_the_wanted(
    wanted: list[Any], there: list[Any], told: plan.Options
) -> None:
    have, want = live(*rows(there, hooks=False)), desired(*rows(wanted))
    steps = plan.make(want, live=have, inventory=frozenset(have), options=told).steps()
    gone = set(have) if told.removing else set(have) - {one.key for one in want}
    assert sorted(step.key for step in steps if step.action in ("prune", "keep")) == sorted(gone)
    assert all(bool(step.reason) == (step.action == "keep") for step in steps if step.action in ("prune", "keep"))


@given(OBJECTS, OBJECTS, OBJECTS, TERMS)
def test_a_plan_never_prunes_what_is_not_ours_or_not_in_the_inventory(
    wanted: list[Any], mine: list[Any], others: list[Any], told: plan.Options
) -> None:
    ours, theirs = live(*rows(mine)), live(*rows(others), owner="0192f0c1-0000-7000-8000-000000000002")
    have = {**ours, **theirs}
    steps = plan.make(desired(*rows(wanted)), live=have, inventory=frozenset(have), options=told).steps()
    assert not {step.key for step in steps if step.action == "prune"} & set(theirs)
    steps = plan.make(desired(*rows(wanted)), live=have, inventory=frozenset(), options=told).steps()
    assert not [step for step in steps if step.action in ("prune", "keep")]


@given(OBJECTS, OBJECTS, TERMS)
def test_the_order_is_one_of_the_stated_constraints(wanted: list[Any], there: list[Any], told: plan.Options) -> None:
    have = live(*rows(there))
    planned = plan.make(desired(*rows(wanted)), live=have, inventory=frozenset(have), options=told)
    steps = planned.steps()
    names = [phase.name for phase in planned.phases]
    order = ["PreDelete", "Sync", "PostDelete"] if told.removing else ["PreSync", "Sync", "PostSync", "SyncFail"]
    assert names == [name for name in order if name in names]
    assert all([wave.number for wave in phase.waves] == sorted({wave.number for wave in phase.waves}) for phase in planned.phases)
    at: dict[str, dict[Any, list[int]]] = {"applied": {}, "pruned": {}}
    for n, step in enumerate(steps):
        if step.action != "keep":
            at["pruned" if step.action == "prune" else "applied"].setdefault(step.key, []).append(n)
    for key, turns in at["applied"].items():
        for need in (objects.ObjectKey("", "Namespace", "", key.namespace), *definitions(at["applied"], key)):
            assert min(at["applied"].get(need, turns)) <= min(turns), (need, key)
    for key, (turn,) in at["pruned"].items():
        for need in (objects.ObjectKey("", "Namespace", "", key.namespace), *definitions(at["pruned"], key)):
            assert turn <= at["pruned"].get(need, [turn])[0], (need, key)


def definitions(found: dict[Any, list[int]], key: objects.ObjectKey) -> list[Any]:
    """The definition of Widgets that is done first; another of the same kind may follow."""
    crds = [other for other in found if other.kind == "CustomResourceDefinition"] if key.kind == "Widget" else []
    return sorted(crds, key=lambda one: min(found[one]))[:1]


@given(OBJECTS, TERMS)
def test_a_plan_of_what_is_there_prunes_nothing(wanted: list[Any], told: plan.Options) -> None:
    want = rows(wanted)
    have = live(*want)
    told = msgspec.structs.replace(told, removing=False, out_of_sync=frozenset())
    planned = plan.make(desired(*want), live=have, inventory=frozenset(have), options=told)
    assert [step for step in planned.steps() if step.action != "hook"] == []


@given(OBJECTS, OBJECTS, TERMS, st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_files(
    wanted: list[Any], there: list[Any], told: plan.Options, shuffled: random.Random
) -> None:
    have, want = live(*rows(there)), rows(wanted)
    straight = plan.make(desired(*want), live=have, inventory=frozenset(have), options=told)
    shuffled.shuffle(want)
    assert shown(plan.make(desired(*want), live=dict(reversed(have.items())), inventory=frozenset(have), options=told)) == shown(straight)


@given(OBJECTS, OBJECTS, OBJECTS, TERMS)
def test_what_a_plan_has_done_it_does_not_do_again(wanted: list[Any], mine: list[Any], others: list[Any], told: plan.Options) -> None:
    told = msgspec.structs.replace(told, removing=False)
    want, ours = desired(*rows(wanted)), live(*rows(mine, hooks=False))
    theirs = {key: one for key, one in live(*rows(others), owner="other").items() if key not in ours.keys() | {one.key for one in want}}
    have = {**ours, **theirs}
    steps = plan.make(want, live=have, inventory=frozenset(have), options=told).steps()
    applied = {step.key for step in steps if step.action == "apply"}
    after = {key: one for key, one in have.items() if key not in {step.key for step in steps if step.action == "prune"}}
    after |= {one.key: plan.live(one.body) for one in want if one.key in applied}
    assert theirs.keys() <= after.keys()
    again = msgspec.structs.replace(told, out_of_sync=frozenset())
    steps = plan.make(want, live=after, inventory=frozenset(after), options=again).steps()
    assert {step.action for step in steps} <= {"keep", "hook"}


@given(OBJECTS, TERMS)
def test_only_what_others_need_leaves_its_own_wave(wanted: list[Any], told: plan.Options) -> None:
    told = msgspec.structs.replace(told, removing=False)
    waves = {(row[0].removeprefix("Example"), row[1], row[3].get("namespace", "")): int(row[2]["argocd/sync-wave"]) for row in rows(wanted)}
    for phase in plan.make(desired(*rows(wanted)), live={}, inventory=frozenset(), options=told).phases:
        for wave in phase.waves:
            for step in wave.steps:
                needed = step.key.kind in ("Namespace", "CustomResourceDefinition")
                mine = phase.name if step.action == "hook" else "Sync"
                own = waves[step.key.kind, step.key.name, step.key.namespace]
                assert needed or (phase.name, wave.number) == (mine, own)
