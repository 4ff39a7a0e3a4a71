"""The platform's rules about resources, which every tenant's apps go by."""

import msgspec
import sqlalchemy as sa

from plane.domain import resource_rules
from plane.store import documents
from plane.store.engine import Tx
from plane.store.layout import rule_tables

TABLE = rule_tables.resource_rules
SHELF = documents.plain(TABLE)
_SPECS = sa.select(TABLE.c.spec).order_by(TABLE.c.name)


def load(tx: Tx) -> resource_rules.Rules:
    """All of them, by name; any transaction may read them."""
    return resource_rules.together(msgspec.convert(spec, resource_rules.RuleSpec) for spec in tx.execute(_SPECS).scalars())
