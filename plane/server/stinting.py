"""What a tenant's quotas stopped, for its log: whoever asks again and again is told each time, the log once an hour."""

from plane.domain import access
from plane.domain.permitting import quotas
from plane.server import context, record
from plane.store.engine import Tx

AGAIN_S = 3600.0


def tell(plane: context.Plane, tx: Tx, scope: access.Scope, why: quotas.Reached) -> None:
    """The first of the hour."""
    tell_of(plane, tx, scope, why.quota, str(why))


def tell_of(plane: context.Plane, tx: Tx, scope: access.Scope, quota: str, sentence: str) -> None:
    """The same where nothing was raised."""
    if plane.recent.first(("quota", scope.tenant, quota), within_s=AGAIN_S):
        record.append(plane, tx, scope, "tenant.quota.reached", outcome="denied", target=f"quota/{quota}", message=sentence)
