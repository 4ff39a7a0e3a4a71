"""A commit on its way: what each phase took, by the events of the log."""

from typing import Any

from plane.cli.auditing import audit_trail

Json = dict[str, Any]
DAY = "2026-01-01T10:"


def begun(time: str, task: str, cluster: str, **details: object) -> Json:
    about = {"id": f"i{task}", "stage": "intent", "correlation": task, "target": "app/web", "project": "shop", "outcome": "success"}
    return {**about, "time": DAY + time, "cluster": cluster, "details": {"committed_at": f"{DAY}00:00Z", **details}}


def ended(time: str, task: str, cluster: str, outcome: str = "success", **details: object) -> Json:
    return {**begun(time, task, cluster), "id": f"o{task}", "stage": "outcome", "outcome": outcome, "details": details}


EVENTS = [
    begun("01:30Z", "1", "east", released_at=f"{DAY}01:00Z", approvals=[{"at": f"{DAY}01:20Z"}, {"at": f"{DAY}01:10Z"}]),
    begun("01:31Z", "2", "west", released_at=f"{DAY}01:01Z", approvals=[{"at": f"{DAY}00:30Z"}]),
    begun("01:32Z", "3", "north"),
    ended("01:42Z", "1", "east", duration_s=2.5),
    ended("01:33Z", "2", "west", "failure", duration_s=1.0),
]
HEALTHY = {"1": f"{DAY}02:00Z"}


def test_a_commit_is_followed_through_every_phase() -> None:
    east, _, _ = audit_trail.journeys(EVENTS, HEALTHY)
    assert east["phases"] == {"released": 60.0, "approved": 20.0, "dispatched": 10.0, "begun": 9.5, "applied": 2.5, "healthy": 18.0}
    assert (east["cluster"], east["outcome"], east["lead"], east["slowest"], east["proof"]) == ("east", "success", 102.0, "approved", "o1")
    assert east["moments"]["begun"] == f"{DAY}01:39.500000Z"


def test_what_was_agreed_to_before_there_was_a_release_costs_no_time() -> None:
    _, west, _ = audit_trail.journeys(EVENTS, HEALTHY)
    assert west["phases"] == {"released": 61.0, "approved": 0.0, "dispatched": 30.0, "begun": 1.0, "applied": 1.0}
    assert (west["outcome"], west["slowest"]) == ("failure", "dispatched")


def test_what_did_not_end_yet_has_no_more_phases() -> None:
    *_, north = audit_trail.journeys(EVENTS, HEALTHY)
    assert (north["phases"], north["outcome"], north["lead"]) == ({"dispatched": 92.0}, "under way", "")


def test_the_slowest_is_named_with_what_it_waited_for() -> None:
    said = audit_trail.summary(audit_trail.journeys(EVENTS, HEALTHY))
    assert said == "2 of 3 ended, 1 failed; the slowest was app/web on east: 60.0 s, of them 20.0 s until approved"
    assert audit_trail.summary(audit_trail.journeys(EVENTS[:2], {})) == "0 of 2 ended, 0 failed"


def test_a_push_lies_between_two_looks_at_the_repository() -> None:
    looked = {"type": "repository.moved", "id": "m", "project": "shop", "time": f"{DAY}00:50Z", "details": {"looked_at": f"{DAY}00:20Z"}}
    elsewhere = looked | {"project": "bank", "time": f"{DAY}00:01Z"}
    east, west, north = audit_trail.journeys([elsewhere, looked, *EVENTS], HEALTHY)
    assert (east["phases"]["seen"], east["phases"]["released"], east["lead"], east["push"]) == (50.0, 10.0, 102.0, "70.0-100.0")
    assert (west["push"], north["phases"]) == ("", {"seen": 50.0, "dispatched": 42.0})
