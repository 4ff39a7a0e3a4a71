"""SARIF 2.1.0, for code scanning: rules with what they say of themselves, results at file and line.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import pathlib
import urllib.parse
from typing import Any

import msgspec

from plane.cli.reporting import reports
from plane.domain import objects
from plane.domain.judging import library, policy

Json = dict[str, Any]

_DEFAULTS: dict[str, reports.Level] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}


def text(report: reports.Report) -> str:
    """One run."""
    named = dict.fromkeys([*sorted(report.rules), *sorted(one.violation.rule for one in report.verdict.judged)])
    index = {rule: number for number, rule in enumerate(named)}
    rules = [_rule(rule, report.rules.get(rule)) for rule in named]
    run = {
        "tool": {"driver": {"name": "plane", "rules": rules}},
        "invocations": [_invocation(report.verdict)],
        "results": [_result(one, index[one.violation.rule]) for one in report.verdict.judged],
        "columnKind": "unicodeCodePoints",
    }
    whole = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def _rule(name: str, about: library.Rule | None) -> Json:
    if about is None:
        return {"id": name}
    links = [word for word in about.references if word.startswith("https://")]
    said = {
        "id": name,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.description},
        "help": {"text": about.remedy},
        "defaultConfiguration": {"level": _DEFAULTS.get(about.severity, "warning")},
        "properties": {"tags": [about.category], "severity": about.severity, "references": list(about.references)},
    }
    return {**said, "helpUri": links[0]} if links else said


def _invocation(verdict: policy.Verdict) -> Json:
    if not verdict.error:
        return {"executionSuccessful": True}
    return {"executionSuccessful": False, "toolExecutionNotifications": [{"level": "error", "message": {"text": verdict.error}}]}


def _result(one: policy.Judged, index: int) -> Json:
    found = one.violation
    # What stays the same while lines move: a scanner tells a known result from a new one by it.
    known = objects.digest(objects.canonical([found.policy, found.rule, found.object, found.path, found.message]))
    said = {
        "ruleId": found.rule,
        "ruleIndex": index,
        "level": reports.level(one),
        "message": {"text": f"{found.object}: {reports.sentence(found)}"},
        "locations": [_location(found)],
        "partialFingerprints": {"violation/v1": known},
        "properties": {"policy": found.policy, "mode": one.mode, "severity": found.severity, "path": found.path},
    }
    waived = {"suppressions": [{"kind": "external", "status": "accepted", "justification": f"waiver {one.waiver}"}]}
    return {**said, **waived} if one.waiver else said


def _location(found: policy.Violation) -> Json:
    logical = {"logicalLocations": [{"fullyQualifiedName": found.object, "kind": "resource"}]}
    place = reports.place(found.file)
    if not place.file:
        return logical
    path = pathlib.Path(place.file)
    uri = path.as_uri() if path.is_absolute() else urllib.parse.quote(path.as_posix())
    return {**logical, "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": place.line or 1}}}
