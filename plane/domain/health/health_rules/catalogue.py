"""All tables as one; a module is named here or it does not count."""

import fnmatch
import functools
from collections.abc import Iterator

from plane.domain import kinds
from plane.domain.health.health_rules import (
    argo,
    certificates,
    clouds,
    cluster_api,
    crossplane,
    databases,
    external_secrets,
    flux,
    gateways,
    kruise,
    monitoring,
    operators,
    pipelines,
    policies,
    serverless,
    storage,
    tenancy,
    threescale,
)
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_TABLES: tuple[Table, ...] = (
    argo.RULES,
    certificates.RULES,
    clouds.RULES,
    cluster_api.RULES,
    crossplane.RULES,
    databases.RULES,
    external_secrets.RULES,
    flux.RULES,
    gateways.RULES,
    kruise.RULES,
    monitoring.RULES,
    operators.RULES,
    pipelines.RULES,
    policies.RULES,
    serverless.RULES,
    storage.RULES,
    tenancy.RULES,
    threescale.RULES,
)
# The first that matches counts; a kind with a rule of its own never comes here.
GLOBS: Globs = (
    *crossplane.GLOBS,
    *external_secrets.GLOBS,
    *serverless.GLOBS,
    *policies.GLOBS,
    *cluster_api.GLOBS,
    *storage.GLOBS,
    *clouds.GLOBS,
    *operators.GLOBS,
    *tenancy.GLOBS,
    *monitoring.GLOBS,
)
RULES: Table = {kind: rule for table in _TABLES for kind, rule in table.items()}


@functools.cache  # as many entries as a cluster has kinds
def find(group: str, kind: str) -> Rule | None:
    """The rule of a kind, or None when nobody wrote one."""
    found = RULES.get((group, kind))
    return found if found is not None else next(_matching(group, kind), None)


def twice() -> list[kinds.Kind]:
    """Kinds that two tables claim; there are none."""
    claimed = [kind for table in _TABLES for kind in table]
    return sorted({kind for kind in claimed if claimed.count(kind) > 1})


def _matching(group: str, kind: str) -> Iterator[Rule]:
    return (rule for groups, names, rule in GLOBS if fnmatch.fnmatchcase(group, groups) and fnmatch.fnmatchcase(kind, names))
