"""What replicas tell each other of the budgets of requests: one statement a second, and none when nobody asks much."""

import msgspec

from plane.server import context, entry, limits
from plane.store import engine
from plane.store.people import budgets


def share(plane: context.Plane) -> None:
    """Tell what was asked here, and hear what all replicas together have used."""
    spent = plane.limits.untold()
    if not spent:
        return
    rows = [budgets.Row(msgspec.json.encode(one.key), one.requests, one.rate) for one in spent]
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        used = budgets.add(tx, rows)
    plane.limits.heard({msgspec.json.decode(key, type=limits.Key): many for key, many in used.items()})
