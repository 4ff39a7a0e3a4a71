"""The first admin: whoever holds the machine may make one, and the log says so."""

import datetime as dt

import msgspec

from plane import ports
from plane.domain import access
from plane.domain.auditing import audit, details, people_details
from plane.domain.granting import login, passwords
from plane.server import authorise, entry, local_login
from plane.store import engine
from plane.store.auditing import audit as log
from plane.store.people import passwords as store
from plane.store.people import people, tokens

NAME = "admin"
LIFE = dt.timedelta(days=365)


def admin(database: engine.Engine, clock: ports.Clock) -> str:
    """A fresh token for the platform admin `admin`, who is made if absent."""
    token, now, scope = authorise.new_secret("user"), clock.now(), entry.PLATFORM
    with engine.begin(database, scope) as tx:
        principal = _made(tx, clock)
        row = {
            "id": clock.id(),
            "principal_id": principal,
            "name": "bootstrap",
            "prefix": token[:16],
            "hash": authorise.hashed(token),
            "expires_at": now + LIFE,
        }
        tokens.add(tx, scope.tenant, row)
        _tell(tx, clock, "token.created", "bootstrap token for the platform admin")
    return token


def password(database: engine.Engine, clock: ports.Clock, hashed: str) -> int:
    """Give the admin, who is made if absent, this password, and end a lock-out; returns how many log-ins ended with the old one."""
    with engine.begin(database, entry.PLATFORM) as tx:
        ended = local_login.put(clock, tx, _made(tx, clock), hashed)
        store.forgive(tx, passwords.key("account", NAME))
        _tell(tx, clock, "login.password.changed", "on the plane's own machine", people_details.PasswordChanged(ended=ended))
    return ended


def no_password(database: engine.Engine, clock: ports.Clock) -> bool:
    """Take it away, and end what it began; False when there was none."""
    with engine.begin(database, entry.PLATFORM) as tx:
        principal = people.find(tx, access.PLATFORM_TENANT, NAME)
        if not principal or not store.drop(tx, access.PLATFORM_TENANT, principal):
            return False
        ended = store.end_others(tx, access.PLATFORM_TENANT, principal, login.LOCAL, but="", now=clock.now())
        _tell(tx, clock, "login.password.changed", "taken away", people_details.PasswordChanged(ended=ended))
    return True


def _made(tx: engine.Tx, clock: ports.Clock) -> str:
    people.add(tx, access.PLATFORM_TENANT, identity=clock.id(), name=NAME, kind="user")
    principal = people.find(tx, access.PLATFORM_TENANT, NAME)
    people.bind(tx, access.PLATFORM_TENANT, {"id": clock.id(), "principal_id": principal, "role": "platform-admin", "project_id": None})
    return principal


def _tell(tx: engine.Tx, clock: ports.Clock, kind: str, message: str, told: details.Details | None = None) -> None:
    made = audit.Event(
        id=clock.id(),
        time=clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z"),
        type=kind,
        actor=audit.By(access.SYSTEM.id, access.SYSTEM.name, access.SYSTEM.kind),
        tenant=access.PLATFORM_TENANT,
        target=f"{'user' if kind == 'token.created' else 'person'}/{NAME}",
        message=message,
        details=msgspec.to_builtins(told) if told else {},
    )
    log.append(tx, [made])
