"""Waivers: what they cover, when they count, and that they mark and never hide."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from plane.domain import objects
from plane.domain.judging import policy, waivers
from tests.support import cases

AT = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
SPEC = {"policy": "platform/house", "rule": "W01", "reason": "the node agent needs it", "expiresAt": "2027-02-01T00:00:00Z"}
FOUND = policy.Violation("platform/house", "W01", "apps/Deployment acme-shop/web", "runs privileged")
KEY = objects.ObjectKey("apps", "Deployment", "acme-shop", "web")
SUBJECTS = {str(KEY): waivers.Subject(KEY, "sha256:11", frozenset({"web@sha256:aa", "side@sha256:bb"}))}


def table(file: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases.load(f"waivers/{file}.yaml")]


def waiver(name: str = "shop/one", *, approved_by: str = "bo", revoked_by: str = "", **spec: object) -> waivers.Waiver:
    wished = msgspec.convert(SPEC | spec, waivers.WaiverSpec)
    return waivers.Waiver(name=name, spec=wished, requested_by="ann", approved_by=approved_by, revoked_by=revoked_by)


def waived(*held: waivers.Waiver, mode: policy.Mode = "deny") -> policy.Verdict:
    found = waivers.waive([policy.Judged(FOUND, mode, "platform/house")], held, SUBJECTS, app="web", cluster="prod", at=AT)
    return policy.Verdict(judged=found)


@pytest.mark.parametrize("case", table("cover"))
def test_a_waiver_covers_what_the_table_says(case: dict[str, Any]) -> None:
    given = waiver(approved_by=case.get("approvedBy", "bo"), revoked_by=case.get("revokedBy", ""), **case["spec"])
    verdict = waived(given)
    assert [one.waiver for one in verdict.judged] == ["shop/one" if case["waived"] else ""]
    assert verdict.allowed() is case["waived"]


@pytest.mark.parametrize("case", table("refused"))
def test_a_wrong_waiver_names_its_field(case: dict[str, Any]) -> None:
    found = waivers.problems(msgspec.convert(SPEC | case["spec"], waivers.WaiverSpec), at=AT)
    assert all(words in found[field] for field, words in case["expected"].items())
    assert bool(found) == bool(case["expected"])


def test_a_waiver_marks_and_never_hides() -> None:
    [judged] = waived(waiver()).judged
    assert (judged.violation, judged.mode, judged.by) == (FOUND, "deny", "platform/house")


def test_of_several_the_first_by_name_counts() -> None:
    [judged] = waived(waiver("shop/two"), waiver("shop/one"), waiver("shop/none", approved_by="")).judged
    assert judged.waiver == "shop/one"


def test_an_approval_is_waived_as_well() -> None:
    assert waived(mode="require-approval").to_approve() == (FOUND,)
    assert waived(waiver(), mode="require-approval").to_approve() == ()


def test_an_object_nobody_knows_is_not_waived() -> None:
    elsewhere = msgspec.structs.replace(FOUND, object="apps/Deployment acme-shop/api")
    [judged] = waivers.waive([policy.Judged(elsewhere, "deny")], [waiver()], SUBJECTS, app="web", cluster="prod", at=AT)
    assert judged.waiver == ""


def test_what_comes_next_is_the_first_end_of_those_in_force() -> None:
    held = [waiver(), waiver(expiresAt="2027-01-10T00:00:00Z"), waiver(expiresAt="2027-01-05T00:00:00Z", approved_by="")]
    assert waivers.next_change(held, at=AT) == dt.datetime(2027, 1, 10, tzinfo=dt.UTC)
    assert waivers.next_change([], at=AT) is None


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("2027-01-01", "2027-01-10", None),
        ("2027-01-01", "2027-01-18", 14),
        ("2027-01-18", "2027-01-19", None),
        ("2027-01-18", "2027-01-25", 7),
        ("2027-01-01", "2027-01-31", 1),  # nobody looked for weeks: one reminder, the most urgent
        ("2027-01-31", "2027-02-02", None),
        (None, "2027-01-20", 14),
    ],
)
def test_a_reminder_comes_once_before_each_time(before: str | None, now: str, expected: int | None) -> None:
    last = dt.datetime.fromisoformat(before).replace(tzinfo=dt.UTC) if before else None
    found = waivers.reminder(last, waiver(), at=dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC))
    assert found == (dt.timedelta(days=expected) if expected else None)


def test_only_the_platform_approves_more_than_ninety_days() -> None:
    assert not waivers.long(waiver(expiresAt="2027-04-01T00:00:00Z").spec, at=AT)
    assert waivers.long(waiver(expiresAt="2027-04-01T00:00:01Z").spec, at=AT)
