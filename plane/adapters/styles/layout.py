"""A policy set as files for OPA: what a style makes of it."""

import re
from collections.abc import Mapping

import msgspec

MANIFEST = ".manifest"
RESERVED = frozenset({"plane", "system"})  # the driver's packages and OPA's own
# An allow-list of spellings: what is not written so cannot be told from a package of the driver's.
_PACKAGE = re.compile(r"package[ \t]+(?P<name>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)[ \t]*(#.*)?", re.ASCII)


class Laid(msgspec.Struct, frozen=True):
    """Path in OPA's folder → text. `strict`: whether `opa check --strict` is asked for; authors for other tools never were."""

    files: Mapping[str, str]
    strict: bool = True


def package(text: str) -> str:
    """A module's package; empty where its first line of code is not just that."""
    lines = (line.strip() for line in text.splitlines())
    found = _PACKAGE.fullmatch(next((line for line in lines if line and not line.startswith("#")), ""))
    return found["name"] if found else ""


def manifest(*, v0: tuple[str, ...]) -> str:
    """Of the folder as a bundle: which files are Rego v0, as globs that begin with a slash."""
    return msgspec.json.encode({"roots": [""], "rego_version": 1, "file_rego_versions": dict.fromkeys(v0, 0)}).decode()
