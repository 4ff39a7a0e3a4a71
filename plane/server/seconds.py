"""Two people for what a tenant marks: the first is told an id, a second one who may do it too says yes, the first repeats the order."""

import datetime as dt

import msgspec

from plane.domain import access, errors
from plane.domain.deciding import approvals as given
from plane.domain.granting import roles
from plane.server import context, idempotent, record
from plane.store import engine
from plane.store.delivering import facts
from plane.store.people import approvals

HOLDS = dt.timedelta(hours=8)  # a working day: asked in the morning, done in the evening


class Order(msgspec.Struct, frozen=True):
    """A write as it was sent: method and path in words, and a digest of both with the body."""

    words: str
    digest: bytes


class Wanted(msgspec.Struct, frozen=True):
    """An order, in whose name, and the permission that it takes where. `place`: PROJECT/APP, either may be empty."""

    scope: access.Scope
    permission: str
    place: str
    order: Order

    def key(self) -> dict[str, object]:
        """What an approval is for, and for nothing else."""
        mine = {"tenant_id": self.scope.tenant, "principal_id": self.scope.actor.id}
        return mine | {"digest": self.order.digest, "permission": self.permission}


class NeedsSecond(errors.Conflict):
    """The tenant wants two people for this."""

    code = "needs-second-person"
    fields = ("approval", "permission")

    def __init__(self, approval: str, permission: str) -> None:
        self.approval, self.permission = approval, permission
        super().__init__(
            f"{permission} needs a second person here: somebody else who may do it runs `plane auth approve {approval}`, then repeat this"
        )


def check(plane: context.Plane, wanted: Wanted, key: idempotent.Key | None = None) -> None:
    """NeedsSecond unless nobody marked this, a second person said yes, or it was done under this key; the question is kept."""
    now = plane.clock.now()
    with engine.begin(plane.engine, wanted.scope) as tx:
        if not marked(tx, wanted) or approvals.given(tx, wanted.key(), now) or (key and idempotent.done(plane, tx, wanted.scope, key)):
            return
        row = {"id": plane.clock.id(), "place": wanted.place, "order": wanted.order.words, "asked_at": now, "expires_at": now + HOLDS}
        identity = approvals.ask(tx, {**wanted.key(), **row, "makers": sorted(wanted.scope.actor.makers)}, now)
        if identity == row["id"]:
            _tell(plane, tx, wanted, "access.approval.asked")
    raise NeedsSecond(identity, wanted.permission)


def use(plane: context.Plane, tx: engine.Tx, wanted: Wanted) -> tuple[given.Approval, ...]:
    """Spend the approval in the transaction of the write, so that it counts once; NeedsSecond when another request was faster.

    Returns whose it was; nothing where none is wanted.
    """
    if not marked(tx, wanted):
        return ()
    row = approvals.use(tx, wanted.key(), plane.clock.now())
    if row is None:
        raise NeedsSecond("", wanted.permission)
    _tell(plane, tx, wanted, "access.approval.used")
    return (given.Approval(to="order", by=row.person, by_id=row.approved_by, at=facts.stamp(row.approved_at), approval=row.id),)


def marked(tx: engine.Tx, wanted: Wanted) -> bool:
    """Whether the tenant wants two people for this."""
    marks = approvals.marks(tx, wanted.scope.tenant)
    return bool(marks) and roles.holds(frozenset(marks), wanted.permission)


def _tell(plane: context.Plane, tx: engine.Tx, wanted: Wanted, kind: str) -> None:
    message = f"{wanted.permission}: {wanted.order.words}"
    record.append(plane, tx, wanted.scope, kind, project=wanted.place.partition("/")[0], message=message)
