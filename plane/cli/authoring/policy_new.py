"""`plane policy new`: a rule to begin with, with METADATA, and tests that pass."""

import pathlib
import re

import click

from plane.cli import failures

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_RULE = """# METADATA
# title: {title}
# description: Say why this matters, and to whom.
# custom:
#   id: {id}
#   severity: medium
#   category: {category}
#   remedy: Set metadata.labels.owner to the team that answers for the object.
#   references: []
#   parameters:
#     label:
#       description: The label that must be there.
#       type: string
#       default: owner
package plane.rules.{name}

import data.plane.lib

about := lib.about(rego.metadata.chain())

violations contains {{"message": message, "path": "/metadata/labels"}} if {{
	label := lib.setting(about, "label")
	labels := object.get(input.manifest, ["metadata", "labels"], {{}})
	object.get(labels, label, "") == ""
	message := sprintf("the label %q is missing", [label])
}}
"""
_TESTS = """package plane.rules.{name}_test

import data.plane.rules.{name}

good := {{"apiVersion": "v1", "kind": "Service", "metadata": {{"name": "web", "labels": {{"owner": "shop"}}}}}}

bad := {{"apiVersion": "v1", "kind": "Service", "metadata": {{"name": "web"}}}}

found(manifest, parameters) := violations if {{
	violations := {name}.violations with input as {{"manifest": manifest, "parameters": parameters}}
}}

test_what_has_the_label_keeps_the_rule if {{
	found(good, {{}}) == set()
}}

test_what_lacks_it_breaks_the_rule if {{
	{{one.message | some one in found(bad, {{}})}} == {{"the label \\"owner\\" is missing"}}
}}

test_a_binding_may_name_another_label if {{
	count(found(good, {{"{id}": {{"label": "team"}}}})) == 1
}}
"""


@click.command("new")
@click.argument("name")
@click.option("-d", "--directory", type=click.Path(file_okay=False, path_type=pathlib.Path), default=".", help="Where the two files go.")
@click.option("--id", "rule", default="", help="What modes, parameters and waivers name the rule by; X01 and the like.")
@click.option("--category", default="house", show_default=True, help="For lists of rules.")
def command(name: str, *, directory: pathlib.Path, rule: str, category: str) -> None:
    """Write NAME.rego and NAME_test.rego: a rule with tests, to start your own from.

    `plane policy test DIR` runs them, `plane try policy --policies DIR FILE…` asks the rule.
    """
    if not NAME.fullmatch(name):
        raise failures.WrongUse(f"{name!r} is no name for a rule; write lower-case letters, digits and `_`, beginning with a letter")
    for word in (rule, category):
        if word and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", word):
            raise failures.WrongUse(f"{word!r} may hold letters, digits, `-` and `_`, and begins with a letter")
    said = {"name": name, "id": rule or name, "category": category, "title": name.replace("_", " ").capitalize()}
    texts = {directory / f"{name}.rego": _RULE.format(**said), directory / f"{name}_test.rego": _TESTS.format(**said)}
    if there := [str(path) for path in texts if path.exists()]:
        raise failures.WrongUse(f"{', '.join(there)} is there already; choose another name")
    directory.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, "utf-8")
        click.echo(str(path))
