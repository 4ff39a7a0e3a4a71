"""Policy sets from folders: the shipped one, split into what every set needs and the rules, and users' own."""

import pathlib
from collections.abc import Iterable

import msgspec

from plane.adapters.styles import folders
from plane.domain import errors
from plane.domain.judging import library, policy, styles

RULES = "rules/"
DOCUMENTS: dict[styles.Kind, str] = {
    "gatekeeper": "ConstraintTemplates and constraints alone",
    "admission": "ValidatingAdmissionPolicies and their bindings",
}
STARTER = "starter"  # the profile of a first set, of `plane try policy` without --profile, and of the demo


class Shipped(msgspec.Struct, frozen=True):
    """`base`: the driver and what rules share, part of every set; `texts`: file → text of all rules; `rules`: the starter's."""

    base: dict[str, str]
    texts: dict[str, str]
    profiles: dict[str, library.Profile]
    rules: policy.PolicyFiles


def shipped() -> Shipped:
    """The policies that come with the plane, from the package or from the checkout around it."""
    inside = pathlib.Path(__file__).parents[2] / "_policies"
    folder = inside if inside.is_dir() else inside.parent.parent / "policies"
    modules = _modules(folder)
    rules = {name.removeprefix(RULES): text for name, text in modules.items() if name.startswith(RULES)}
    base = {name: text for name, text in modules.items() if not name.startswith(RULES)}
    known = library.profiles(folders.text_of(folder / "profiles.yaml"))
    return Shipped(base, rules, known, library.binding(STARTER, known, rules).policy)


def read(folder: pathlib.Path, *, base: dict[str, str]) -> policy.PolicyFiles:
    """The set in a folder, named after it. Copies of the base are left out, so that a copy of the shipped folder is a set.

    Raises:
        Invalid: there is no module, or one is no UTF-8.
    """
    found = {name: text for name, text in _modules(folder).items() if text not in base.values()}
    if not found:
        raise errors.Invalid({str(folder): "holds no .rego file; each rule is one package plane.rules.NAME"})
    return policy.policy_files(folder.resolve().name, found)


def conftest(folder: pathlib.Path, *, data: Iterable[pathlib.Path] = (), style: styles.Style) -> policy.PolicyFiles:
    """The set in a folder of conftest's, with data files and what is in data folders; their places become names below `data/`.

    Raises:
        Invalid: there is no module, or a file is no UTF-8.
    """
    found = _modules(folder)
    if not found:
        raise errors.Invalid({str(folder): "holds no .rego file"})
    for number, path in enumerate(data):
        below = sorted(one for one in path.rglob("*") if one.suffix in folders.DATA) if path.is_dir() else [path]
        found |= {
            f"data/{number}/{one.relative_to(path if path.is_dir() else path.parent).as_posix()}": folders.text_of(one) for one in below
        }
    return policy.policy_files(folder.resolve().name, found, style)


def documents(folder: pathlib.Path, kind: styles.Kind) -> policy.PolicyFiles:
    """The set of the files that hold Gatekeeper's templates and constraints alone, or admission policies with their parameters.

    Raises:
        Invalid: there is none, or a file cannot be read.
    """
    found = folders.read(folder).files.get(kind, {})
    if not found:
        raise errors.Invalid({str(folder): f"holds no file of {DOCUMENTS[kind]}"})
    return policy.policy_files(folder.resolve().name, found, styles.Style(kind))


def _modules(folder: pathlib.Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*.rego") if not path.name.endswith("_test.rego"))
    return {path.relative_to(folder).as_posix(): folders.text_of(path) for path in paths}
