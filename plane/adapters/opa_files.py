"""Policy sets from folders: the shipped one, split into what every set needs and the rules, and users' own."""

import pathlib

import msgspec

from plane.domain import errors
from plane.domain.judging import policy

BASE = frozenset({"main.rego", "lib.rego"})


class Shipped(msgspec.Struct, frozen=True):
    """`base`: the driver and the library, part of every set; `rules`: the baseline set."""

    base: dict[str, str]
    rules: policy.PolicyFiles


def shipped() -> Shipped:
    """The policies that come with the plane, from the package or from the checkout around it."""
    inside = pathlib.Path(__file__).parent.parent / "_policies"
    modules = _modules(inside if inside.is_dir() else inside.parent.parent / "policies")
    base = {name: text for name, text in modules.items() if name in BASE}
    return Shipped(base, policy.policy_files("baseline", {name: text for name, text in modules.items() if name not in BASE}))


def read(folder: pathlib.Path, *, base: dict[str, str]) -> policy.PolicyFiles:
    """The set in a folder, named after it. Copies of the base are left out, so that a copy of the shipped folder is a set.

    Raises:
        Invalid: there is no module, or one is no UTF-8.
    """
    found = {name: text for name, text in _modules(folder).items() if text not in base.values()}
    if not found:
        raise errors.Invalid({str(folder): "holds no .rego file; each rule is one package plane.rules.NAME"})
    return policy.policy_files(folder.resolve().name, found)


def _modules(folder: pathlib.Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*.rego") if not path.name.endswith("_test.rego"))
    return {path.relative_to(folder).as_posix(): _text(path) for path in paths}


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise errors.Invalid({str(path): "is no UTF-8 text"}) from None
    except OSError as error:
        raise errors.Invalid({str(path): f"cannot be read ({error.strerror})"}) from None
