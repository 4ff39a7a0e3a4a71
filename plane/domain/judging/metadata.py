"""What every rule of a policy set says about itself before the set is taken: METADATA of its package, and that verdicts show it.

Source: https://www.openpolicyagent.org/docs/policy-language#metadata; where it stands, and `about`: policies/README.md.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from plane.domain.judging import policy
from plane.domain.reading import yaml_text

SEVERITIES = ("low", "medium", "high", "critical")
WANTED = f"every rule says its title, description, custom.severity ({', '.join(SEVERITIES)}) and custom.remedy"
DEFAULTS = {"severity": "the severity medium", "remedy": "no remedy"}  # where neither METADATA nor a violation says it
ABOUT = "about := lib.about(rego.metadata.chain())"
_RULE = re.compile(r"\A(?P<head>(?:[ \t]*(?:#.*)?\r?\n)*)package[ \t]+plane\.rules\.(?P<name>[A-Za-z_]\w*)", re.ASCII)
_BEGIN = re.compile(r"#[ \t]*METADATA[ \t]*")
_ABOUT = re.compile(r"^about\b", re.MULTILINE)


class _Module(msgspec.Struct, frozen=True):
    """A rule's file. `row`: of its package; `said`: its METADATA, None where it has none that is a mapping."""

    file: str
    row: int
    text: str
    said: Mapping[str, Any] | None


def require(files: policy.PolicyFiles) -> None:
    """PolicyInvalid for a set in the plane's own style with a rule that does not say what it is; other tools know no such thing."""
    if files.style.kind == "plane" and (found := tuple(problems(files.files))):
        raise policy.PolicyInvalid(files.name, found, why="does not say what its rules are")


def assumed(files: policy.PolicyFiles) -> tuple[str, ...]:
    """What of a rule another tool's policies do not say, and what verdicts show instead; sentences about a set."""
    if files.style.kind == "plane":
        return ()
    whole = "\n".join(files.files.values()) if files.style.kind == "conftest" else ""  # its results alone may say both
    lacking = [name for name in DEFAULTS if not re.search(rf"\b{name}\b", whole)]
    return (
        (f"its rules say no {' and no '.join(lacking)}; verdicts show {', '.join(DEFAULTS[name] for name in lacking)}",) if lacking else ()
    )


def problems(files: Mapping[str, str]) -> Iterator[str]:
    """`file:row:col: …`, by package. Of a package in several files one is enough."""
    packages: dict[str, list[_Module]] = {}
    for file, text in sorted(files.items()):
        if found := _RULE.match(text):
            module = _Module(file, found["head"].count("\n") + 1, text, _said(found["head"]))
            packages.setdefault(found["name"], []).append(module)
    return (problem for modules in packages.values() if (problem := _problem(modules)))


def _problem(modules: list[_Module]) -> str:
    told = [one for one in modules if one.said is not None]
    if not told:
        return f"{modules[0].file}:{modules[0].row}:1: there is no METADATA above the package; {WANTED}"
    best = min(told, key=lambda one: len(_lacking(one.said or {})))
    if lacking := _lacking(best.said or {}):
        return f"{best.file}:{best.row}:1: its METADATA lacks {', '.join(lacking)}; {WANTED}"
    if not any(_ABOUT.search(one.text) for one in modules):
        return f"{best.file}:{best.row}:1: no verdict would show its METADATA; add `import data.plane.lib` and `{ABOUT}`"
    return ""


def _said(head: str) -> Mapping[str, Any] | None:
    """The last block of METADATA above a package; OPA has compiled it, so that it is YAML where it is read."""
    lines = [line.strip() for line in head.splitlines()]
    begins = [number for number, line in enumerate(lines) if _BEGIN.fullmatch(line)]
    if not begins:
        return None
    try:
        value = yaml_text.parse("\n".join(_block(lines[begins[-1] + 1 :])).encode()).value
    except yaml_text.BadText:
        return None
    return value if isinstance(value, dict) else None


def _block(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").removeprefix(" ")


def _lacking(said: Mapping[str, Any]) -> list[str]:
    custom = said.get("custom")
    own = custom if isinstance(custom, dict) else {}
    words = {"title": said.get("title"), "description": said.get("description"), "custom.remedy": own.get("remedy")}
    found = [name for name, word in words.items() if not isinstance(word, str) or not word.strip()]
    return found + (["custom.severity"] if own.get("severity") not in SEVERITIES else [])
