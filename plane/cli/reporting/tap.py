"""The Test Anything Protocol, version 13: a line for each object that keeps all rules, and for each rule that one breaks.

What stops nothing is a TODO: harnesses show it and do not fail for it.
"""

from collections.abc import Iterator

from plane.cli import failures
from plane.cli.reporting import reports
from plane.domain.judging import policy


def text(report: reports.Report) -> str:
    """A plan and its lines, or why there is none."""
    if report.verdict.error:
        return f"TAP version 13\nBail out! {_one_line(report.verdict.error)}\n"
    lines = list(_lines(report))
    numbered = (f"{word} {number} - {rest}" for number, (word, rest) in enumerate(lines, 1))
    return "\n".join(["TAP version 13", f"1..{len(lines)}", *numbered, ""])


def _lines(report: reports.Report) -> Iterator[tuple[str, str]]:
    for subject in report.subjects():
        found = report.of(subject)
        if not found:
            yield "ok", _one_line(subject)
        for one in found:
            yield "not ok", _found(one)


def _found(one: policy.Judged) -> str:
    violation = one.violation
    where = f" at {violation.file}" if violation.file else ""
    said = _one_line(f"{violation.object} keeps {violation.policy}/{violation.rule}{where}: {violation.message}")
    if reports.level(one) == "error":
        return said
    return f"{said} # TODO {_one_line(f'waived by {one.waiver}' if one.waiver else one.mode)}"


def _one_line(said: str) -> str:
    """A `#` in it would begin a directive."""
    return failures.visible(said).replace("\n", " ").replace("#", "\\#")
