"""How one object is to be written: what its sync options make of the request."""

import functools

from plane.domain import objects, options
from plane.wire import agent


@functools.lru_cache(maxsize=256)
def of_app(words: tuple[str, ...]) -> options.App:
    """An app's sync options; Invalid as the plane would say it."""
    return options.app(words)


def how(manifest: objects.Manifest, told: agent.Options) -> options.Effective:
    """What holds for one object."""
    return options.merged(of_app(told.sync_options), options.own(manifest))


def query(effective: options.Effective, *, applies: bool, dry_run: bool, forced: bool = True) -> str:
    """Of an apply, `forced` where its options do not say otherwise, or of a create or replace."""
    force = f"&force={str(forced and effective.ssa != 'Merge').lower()}" if applies else ""
    validation = "Strict" if effective.validate else "Ignore"
    return f"fieldManager={agent.FIELD_MANAGER}{force}&fieldValidation={validation}{'&dryRun=All' if dry_run else ''}"
