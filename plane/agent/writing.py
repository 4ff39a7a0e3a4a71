"""How one object is to be written: what its sync options make of the request."""

import functools
from collections.abc import Iterable
from typing import Any

from plane.domain import objects, options
from plane.wire import agent


@functools.lru_cache(maxsize=256)
def of_app(words: tuple[str, ...]) -> options.App:
    """An app's sync options; Invalid as the plane would say it."""
    return options.app(words)


def how(manifest: objects.Manifest, told: agent.Options) -> options.Effective:
    """What holds for one object."""
    return options.merged(of_app(told.sync_options), options.own(manifest))


def query(effective: options.Effective, *, applies: bool, dry_run: bool) -> str:
    """Of an apply, or of a create or replace."""
    force = f"&force={str(effective.ssa != 'Merge').lower()}" if applies else ""
    validation = "Strict" if effective.validate else "Ignore"
    return f"fieldManager={agent.FIELD_MANAGER}{force}&fieldValidation={validation}{'&dryRun=All' if dry_run else ''}"


def respectful(desired: dict[str, Any], live: dict[str, Any], pointers: Iterable[str]) -> dict[str, Any]:
    """The desired object with what lives at the pointers, so that applying it overwrites nothing there."""
    for pointer in pointers:
        desired = _adopted(desired, live, [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]])
    return desired


def _adopted(desired: Any, live: Any, parts: list[str]) -> Any:  # noqa: ANN401 - any JSON data
    if not parts:
        return live
    head, *rest = parts
    if isinstance(desired, dict) and isinstance(live, dict):
        return _adopted_field(desired, live, head, rest)
    if isinstance(desired, list) and isinstance(live, list) and head.isdigit() and int(head) < min(len(desired), len(live)):
        place = int(head)
        return [*desired[:place], _adopted(desired[place], live[place], rest), *desired[place + 1 :]]
    return desired


def _adopted_field(desired: dict[str, Any], live: dict[str, Any], name: str, rest: list[str]) -> dict[str, Any]:
    if name not in desired:
        return desired  # what Git does not speak about is not overwritten anyway
    if name not in live:
        return desired if rest else {key: value for key, value in desired.items() if key != name}
    return {**desired, name: _adopted(desired[name], live[name], rest)}
