"""Two plans beside each other."""

from plane.domain import objects
from plane.domain.planning import comparison

WEB, API, JOB = (
    objects.ObjectKey("", kind, "shop", name) for kind, name in (("ConfigMap", "web"), ("ConfigMap", "api"), ("Job", "before"))
)


def turn(key: objects.ObjectKey, action: str = "apply", reason: str = "", *, phase: str = "Sync", wave: int = 0) -> comparison.Turn:
    return comparison.Turn(phase, wave, action, key, reason)


def test_equal_plans_have_no_difference_in_whichever_order_they_are_told() -> None:
    assert comparison.between([turn(WEB), turn(API)], [turn(API), turn(WEB)]) == ()


def test_what_came_went_and_turned_out_otherwise_is_told_by_phase() -> None:
    was = [turn(WEB, reason="changes /data/a"), turn(API, "prune", wave=1)]
    now = [turn(JOB, "hook", phase="PreSync"), turn(WEB, reason="changes /data/a, /data/b")]
    assert comparison.between(was, now) == (
        comparison.Difference("added", "PreSync", JOB, "", "hook in wave 0"),
        comparison.Difference("removed", "Sync", API, "prune in wave 1", ""),
        comparison.Difference("changed", "Sync", WEB, "apply in wave 0: changes /data/a", "apply in wave 0: changes /data/a, /data/b"),
    )


def test_the_same_object_in_two_phases_is_two_turns() -> None:
    [found] = comparison.between(
        [turn(JOB, "hook", phase="PreSync")], [turn(JOB, "hook", phase="PreSync"), turn(JOB, "hook", phase="PostSync")]
    )
    assert (found.change, found.phase) == ("added", "PostSync")
