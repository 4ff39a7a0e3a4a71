"""A policy set as files for OPA: what a style makes of it."""

from collections.abc import Mapping

import msgspec

MANIFEST = ".manifest"


class Laid(msgspec.Struct, frozen=True):
    """Path in OPA's folder → text. `strict`: whether `opa check --strict` is asked for; authors for other tools never were."""

    files: Mapping[str, str]
    strict: bool = True


def manifest(*, v0: tuple[str, ...]) -> str:
    """Of the folder as a bundle: which files are Rego v0, as globs that begin with a slash."""
    return msgspec.json.encode({"roots": [""], "rego_version": 1, "file_rego_versions": dict.fromkeys(v0, 0)}).decode()
