"""The one door: who asks, about which place, may they; beyond it lies the only way to a transaction for a caller."""

import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import secrets as random
import string
import zlib
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from plane.domain import access, errors
from plane.domain.deciding import approvals
from plane.domain.granting import conditions, login, roles
from plane.domain.permitting import quotas
from plane.server import context, idempotent, record, seconds, stinting
from plane.store import engine
from plane.store.auditing import sinks
from plane.store.delivering import usage
from plane.store.people import idempotency, people, reached, tokens

READS = (":get", ":read", ":export")
UNBLOCKED = ("sink:", "audit:")  # what puts a blocked log right
FOR_MEMBERS = frozenset({"tenant:get", "project:get"})  # anybody with a role in it, or in a part of it, may read its own row
SEE, UPDATE = "app:get", "app:update"
UNASKED = dt.timedelta(hours=1)  # nobody stays in on a provider's older word, where it can be asked again
TOKEN_BYTES = 24
CHECK_DIGITS = 6  # 62^6 > 2^32
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
T = TypeVar("T", bound=msgspec.Struct)


class Names(msgspec.Struct, frozen=True):
    """What a path names, as people wrote it; an empty tenant is the platform. `name`: the innermost; `app`: the app, where one is named."""

    tenant: str = ""
    project: str = ""
    name: str = ""
    app: str = ""


class Caller(msgspec.Struct, frozen=True):
    """An authenticated request. `key` only for writes that carry one; `order`: what a write asks for, to the byte."""

    actor: access.Actor
    request: str = ""
    key: idempotent.Key | None = None
    order: seconds.Order | None = None


class Place(msgspec.Struct, frozen=True):
    """An open transaction where the caller may do what was asked. `project` is an id, empty above projects; `reach`: to which apps.

    `agreed`: the second person who said yes to it, where the tenant wants two.
    """

    tx: engine.Tx
    scope: access.Scope
    names: Names
    project: str = ""
    key: idempotent.Key | None = None
    reach: access.Reach = access.EVERYTHING
    agreed: tuple[approvals.Approval, ...] = ()

    def where(self) -> dict[str, str]:
        """The columns that every statement names."""
        tenant = {"tenant_id": self.scope.tenant}
        return {**tenant, "project_id": self.project} if self.project else tenant

    def done(self, answer: T, *, status: int = 200) -> T:
        """Keep the answer under the caller's key, and give it back."""
        if self.key:
            idempotency.keep(
                self.tx, self.scope.tenant, self.scope.actor.id, self.key.value, status=status, body=msgspec.json.encode(answer)
            )
        return answer


class Stale(errors.Unauthenticated):
    """The identity provider has not vouched for the token's owner for too long; `renewals` asks it."""

    def __init__(self, tenant: str, token: str) -> None:
        self.tenant, self.token = tenant, token
        super().__init__("the identity provider was not asked for too long")


def actor(plane: context.Plane, bearer: str, *, ip: str = "", user_agent: str = "", used: bool = True) -> access.Actor:
    """Who holds a token or a session's secret, with the roles of this moment. `used`: it counts as use, which keeps a session open.

    Raises:
        Unauthenticated: unknown, expired, revoked, idle, from another network than it is good from, or of somebody who was disabled;
            Stale: nobody knows whether its owner's provider still vouches for them.
    """
    if not well_formed(bearer):
        raise errors.Unauthenticated("the token is not one of this plane's")
    now = plane.clock.now()
    with engine.dispatch(plane.engine) as tx:
        found = tokens.bearer(tx, hashed(bearer))
    if found is None:
        raise errors.Unauthenticated("the token is unknown")
    if why := _ended(plane, found, now):
        raise errors.Unauthenticated(why)
    if found.asked_at and found.asked_at + UNASKED <= now:
        raise Stale(found.tenant, found.token)
    if conditions.unmet(conditions.Terms(networks=found.networks), now=now, address=ip, login=None):
        raise errors.Unauthenticated("the token is not good from this address", remedy="use it from one of its networks")
    if used and (found.used_at is None or (now - found.used_at).total_seconds() > tokens.USED_S):
        with engine.begin(plane.engine, access.Scope(found.tenant, access.SYSTEM)) as tx:
            tokens.used(tx, found.tenant, found.token, now)
    held = access.now_held(found.grants, now=now, address=ip, login=found.issued_at)
    return access.Actor(
        id=found.principal,
        name=found.name,
        kind=found.kind,
        token=found.token,
        grants=held,
        ip=ip,
        user_agent=user_agent[:200],
        groups=found.groups,
        networks=found.networks,
        login=found.issued_at,
        home=found.tenant,
        on_behalf_of=found.on_behalf_of,
        makers=found.makers,
    )


