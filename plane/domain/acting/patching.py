"""Patches that people write: what one must look like, and what it may not carry."""

from typing import Any, Literal

Type = Literal["merge", "json", "strategic"]
MOST_STEPS = 500
_NEEDS = {
    "add": ("path", "value"),
    "copy": ("from", "path"),
    "move": ("from", "path"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "test": ("path", "value"),
}
_VALUES = ("data", "stringData")
_WAY_OUT = "the plane keeps no secret value, so it carries none; change the Secret where it comes from"


def problems(kind: Type, patch: Any, *, secret: bool) -> dict[str, str]:  # noqa: ANN401 any JSON data
    """Path → broken rule. `secret`: it is for a Secret."""
    if kind != "json":
        return _of_mapping(patch, secret=secret)
    if not isinstance(patch, list) or not 0 < len(patch) <= MOST_STEPS:
        return {"patch": f"a patch of type json is a list of 1 to {MOST_STEPS} steps, for example [{{op: remove, path: /spec/paused}}]"}
    found = {f"patch[{n}]": _of_step(step, secret=secret) for n, step in enumerate(patch)}
    return {path: rule for path, rule in found.items() if rule}


def _of_mapping(patch: Any, *, secret: bool) -> dict[str, str]:  # noqa: ANN401 any JSON data
    if not isinstance(patch, dict) or not patch:
        return {"patch": "is a mapping of what to change, for example {spec: {replicas: 2}}"}
    if "metadata" in patch and not isinstance(patch["metadata"], dict):
        return {"patch.metadata": "must be a mapping"}
    return {f"patch.{part}": _WAY_OUT for part in _VALUES if secret and part in patch}


def _of_step(step: Any, *, secret: bool) -> str:  # noqa: ANN401 any JSON data
    op = step.get("op") if isinstance(step, dict) else None
    if op not in _NEEDS:
        return f"needs an op: {', '.join(sorted(_NEEDS))}"
    missing = [name for name in _NEEDS[op] if name not in step]
    if missing:
        return f"op {op} needs {' and '.join(missing)}"
    places = [step[name] for name in ("path", "from") if name in step]
    if not all(isinstance(place, str) and place.startswith("/") for place in places):
        return "a path is a JSON pointer to a field, for example /spec/replicas"
    reached = secret and any(place.split("/")[1] in _VALUES for place in places)
    return _WAY_OUT if reached else ""
