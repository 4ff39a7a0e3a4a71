"""When two managers change one field in turn."""

from typing import Any

import pytest

from plane.domain import objects
from plane.domain.comparing import fights

KEY = objects.ObjectKey("apps", "Deployment", "shop", "web")
FIELD = "/spec/replicas"


def blow(at: float, manager: str = "scaler", *fields: str) -> fights.Blow:
    return fights.Blow(at, manager, fields or (FIELD,))


@pytest.mark.parametrize(
    ("before", "now", "fight"),
    [
        ([blow(0), blow(2), blow(8)], blow(26), True),
        ([blow(0), blow(2)], blow(8), False),
        ([blow(0), blow(2), blow(8)], blow(26, "another"), False),  # somebody else, for once
        ([blow(0), blow(2), blow(8)], blow(26, "scaler", "/spec/paused"), False),  # another field
        ([blow(0), blow(2), blow(8)], blow(26, "scaler", "/spec/paused", FIELD), True),
        ([blow(0), blow(2), blow(8)], blow(700), False),  # old stories
        ([blow(0, ""), blow(2, ""), blow(8, "")], blow(26, ""), False),  # nobody says who
    ],
)
def test_a_fight_is_one_field_one_manager_and_often(before: list[fights.Blow], now: fights.Blow, fight: bool) -> None:  # noqa: FBT001 a case
    assert fights.seen(before, now) == (fights.Fight("scaler", FIELD) if fight else None)


@pytest.mark.parametrize(("times", "fight"), [(2, None), (3, fights.Fight("", "", "gone"))])
def test_an_object_that_is_deleted_each_time_is_a_fight_with_nobody(times: int, fight: fights.Fight | None) -> None:
    gone = [fights.Blow(at, "", ()) for at in (0, 2, 8)]
    assert fights.seen([*gone[:times], blow(9), blow(10), blow(11)], fights.Blow(26, "", ())) == fight
    assert fights.seen(gone, blow(26)) is None


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("gone", "apps/Deployment shop/web is deleted, or loses its owner label, each time it is made"),
        ("extra", "scaler adds /spec/replicas to apps/Deployment shop/web each time gitops-plane takes it away"),
    ],
)
def test_what_is_left_is_told_with_the_way_out(kind: fights.Kind, words: str) -> None:
    left = fights.Fight("scaler", FIELD, kind).left(KEY)
    assert (left.kind, left.sentence.startswith(words), "Git" in left.sentence) == (kind, True, True)


def test_the_sentence_names_both_and_the_way_out() -> None:
    said = fights.Fight("scaler", FIELD).sentence(KEY)
    assert said.startswith("gitops-plane and scaler change /spec/replicas of apps/Deployment shop/web in turn")
    assert "ignoreDifferences" in said


def live(*managed: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"managedFields": list(managed)}, "spec": {"replicas": 3, "paused": True}}


def entry(manager: str, field: str, time: str, **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": {"f:spec": {f"f:{field}": {}}}, **more}


def test_whoever_owns_the_field_changed_it() -> None:
    hand, scaler = entry("kubectl-edit", "paused", "2026-08-02T00:00:00Z"), entry("scaler", "replicas", "2026-08-01T00:00:00Z")
    ours = entry("gitops-plane", "replicas", "2026-08-03T00:00:00Z")
    assert fights.writer(live(hand, scaler, ours), (FIELD,)) == "scaler"
    assert (
        fights.writer(live(entry("kube-controller-manager", "replicas", "x", subresource="scale")), (FIELD,)) == "kube-controller-manager"
    )
    assert fights.writer(live(hand, ours), (FIELD,)) == ""
