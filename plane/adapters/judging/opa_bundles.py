"""Bundles as policy sets: unpacked within bounds, looked through by OPA itself, their signature checked over what was unpacked."""

import pathlib
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from plane.adapters.judging import bundle_signatures, opa_sets
from plane.domain import errors, trust
from plane.domain.judging import bundles, origins

LOOK_S = 20.0
_OWN = "rules"  # where a bundle's own modules are checked


def opened(compiler: opa_sets.Compiler, packed: bytes, keys: Sequence[trust.Trusted]) -> tuple[bundles.Bundle, origins.Signed]:
    """What a bundle holds, without copies of the plane's library, and who signed it.

    Raises:
        Invalid: it is none, its manifest contradicts its files, or they are not what one of the keys signed.
    """
    bundle = bundles.read(packed)
    signed = bundle_signatures.signed(bundle.contents, keys)
    _look_through(compiler, bundle)
    return bundles.without(bundle, frozenset(compiler.base.values())), signed


def _look_through(compiler: opa_sets.Compiler, bundle: bundles.Bundle) -> None:
    """OPA's own word on roots, versions and syntax."""
    with tempfile.TemporaryDirectory(prefix="plane-opa-bundle-") as name:
        place = pathlib.Path(name)
        for file, body in bundle.contents.items():
            path = place / bundles.FIELD / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        try:
            done = compiler.run(["inspect", "--format=json", bundles.FIELD], place, timeout_s=LOOK_S)
        except subprocess.TimeoutExpired as error:
            raise errors.Invalid({bundles.FIELD: f"OPA has not read it within {LOOK_S:g} s; make it smaller"}) from error
        if done.returncode:
            own = bundles.without(bundle, frozenset(compiler.base.values()))
            _check_modules(compiler, own.texts, place)
    if done.returncode:
        said = opa_sets.said(done.stderr).removeprefix("error: ").removeprefix(f"bundle {bundles.FIELD}: ")
        raise errors.Invalid({bundles.FIELD: said.replace(f"{bundles.FIELD}/", "").strip()})


def _check_modules(compiler: opa_sets.Compiler, texts: Mapping[str, str], place: pathlib.Path) -> None:
    """`opa inspect` tells no columns; `opa check` does, with the plane's library once beside the rules."""
    own = {f"{_OWN}/{name}": text for name, text in texts.items() if name.endswith(".rego")}
    for name, text in {**own, **{f"plane/{name}": text for name, text in compiler.base.items()}}.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    try:
        done = compiler.run(["check", "--format=json", _OWN, "plane"], place, timeout_s=LOOK_S)
    except subprocess.TimeoutExpired:
        return
    if done.returncode and (found := [one for one in opa_sets.located(done.stderr + done.stdout) if one.startswith(f"{_OWN}/")]):
        raise errors.Invalid({bundles.FIELD: "; ".join(one.removeprefix(f"{_OWN}/") for one in found)})
