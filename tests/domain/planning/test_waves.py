"""An object's turn: phase, wave and the life of hooks, as its annotations say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import annotations, objects
from plane.domain.planning import waves
from plane.domain.reading import manifests
from tests.support import cases


def job(words: dict[str, str], **meta: str) -> objects.Manifest:
    full = {name.replace("argo/", annotations.ARGO).replace("ours/", annotations.OURS): text for name, text in words.items()}
    named = meta or {"name": "a"}
    return manifests.of({"apiVersion": "batch/v1", "kind": "Job", "metadata": {**named, "annotations": full}})


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases.load("waves/turn.yaml")])
def test_an_objects_turn_is_as_the_table_says(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(waves.BadAnnotation) as refusal:
            waves.turn(job(case["annotations"]))
        assert case["refused"] in str(refusal.value)
        return
    expected, found = case["expected"], waves.turn(job(case["annotations"]))
    hook = expected.get("hook", False)
    deletes = expected.get("deletes", list(found.deletes) if hook else [])
    assert (list(found.phases), found.wave, found.hook, list(found.deletes)) == (expected["phases"], expected.get("wave", 0), hook, deletes)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases.load("waves/turn.yaml") if "refused" not in case])
def test_what_is_live_is_read_as_what_was_wanted(case: dict[str, Any]) -> None:
    marks = annotations.of(job(case["annotations"]).body)
    phases = case["expected"]["phases"]
    assert waves.wave_of(marks) == case["expected"].get("wave", 0)
    assert waves.is_hook(marks) == (case["expected"].get("hook", False) and (phases != [] or "helm.sh/hook" in marks))


def test_a_generated_name_tells_operations_and_phases_apart() -> None:
    hook = job({"argo/hook": "PreSync,PostSync"}, generateName="Db-")
    names = {
        waves.hook_name(hook, phase, revision="0123456789abcdef", started_at=started)
        for phase in waves.turn(hook).phases
        for started in (1_700_000_000, 1_700_000_001)
    }
    assert sorted(names) == [
        "db-0123456-postsync-1700000000", "db-0123456-postsync-1700000001",
        "db-0123456-presync-1700000000", "db-0123456-presync-1700000001",
    ]  # fmt: skip


def test_a_long_prefix_is_cut_and_never_the_part_that_tells_apart() -> None:
    name = waves.hook_name(job({"argo/hook": "Sync"}, generateName="x" * 80), "PostSync", revision="0123456789", started_at=1_700_000_000)
    assert len(name) == 63
    assert name.endswith("x0123456-postsync-1700000000")


@given(
    st.dictionaries(st.sampled_from(["argo/sync-wave", "ours/sync-wave", "argo/hook", "ours/hook", "helm.sh/hook"]), st.text(max_size=8))
)
def test_reading_a_live_object_never_fails(words: dict[str, str]) -> None:
    marks = {name.replace("argo/", annotations.ARGO).replace("ours/", annotations.OURS): text for name, text in words.items()}
    waves.wave_of(marks)
    waves.is_hook(marks)
