"""Writes docs/policies/: the rules that come with the plane, from their METADATA, and the schema of what rules are asked.

With --check it only compares.
"""

import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from plane.adapters.judging import opa_files
from plane.domain import descriptions
from plane.domain.judging import library, policy

FOLDER = pathlib.Path(__file__).parent.parent / "docs" / "policies"
TOOL = "python tools/policy_reference.py"
CATEGORIES = {
    "pods": "Pods",
    "images": "Images",
    "resources": "Resources",
    "availability": "Availability",
    "metadata": "Labels and marks",
    "tenancy": "Tenancy",
    "rbac": "Rights in the cluster",
    "network": "Network",
    "versions": "Versions and shapes",
    "secrets": "Secrets",
    "delivery": "Delivery",
}


def pages() -> dict[str, str]:
    """File name → content."""
    shipped = opa_files.shipped()
    rules = library.rules(shipped.texts)
    bound = {name: library.binding(name, shipped.profiles, shipped.texts).rules for name in shipped.profiles}
    return {"library.md": "".join(_page(shipped, rules, bound)), "input.schema.json": _schema()}


def _page(shipped: opa_files.Shipped, rules: dict[str, library.Rule], bound: dict[str, dict[str, policy.Mode]]) -> Iterator[str]:
    yield f"<!-- written by {TOOL} from policies/ -->\n# The rules that come with the plane\n\n"
    yield "How to put them in force is in [policies](../policies.md), what they read in [input.schema.json](input.schema.json).\n\n"
    yield "## Profiles\n\n| profile | rules | |\n|---|---|---|\n"
    yield from (f"| `{name}` | {len(bound[name])} | {shipped.profiles[name].description} |\n" for name in bound)
    yield f"\n| rule | | {' | '.join(bound)} |\n|---|---|{'---|' * len(bound)}\n"
    yield from (_overview(rule, bound) for rule in sorted(rules.values(), key=lambda one: one.id))
    for category, title in CATEGORIES.items():
        yield f"\n## {title}\n"
        yield from (part for rule in sorted(rules.values(), key=lambda one: one.id) if rule.category == category for part in _rule(rule))


def _overview(rule: library.Rule, bound: dict[str, dict[str, policy.Mode]]) -> str:
    modes = (modes.get(rule.id, "–") for modes in bound.values())
    return f"| [{rule.id}](#{_anchor(rule)}) | {_cell(rule.title)} | {' | '.join(modes)} |\n"


def _anchor(rule: library.Rule) -> str:
    kept = "".join(letter for letter in f"{rule.id} {rule.title}".lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _rule(rule: library.Rule) -> Iterator[str]:
    yield f"\n### {rule.id} {rule.title}\n\n{rule.description}\n\n*{rule.severity}*, `policies/rules/{rule.file}`. To fix: {rule.remedy}\n"
    if rule.references:
        yield f"\nSee {'; '.join(rule.references)}.\n"
    if rule.parameters:
        yield "\n| parameter | type | default | |\n|---|---|---|---|\n"
        yield from (_parameter(name, schema) for name, schema in rule.parameters.items())


def _parameter(name: str, schema: dict[str, Any]) -> str:
    return (
        f"| `{name}` | {_type(schema)} | `{_cell(json.dumps(schema['default'], ensure_ascii=False))}` | {_cell(schema['description'])} |\n"
    )


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(schema["enum"])
    inner = schema.get("items") or schema.get("additionalProperties")
    return f"{schema['type']} of {_type(inner)}" if isinstance(inner, dict) else str(schema["type"])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _schema() -> str:
    (root,), components = msgspec.json.schema_components([policy.PolicyInput], ref_template="#/$defs/{name}")
    parts = descriptions.cleaned(components)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "gitops-plane.io/policy-input/v1"}
    return json.dumps({**head, **root, "$defs": parts}, indent=2, sort_keys=True) + "\n"


def main() -> int:
    written = {name: (FOLDER / name).read_text() if (FOLDER / name).exists() else "" for name in pages()}
    if sys.argv[1:] == ["--check"]:
        stale = [name for name, text in pages().items() if written[name] != text]
        sys.stderr.write("".join(f"docs/policies/{name} differs from policies/; run: {TOOL}\n" for name in stale))
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