def _ended(plane: context.Plane, found: tokens.Bearer, now: dt.datetime) -> str:
    """Why a token, or a session, holds no more, or the empty string."""
    if found.revoked or found.disabled:
        return "the token was revoked" if found.revoked else "the token's owner was disabled"
    if found.provider == login.LOCAL and not plane.logins.local:
        return "local log-in was turned off"
    if found.expires_at <= now:
        return f"the token expired at {found.expires_at:%Y-%m-%d %H:%M} UTC"
    idle = found.idle and (found.used_at or found.issued_at) + found.idle <= now
    return "the session was not used for too long" if idle else ""


@contextlib.contextmanager
def enter(plane: context.Plane, caller: Caller, names: Names, permission: str, *, parts: bool = False) -> Iterator[Place]:
    """A transaction in the place that `names` say, if the caller may.

    `parts`: also who holds the permission over some of the place's apps alone; what is done is then narrowed by the place's `reach`.

    Raises:
        NotFound: the place is absent or not the caller's to know. Forbidden: it is, but the permission is lacking.
        Replayed: the caller's Idempotency-Key was answered before.
    """
    found = _admit(plane, caller, names, permission, parts=parts)
    writes = not permission.endswith(READS)
    order, key = (caller.order, caller.key) if writes else (None, None)
    wanted = seconds.Wanted(found.scope, permission, f"{names.project}/{names.app}", order) if order else None
    if wanted:
        seconds.check(plane, wanted, key)
    with _told(plane, found.scope), engine.begin(plane.engine, found.scope) as tx:
        if writes and not permission.startswith(UNBLOCKED):
            _open(tx, found.scope.tenant)
            _check_active(tx, found.scope, names.tenant)
        if key:
            idempotent.claim(plane, tx, found.scope, key)
        agreed = seconds.use(plane, tx, wanted) if wanted else ()
        yield Place(tx, found.scope, names, found.project, key, found.reach, agreed)


@contextlib.contextmanager
def _told(plane: context.Plane, scope: access.Scope) -> Iterator[None]:
    """The log hears of quotas that stop something; of the transaction of that nothing stays."""
    try:
        yield
    except quotas.QuotaExceeded as e:
        with engine.begin(plane.engine, scope) as tx:
            stinting.tell(plane, tx, scope, e)
        raise


@contextlib.contextmanager
def named(plane: context.Plane, caller: Caller, names: Names, tenant: str) -> Iterator[Place]:
    """A transaction for what the caller may do because a binding of the tenant (an id) names them, which the use case has found."""
    scope_ = access.Scope(tenant or access.PLATFORM_TENANT, caller.actor, caller.request)
    with engine.begin(plane.engine, scope_) as tx:
        _open(tx, scope_.tenant)
        if caller.key:
            idempotent.claim(plane, tx, scope_, caller.key)
        yield Place(tx, scope_, names, key=caller.key)


def check(place: Place, permission: str, *, app: str = "", cluster: str | None = None) -> None:
    """A further permission that a write turns out to need: over the place, or over one app on one cluster (both ids); Forbidden."""
    who, target = place.scope.actor, _target(place)
    if access.allows(who, permission, target):
        return
    labels = reached.labels(place.tx, cluster) if app and cluster else None
    if not (app and access.allows(who, permission, access.Target(target.tenant, target.project, app, labels))):
        raise errors.Forbidden(permission)


def check_may(place: Place, permission: str) -> None:
    """As `check`, but a permission over a part of the place's apps is enough: which app it is about, its kind checks."""
    if permission.split(":", maxsplit=1)[0] not in roles.OF_APPS or not access.reach(place.scope.actor, permission, _target(place)):
        check(place, permission)


def check_second(plane: context.Plane, caller: Caller, place: Place, permission: str) -> None:
    """A second person also for a further permission that a write turns out to need, where the tenant wants that; NeedsSecond."""
    if caller.order:
        wanted = seconds.Wanted(place.scope, permission, f"{place.names.project}/{place.names.app}", caller.order)
        if seconds.marked(place.tx, wanted):
            seconds.check(plane, wanted)
            seconds.use(plane, place.tx, wanted)


def _target(place: Place) -> access.Target:
    return access.Target("" if place.scope.tenant == access.PLATFORM_TENANT else place.scope.tenant, place.project)


class LogBlocked(errors.PlaneError):
    """A mandatory sink is too far behind: no change is made that its receivers could miss."""

    code = "audit-blocked"
    fields = ("sink",)

    def __init__(self, sink: str) -> None:
        self.sink = sink
        super().__init__(f"changes are refused until the mandatory sink {sink!r} has caught up; look at `plane sink get {sink}`")


def check_active(place: Place) -> None:
    """Conflict where the place's tenant is suspended and the caller is one of its people."""
    _check_active(place.tx, place.scope, place.names.tenant)


