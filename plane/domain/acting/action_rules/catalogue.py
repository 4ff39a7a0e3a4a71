"""All tables as one; a module is named here or it does not count."""

from plane.domain import kinds
from plane.domain.acting.action_rules import argo, databases, flux, kubernetes, numaproj, operators
from plane.domain.acting.action_rules.rules import Table

_TABLES: tuple[Table, ...] = (argo.RULES, databases.RULES, flux.RULES, kubernetes.RULES, numaproj.RULES, operators.RULES)
RULES: Table = {kind: found for table in _TABLES for kind, found in table.items()}


def twice() -> list[kinds.Kind]:
    """Kinds that two tables claim; there are none."""
    claimed = [kind for table in _TABLES for kind in table]
    return sorted({kind for kind in claimed if claimed.count(kind) > 1})
