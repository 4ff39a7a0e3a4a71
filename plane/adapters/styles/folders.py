"""What lies in a folder of policies, by who would ask it; and why the rest is left out. Sorts by file, and changes none."""

import pathlib
import re

import msgspec

from plane.adapters.styles import admission, gatekeeper, layout
from plane.domain import errors
from plane.domain.judging import styles
from plane.domain.reading import documents

DATA = frozenset({".json", ".yaml", ".yml"})
_OWN = re.compile(r"plane\.rules\.\w+|lib(\.\w+)*", re.ASCII)
_REVIEW = re.compile(r"^[^#\n]*\binput\.review\b", re.MULTILINE)


class Left(msgspec.Struct, frozen=True, order=True):
    """A file, or with its line a document, that is part of no set."""

    where: str
    reason: str


class Found(msgspec.Struct, frozen=True):
    """Kind → file below the folder → text."""

    files: dict[styles.Kind, dict[str, str]]
    left: tuple[Left, ...] = ()


def read(folder: pathlib.Path) -> Found:
    """All files of a folder and those below, names sorted.

    Raises:
        Invalid: a file that cannot be read.
    """
    found: dict[styles.Kind, dict[str, str]] = {}
    left: list[Left] = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and (one.suffix == ".rego" or one.suffix in DATA)):
        name, text = path.relative_to(folder).as_posix(), text_of(path)
        kind = _rego(name, text) if path.suffix == ".rego" else _objects(name, text)
        if isinstance(kind, str):
            left.append(Left(name, kind))
        else:
            found.setdefault(kind[0], {})[name] = text
    return Found(_together(found), tuple(left))


def _rego(name: str, text: str) -> tuple[styles.Kind] | str:
    package = layout.package(text)
    if name.endswith("_test.rego"):
        return "is a test; `plane policy test` runs it"
    if not package:
        return "does not begin with `package NAME` on a line of its own"
    if package.startswith("plane."):
        return ("plane",) if _OWN.fullmatch(package) else "is in a package of the plane's own"
    if _REVIEW.search(text):
        return "reads input.review as Gatekeeper's rules do; they are asked where a ConstraintTemplate holds them"
    return ("conftest",)


def _objects(name: str, text: str) -> tuple[styles.Kind] | str:
    try:
        bodies = [one.value for one in documents.read(text.encode(), file=name) if one.value is not None]
    except errors.PlaneError as error:
        return str(error).removeprefix(f"{name}:")
    if not bodies:
        return "is empty"
    if any(admission.is_ours(body) for body in bodies):
        return ("admission",)
    if all(gatekeeper.is_ours(body) for body in bodies):
        return ("gatekeeper",)
    if any(gatekeeper.is_ours(body) for body in bodies):
        return "holds constraints or templates and other documents; put them into files of their own"
    if kinds := sorted({str(body["kind"]) for body in bodies if isinstance(body, dict) and "kind" in body}):
        return f"holds {', '.join(kinds)}, which is no policy that is understood"
    return (
        ("conftest",)
        if pathlib.PurePath(name).stem == "data" or "data" in pathlib.PurePath(name).parts[:-1]
        else "is no policy, and no data"
    )


def _together(found: dict[styles.Kind, dict[str, str]]) -> dict[styles.Kind, dict[str, str]]:
    """Packages lib belong to the plane's rules where there are any; data alone is no set."""
    theirs = found.get("conftest", {})
    if "plane" in found:
        shared = {name for name, text in theirs.items() if _OWN.fullmatch(layout.package(text))}
        found["plane"] |= {name: theirs[name] for name in shared}
        found["conftest"] = {name: text for name, text in theirs.items() if name not in shared}
    return {
        kind: files for kind, files in found.items() if any(name.endswith(".rego") for name in files) or kind in {"gatekeeper", "admission"}
    }


def text_of(path: pathlib.Path) -> str:
    """A file's text; Invalid for one that cannot be read, or is no UTF-8."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise errors.Invalid({str(path): "is no UTF-8 text"}) from None
    except OSError as error:
        raise errors.Invalid({str(path): f"cannot be read ({error.strerror})"}) from None
