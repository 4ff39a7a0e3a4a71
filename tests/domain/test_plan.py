"""Plans: order of work, what is pruned, what a person must approve."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import apps, kinds, manifests, objects, plan, release, waves
from tests.support import cases

APP = "0192f0c1-0000-7000-8000-000000000001"
GROUPS = {
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
}
OPTIONS = plan.Options(app_id=APP, prune=True, revision="0123456789abcdef", started_at=1_700_000_000)


def body(kind: str, name: str, annotations: dict[str, str], *, owner: str = APP) -> dict[str, Any]:
    full = {
        key.replace("argocd/", "argocd.argoproj.io/").replace("plane/", "gitops-plane.io/"): value for key, value in annotations.items()
    }
    meta = {"name": name, "annotations": full, "labels": {release.OWNER_LABEL: owner}}
    return {"apiVersion": GROUPS.get(kind, "v1"), "kind": kind, "metadata": meta}


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


@pytest.mark.parametrize(("name", "case"), cases.named("plan"))
def test_work_is_ordered_as_the_table_says(name: str, case: dict[str, Any]) -> None:
    there = live(*case.get("live", []))
    options = plan.Options(**{"app_id": APP, "prune": True, **case.get("options", {})})
    planned = plan.make(desired(*case["desired"]), live=there, inventory=frozenset(there), options=options)
    assert (shown(planned), list(shown(planned))) == (case["expected"], list(case["expected"])), name


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


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, ("BeforeHookCreation",)),
        ({"argocd/hook-delete-policy": "HookSucceeded, HookFailed"}, ("HookSucceeded", "HookFailed")),
        ({"helm.sh/hook-delete-policy": "hook-succeeded,before-hook-creation"}, ("HookSucceeded", "BeforeHookCreation")),
    ],
)
def test_a_hook_carries_when_it_is_deleted(annotations: dict[str, str], expected: tuple[str, ...]) -> None:
    (job,) = desired(["Job", "a", {"argocd/hook": "PreSync", **annotations}])
    assert waves.turn(job).deletes == expected


@pytest.mark.parametrize(
    ("annotations", "sentence"),
    [
        (
            {"argocd/sync-wave": "early"},
            r"app.yaml:1: argocd.argoproj.io/sync-wave of batch/Job a is 'early'; a wave is an integer such as -1 or 5, in quotes",
        ),
        ({"argocd/sync-wave": "1.5"}, "is '1.5'; a wave is an integer"),
        (
            {"plane/hook": "Before"},
            "gitops-plane.io/hook of batch/Job a is 'Before'; use PreSync, Sync, PostSync, SyncFail, PreDelete, PostDelete or Skip",
        ),
        ({"plane/hook": "Sync", "plane/hook-delete-policy": "Never"}, "has 'Never'; use HookSucceeded, HookFailed, BeforeHookCreation"),
    ],
)
def test_an_annotation_that_means_nothing_is_refused(annotations: dict[str, str], sentence: str) -> None:
    with pytest.raises(waves.BadAnnotation) as refusal:
        plan.make(desired(["Job", "a", annotations]), live={}, inventory=frozenset(), options=OPTIONS)
    assert sentence in str(refusal.value)


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
