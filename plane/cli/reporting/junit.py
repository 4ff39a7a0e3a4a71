"""JUnit's XML: a test case for each object that keeps all rules, and one for each rule that an object breaks.

What stops nothing is a skipped case: it is seen, and the suite passes.
"""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from plane.cli import failures
from plane.cli.reporting import reports
from plane.domain.judging import policy


def text(report: reports.Report) -> str:
    """One document of one suite."""
    cases = list(_cases(report))
    failed = sum(case.find("failure") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    errors = int(bool(report.verdict.error))
    counts = {"tests": str(len(cases)), "failures": str(failed), "errors": str(errors), "skipped": str(skipped)}
    root = ET.Element("testsuites", {"name": "plane", **counts})
    ET.SubElement(root, "testsuite", {"name": "policy", **counts}).extend(cases)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _cases(report: reports.Report) -> Iterator[ET.Element]:
    if report.verdict.error:
        case = ET.Element("testcase", classname="policy", name="the policy engine answers")
        ET.SubElement(case, "error", message=failures.visible(report.verdict.error))
        yield case
        return
    for subject in report.subjects():
        found = report.of(subject)
        if not found:
            yield _case(subject, "policy", report.objects.get(subject, ""))
        for one in found:
            yield _found(one)


def _found(one: policy.Judged) -> ET.Element:
    violation = one.violation
    case = _case(f"{violation.object} keeps {violation.rule}", f"{violation.policy}.{violation.rule}", violation.file)
    message = failures.visible(violation.message)
    if reports.level(one) == "error":
        ET.SubElement(case, "failure", type=one.mode, message=message).text = failures.visible(reports.sentence(violation))
    else:
        ET.SubElement(case, "skipped", message=f"{f'waived by {one.waiver}' if one.waiver else one.mode}: {message}")
    return case


def _case(name: str, classname: str, where: str) -> ET.Element:
    place = reports.place(where)
    at = ({"file": failures.visible(place.file)} if place.file else {}) | ({"line": str(place.line)} if place.line else {})
    return ET.Element("testcase", {"classname": failures.visible(classname), "name": failures.visible(name), **at})
