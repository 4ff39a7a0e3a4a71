"""Workflow commands of GitHub Actions: an annotation at the file and line of each violation.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from plane.cli import failures
from plane.cli.reporting import reports
from plane.domain.judging import policy

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def text(report: reports.Report) -> str:
    """A line for each violation; one for an engine that gave no answer."""
    if report.verdict.error:
        return f"::error title=policy::{_value(report.verdict.error)}\n"
    return "".join(f"{_annotation(one)}\n" for one in report.verdict.judged)


def _annotation(one: policy.Judged) -> str:
    found = one.violation
    place = reports.place(found.file)
    words = {"file": place.file, "line": str(place.line or 1) if place.file else "", "title": f"{found.policy}/{found.rule}"}
    properties = ",".join(f"{name}={_property(word)}" for name, word in words.items() if word)
    waived = f" (waived by {one.waiver})" if one.waiver else ""
    return f"::{_COMMANDS[reports.level(one)]} {properties}::{_value(f'{found.object}: {reports.sentence(found)}{waived}')}"


def _value(said: str) -> str:
    return failures.visible(said).replace("%", "%25").replace("\n", "%0A")


def _property(said: str) -> str:
    """Colons and commas part properties."""
    return _value(said).replace(":", "%3A").replace(",", "%2C")
