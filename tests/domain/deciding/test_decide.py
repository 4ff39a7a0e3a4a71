"""Every wait is a sentence, every guard has its place."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from plane.domain import apps
from plane.domain.deciding import decide, explanation, next_step
from plane.domain.judging import policy
from plane.domain.planning import terms
from plane.domain.timing import rollbacks, schedules
from tests.support import cases

SPEC: dict[str, Any] = {"destination": {"cluster": "east"}, "source": {"repoURL": "https://git.example/a"}, "syncPolicy": {"automated": {}}}
VIOLATION = policy.Violation("images", "no-latest", "apps/Deployment shop/web", "the tag is latest", remedy="name a version")


def situation(case: dict[str, Any]) -> decide.Situation:
    verdict = policy.Verdict(("p",), (policy.Judged(VIOLATION, "deny"),) if case.get("refused") else (), case.get("engine_error", ""))
    wanted = None if case.get("no_release") else decide.Wanted("r1", "c" * 40, verdict, case.get("objects", 3))
    return decide.Situation(
        spec=msgspec.convert(SPEC | case.get("spec", {}), apps.AppSpec),
        destination=msgspec.convert({"name": "east"} | case.get("cluster", {}), decide.Destination),
        wanted=wanted,
        problem=msgspec.convert(case.get("problem"), decide.Problem | None),
        attempt=msgspec.convert(case.get("attempt"), decide.Attempt | None),
        request=msgspec.convert(case.get("request"), decide.Request | None),
        approved=frozenset(case.get("approved", ())),
        out_of_sync=case.get("out_of_sync", False),
        deleting=case.get("deleting", False),
        calendar=msgspec.convert(case.get("calendar", {}), schedules.Calendar),
        target=schedules.Target("web", "shop", "east"),
        ill=msgspec.convert(case.get("ill"), rollbacks.Illness | None),
        good=msgspec.convert(case.get("good"), rollbacks.Entry | None),
        rolled_back=msgspec.convert(case.get("rolled_back"), rollbacks.Mark | None),
    )


@pytest.mark.parametrize("case", cases.load("decide/decisions.yaml"), ids=lambda case: case["name"])
def test_the_decision_follows_from_the_situation(case: dict[str, Any]) -> None:
    made = next_step.of(situation(case), at=dt.datetime.fromisoformat(case.get("at", "2026-01-01T12:00:00Z")))
    told = msgspec.json.decode(msgspec.json.encode(made))
    expected = dict(case["expect"])
    assert told.pop("type") == expected.pop("decision")
    assert expected.pop("says", "") in told["sentence"]
    assert {field: told[field] for field in expected} == expected


@pytest.mark.parametrize("case", cases.load("decide/overruns.yaml"), ids=lambda case: case["name"])
def test_a_running_sync_is_stopped_by_what_closes_on_it(case: dict[str, Any]) -> None:
    reason = next_step.overrun(situation(case), at=dt.datetime.fromisoformat(case.get("at", "2026-01-01T12:00:00Z")))
    assert (case["stops"] in reason) if case["stops"] else not reason


SOME = terms.Terms(labels="tier=front")
WHOLE = decide.Attempt("r1", 1, outcome="succeeded")


@pytest.mark.parametrize(
    ("last", "digest", "kept"),
    [
        (WHOLE, "r1", WHOLE),
        (WHOLE, "r2", None),
        (decide.Attempt("r1", 1), "r1", None),
        (None, "r1", None),
        (decide.Attempt("r1", 2, outcome="failed", terms=SOME, before=WHOLE), "r1", WHOLE),
    ],
    ids=["of the same release", "of another release", "that never ended", "that never was", "before another choice"],
)
def test_a_sync_of_chosen_objects_keeps_the_whole_one(last: decide.Attempt | None, digest: str, kept: decide.Attempt | None) -> None:
    begun = decide.begun(last, decide.Attempt(digest, 3, terms=SOME))
    assert (decide.full(begun), decide.deployed(begun, digest)) == (kept, kept is not None)


def test_an_agent_that_is_there_holds_nothing_up() -> None:
    assert not explanation.agent_sentence(decide.Destination("east"), now=1000, seen=990)


def test_an_absent_agent_is_named_with_the_time_it_was_last_heard() -> None:
    said = explanation.agent_sentence(decide.Destination("east", last_seen="2026-01-01T00:00:00Z"), now=1000, seen=100)
    assert "east" in said
    assert "2026-01-01T00:00:00Z" in said
