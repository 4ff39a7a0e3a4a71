"""Policy sets as the command line is given them: a folder of Rego, or a profile that comes with the plane."""

import pathlib
from typing import Any

from plane.adapters.judging import opa_files
from plane.cli import failures
from plane.domain import errors
from plane.domain.judging import library


def profile(name: str, version: str = "") -> tuple[dict[str, Any], dict[str, str]]:
    """Its modes and parameters as fields of a spec, and the texts of its rules."""
    shipped = opa_files.shipped()
    try:
        bound = library.binding(name, shipped.profiles, shipped.texts, version=version)
    except errors.Invalid as error:
        raise failures.WrongUse(str(error)) from error
    return {"rules": bound.rules, "parameters": bound.parameters}, bound.policy.files


def folder(path: pathlib.Path) -> dict[str, str]:
    """File → text, tests too: they have to pass."""
    found = sorted(path.glob("*.rego"))
    if not found:
        raise failures.WrongUse(f"{path}: no .rego file in this folder")
    return {file.name: file.read_text(encoding="utf-8") for file in found}
