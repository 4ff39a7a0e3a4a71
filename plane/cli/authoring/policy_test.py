"""`plane policy test` and `plane policy fmt`: OPA's own, within the plane's bounds."""

import pathlib
from xml.etree import ElementTree as ET

import click

from plane import config
from plane.adapters.judging import opa_files, opa_tests
from plane.cli import failures
from plane.cli.trying import trial_files
from plane.domain.judging import metadata, policy

FOLDER = click.Path(exists=True, file_okay=False, path_type=pathlib.Path)
PLACE = click.Path(exists=True, path_type=pathlib.Path)
old = click.option("--rego-v0", is_flag=True, help="The modules are Rego v0.")


@click.command("test")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--threshold", type=click.FloatRange(0, 100), default=0.0, help="Percent of the rules' lines that tests must reach.")
@old
@trial_files.output_option("table", "json", "junit")
def test(folder: pathlib.Path, *, threshold: float, rego_v0: bool, output: str) -> None:
    """Run the tests of a folder of rules with `opa test`, and say what they reach.

    The plane's library is there where rules import it, and no builtin that a policy set may not use. Exit code 0: all tests pass and reach
    enough, and the rules say what they are, 1: not, or there is no test, 2: wrong use, or it does not compile.
    """
    author = opa_tests.Author(config.program("opa"), opa_files.shipped().base, v0=rego_v0)
    with trial_files.refusals():
        tests, covered = author.test(folder)
    if output == "json":
        trial_files.as_json({"tests": tests, "coverage": covered})
    elif output == "junit":
        click.echo(_junit(tests), nl=False)
    else:
        _print(tests, covered)
    if not tests:
        raise failures.Failed(f"{folder} has no test; name rules test_… in files *_test.rego")
    if not all(one.good() for one in tests):
        raise failures.Failed(f"{sum(not one.good() for one in tests)} of {len(tests)} tests fail")
    if covered.percent < threshold:
        raise failures.Failed(f"the tests reach {covered.percent:g} % of the rules' lines, and {threshold:g} % are asked for")
    texts = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.rego")}  # OPA has read them
    if lacking := next(metadata.problems(policy.untested(texts)), ""):
        raise failures.Failed(lacking)


@click.command("fmt")
@click.argument("paths", metavar="DIR|FILE…", nargs=-1, required=True, type=PLACE)
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 when something would change.")
@click.option("--v0-to-v1", "convert", is_flag=True, help="Write modules of Rego v0 so that v1 reads them too.")
@old
def fmt(paths: tuple[pathlib.Path, ...], *, check: bool, convert: bool, rego_v0: bool) -> None:
    """Format modules with `opa fmt`, and print the names of those that change."""
    if convert and rego_v0:
        raise failures.WrongUse("--v0-to-v1 makes v1 of v0, --rego-v0 leaves it v0; leave one out")
    author = opa_tests.Author(config.program("opa"), opa_files.shipped().base, v0=rego_v0)
    with trial_files.refusals():
        changed = author.formatted(paths, write=not check, convert=convert)
    for name in changed:
        click.echo(failures.visible(name))
    if check and changed:
        raise failures.Failed(f"{len(changed)} file{'s' if len(changed) > 1 else ''} would change")


def _print(tests: tuple[opa_tests.Tested, ...], covered: opa_tests.Covered) -> None:
    for one in tests:
        click.echo(failures.visible(f"{one.outcome:8} {one.package}.{one.name} ({one.where})"))
    for name, rows in covered.missing.items():
        click.echo(failures.visible(f"not reached: {name}, line{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}"))
    if tests and all(one.good() for one in tests):
        click.echo(f"{len(tests)} test{'s' if len(tests) > 1 else ''}, {covered.percent:g} % of the rules' lines reached")


def _junit(tests: tuple[opa_tests.Tested, ...]) -> str:
    bad = [one for one in tests if not one.good()]
    root = ET.Element("testsuites", {"name": "plane", "tests": str(len(tests)), "failures": str(len(bad))})
    suite = ET.SubElement(root, "testsuite", {"name": "rules", "tests": str(len(tests)), "failures": str(len(bad))})
    for one in tests:
        case = ET.SubElement(suite, "testcase", {"classname": one.package, "name": one.name, "time": f"{one.duration_s:.6f}"})
        if one.outcome == "skipped":
            ET.SubElement(case, "skipped")
        elif not one.good():
            ET.SubElement(case, "failure", {"message": failures.visible(f"{one.outcome} at {one.where}")})
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"
