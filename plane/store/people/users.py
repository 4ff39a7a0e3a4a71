"""Users as documents: principals with what they hold and the tokens that still work."""

import sqlalchemy as sa

from plane.store import documents
from plane.store.layout import tables
from plane.store.people import bindings

_USERS, _TOKENS, _HELD, _TENANTS = tables.principals, tables.tokens, bindings.HELD, tables.tenants

_ROLE = sa.func.json_build_object(
    *("role", _HELD.c.role, "tenant", sa.func.coalesce(_TENANTS.c.name, "")),
    *("project", _HELD.c.project, "binding", _HELD.c.binding, "group", _HELD.c.group, "breakGlass", _HELD.c.break_glass),
    *("until", sa.func.coalesce(sa.func.to_char(_HELD.c.until, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), "")),
)
_ORDER = (sa.func.coalesce(_TENANTS.c.name, ""), _HELD.c.project, _HELD.c.role, _HELD.c.binding)
_ROLES = (
    sa.select(sa.func.coalesce(sa.func.json_agg(_ROLE).aggregate_order_by(*_ORDER), sa.text("'[]'::json")))
    .select_from(_HELD.outerjoin(_TENANTS, _TENANTS.c.id == _HELD.c.tenant_id))
    .where(_HELD.c.principal_id == _USERS.c.id, sa.or_(_HELD.c.tenant_id == _USERS.c.tenant_id, _USERS.c.tenant_id == tables.NIL))
    .scalar_subquery()
)
_LIVE = (
    _TOKENS.c.tenant_id == _USERS.c.tenant_id,
    _TOKENS.c.principal_id == _USERS.c.id,
    _TOKENS.c.revoked_at.is_(None),
    _TOKENS.c.expires_at > sa.func.now(),
)
_WHOLE = sa.select(
    *_USERS.c,
    _ROLES.label("roles"),
    sa.select(sa.func.count()).select_from(_TOKENS).where(*_LIVE).scalar_subquery().label("tokens"),
    sa.select(sa.func.max(_TOKENS.c.expires_at)).where(*_LIVE).scalar_subquery().label("tokens_expire"),
)
SHELF = documents.Shelf(_USERS, _WHOLE, _WHOLE)
