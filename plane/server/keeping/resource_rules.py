"""Rules about resources that hold for the apps of every tenant; the platform's alone to write."""

import msgspec

from plane.domain import errors, resource_rules
from plane.domain.comparing import ignoring
from plane.server import authorise
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store import engine
from plane.store.delivering import duties
from plane.store.delivering import resource_rules as store
from plane.wire import documents


def read(row: rows.Row, names: authorise.Names) -> documents.ResourceRule:
    """From a row."""
    return documents.ResourceRule(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=0),
        spec=msgspec.convert(row.spec, resource_rules.RuleSpec),
        status=documents.Status(**generic.common(row)),
    )


def _columns(change: generic.Change) -> generic.Columns:
    spec: resource_rules.RuleSpec = change.wish.spec
    problems = dict(resource_rules.problems(spec)) | ignoring.problems(spec.ignore_differences, change.plane.scripts.paths)
    if problems:
        raise errors.Invalid(problems)
    return generic.spec_only(change)


def _everywhere(change: generic.Change) -> None:
    """Every app is looked at again: what it renders to, and what its agent is to pass over."""
    with engine.dispatch(change.plane.engine) as tx:
        duties.everywhere(tx, change.plane.clock.now())


KIND = generic.Kind(
    type=documents.ResourceRule,
    noun="resourcerule",
    plural="resourcerules",
    level=0,
    shelf=store.SHELF,
    read=read,
    columns=_columns,
    afterwards=_everywhere,
)
