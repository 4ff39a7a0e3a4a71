"""How the files of a policy set are written, and so how they are asked: our own rules, or those that other tools ask."""

import re
from typing import Literal

import msgspec

Kind = Literal["plane", "conftest", "gatekeeper", "admission"]
EVERY = "*"

DATA = r"data\.(?:json|ya?ml)"  # what OPA takes for data, under the path of its folder
_FOLDERS = r"\w[\w.-]*/(?:\w[\w.-]*/)*"
_FILE = r"\w[\w.-]*(?:/\w[\w.-]*)*\."
FILES: dict[Kind, re.Pattern[str]] = {
    "plane": re.compile(rf"{_FILE}rego|(?:{_FOLDERS})?{DATA}", re.ASCII),
    "conftest": re.compile(rf"{_FILE}(?:rego|json|ya?ml)", re.ASCII),
    "gatekeeper": re.compile(rf"{_FILE}(?:json|ya?ml)", re.ASCII),
    "admission": re.compile(rf"{_FILE}(?:json|ya?ml)", re.ASCII),
}
ENDINGS: dict[Kind, str] = {
    "plane": ".rego, or is data.json or data.yaml",
    "conftest": ".rego, .json or .yaml",
    "gatekeeper": ".json or .yaml",
    "admission": ".json or .yaml",
}
_PACKAGE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


class Style(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """`namespaces`: of conftest, the packages that are asked; none: `main`; `*`: all. `rego_version`: that of conftest's modules.

    `combine`: they are asked once about all objects, as `conftest --combine` asks, and not about each.
    """

    kind: Kind = "plane"
    namespaces: tuple[str, ...] = ()
    rego_version: Literal["v0", "v1"] = "v1"
    combine: bool = False


PLANE = Style()


def problems(style: Style) -> dict[str, str]:
    """What is wrong with it, by field."""
    if style.kind != "conftest" and style != Style(style.kind):
        return {
            "spec.style": f"namespaces, regoVersion and combine are about conftest's modules; a set of kind {style.kind} has none of them"
        }
    wrong = [name for name in style.namespaces if name != EVERY and not _PACKAGE.fullmatch(name)]
    return {"spec.style.namespaces": f"{wrong[0]!r} is no package; write main, main.gke or *"} if wrong else {}


def meant(style: Style, name: str) -> bool:
    """Whether a file of a folder is one of the set's, whatever else is wrong with its name."""
    last = name.rpartition("/")[2]
    if style.kind == "plane":
        return last.endswith(".rego") or bool(re.fullmatch(DATA, last))
    return last.endswith((".json", ".yaml", ".yml") if style.kind != "conftest" else (".rego", ".json", ".yaml", ".yml"))


def file_problem(style: Style, name: str) -> str:
    """Why a set cannot hold a file of this name, or the empty string."""
    if FILES[style.kind].fullmatch(name):
        return ""
    return f"a file name consists of letters, digits, `_`, `-` and dots, and ends in {ENDINGS[style.kind]}"