def _check_active(tx: engine.Tx, made: access.Scope, tenant: str) -> None:
    """A suspended tenant's people read; the platform's may still write there, to put it right."""
    if made.tenant == access.PLATFORM_TENANT or access.allows(made.actor, "tenant:update", access.Target()):
        return
    if why := usage.above(tx, made.tenant).suspended:
        message = f"tenant {tenant} is suspended: {why}; its people may read, and the platform team can lift it"
        raise errors.Conflict(message)


def _open(tx: engine.Tx, tenant: str) -> None:
    late = sinks.blocking(tx, tenant)
    if late:
        raise LogBlocked(late)


class _Admitted(msgspec.Struct, frozen=True):
    """The key to transactions in a place, its project's id, and to which of its apps the permission reaches."""

    scope: access.Scope
    project: str
    reach: access.Reach = access.EVERYTHING


def scope(plane: context.Plane, caller: Caller, names: Names, permission: str) -> tuple[access.Scope, str]:
    """The key to transactions in a place, and its project's id; raises as `enter`."""
    found = _admit(plane, caller, names, permission)
    return found.scope, found.project


def _admit(plane: context.Plane, caller: Caller, names: Names, permission: str, *, parts: bool = False) -> _Admitted:
    tenant, project = locate(plane, caller.actor, names)
    target = access.Target(tenant, project)
    found = _Admitted(access.Scope(tenant or access.PLATFORM_TENANT, caller.actor, caller.request), project)
    if _may(caller.actor, permission, target):
        return found
    of_apps = tenant and permission.split(":", maxsplit=1)[0] in roles.OF_APPS
    reach = access.reach(caller.actor, permission, target) if of_apps else frozenset()
    found = msgspec.structs.replace(found, reach=reach)
    if not reach or not (parts or (names.app and _reaches(plane, found, names, permission))):
        _denied(plane, found.scope, permission, names)
        raise errors.Forbidden(permission)
    return found


def _reaches(plane: context.Plane, found: _Admitted, names: Names, permission: str) -> bool:
    """Whether the permission is held over the app that `names` name; NotFound for one that the caller may not know, as for none."""
    who = found.scope.actor
    with engine.begin(plane.engine, found.scope) as tx:
        row = reached.placed(tx, found.scope.tenant, found.project, names.app)
    if row is None and permission == UPDATE:
        return True  # it will be made, if the caller may: see `check`
    target = access.Target(found.scope.tenant, found.project, row.id, row.labels) if row else None
    if target is None or not access.allows(who, SEE, target):
        raise errors.NotFound("app", names.app)
    return access.allows(who, permission, target)


def locate(plane: context.Plane, who: access.Actor, names: Names) -> tuple[str, str]:
    """Ids of tenant and project; NotFound in the same words whether they are absent or somebody else's."""
    if not names.tenant:
        return "", ""
    with engine.dispatch(plane.engine) as tx:
        found = people.place(tx, names.tenant, names.project)
    if found is None or not access.sees(who, access.Target(found[0])):
        raise errors.NotFound("tenant", names.tenant)
    tenant, project = found
    if names.project and not (project and access.sees(who, access.Target(tenant, project))):
        raise errors.NotFound("project", names.project)
    return tenant, project


def _may(who: access.Actor, permission: str, target: access.Target) -> bool:
    own = target.tenant and (target.project or permission != "project:get")
    return access.allows(who, permission, target) or (permission in FOR_MEMBERS and bool(own) and access.sees(who, target))


def _denied(plane: context.Plane, scope: access.Scope, permission: str, names: Names) -> None:
    """Auditors ask for refused access too; refused reading would only drown it."""
    if permission.endswith(READS):
        return
    with engine.begin(plane.engine, scope) as tx:
        place = "/".join(part for part in (names.tenant, names.project, names.name) if part)
        record.append(
            plane, tx, scope, "access.denied", outcome="denied", project=names.project, message=f"{permission} on {place or 'the platform'}"
        )


def new_secret(kind: str) -> str:
    """`gp_KIND_` and 24 random bytes in base 62, then a CRC-32, so that scanners know one when they see it."""
    body = f"gp_{kind}_{_base62(int.from_bytes(random.token_bytes(TOKEN_BYTES)))}"
    return f"{body}_{_check_digits(body)}"


def well_formed(text: str) -> bool:
    """Whether the check digits hold: a slip of the hand never reaches the database."""
    body, _, check = text.rpartition("_")
    return body.startswith("gp_") and text.isascii() and hmac.compare_digest(check, _check_digits(body))


def hashed(text: str) -> bytes:
    """How a token is stored; a fast hash is right for 192 random bits."""
    return hashlib.sha256(text.encode()).digest()


def _check_digits(body: str) -> str:
    return _base62(zlib.crc32(body.encode())).rjust(CHECK_DIGITS, "0")


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, len(BASE62))
        digits = BASE62[rest] + digits
    return digits or "0"


def request_digest(method: str, path: str, body: bytes) -> str:
    """What an Idempotency-Key is bound to."""
    return base64.b85encode(hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()).decode()
