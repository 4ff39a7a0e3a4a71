"""The first admin: whoever holds the machine may make one, and the log says so."""

import datetime as dt

from plane import ports
from plane.domain import access
from plane.domain.auditing import audit
from plane.server import authorise
from plane.store import engine
from plane.store.auditing import audit as log
from plane.store.people import people, tokens

NAME = "admin"
LIFE = dt.timedelta(days=365)


def admin(database: engine.Engine, clock: ports.Clock) -> str:
    """A fresh token for the platform admin `admin`, who is made if absent."""
    token, now = authorise.new_secret("user"), clock.now()
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    with engine.begin(database, scope) as tx:
        people.add(tx, scope.tenant, identity=clock.id(), name=NAME, kind="user")
        principal = people.find(tx, scope.tenant, NAME)
        people.bind(tx, scope.tenant, {"id": clock.id(), "principal_id": principal, "role": "platform-admin", "project_id": None})
        row = {
            "id": clock.id(),
            "principal_id": principal,
            "name": "bootstrap",
            "prefix": token[:16],
            "hash": authorise.hashed(token),
            "expires_at": now + LIFE,
        }
        tokens.add(tx, scope.tenant, row)
        made = audit.Event(
            id=clock.id(),
            time=now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            type="token.created",
            actor=audit.By(access.SYSTEM.id, access.SYSTEM.name, access.SYSTEM.kind),
            tenant=scope.tenant,
            target=f"user/{NAME}",
            message="bootstrap token for the platform admin",
        )
        log.append(tx, [made])
    return token
