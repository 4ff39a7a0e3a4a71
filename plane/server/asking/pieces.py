"""The agent's side of long answers: each piece is laid down for whoever listens, at whichever replica; reading is what keeps it going."""

import datetime as dt

from plane.domain import errors
from plane.server import claim, context
from plane.store import engine, wake
from plane.store.attending import pieces as rows
from plane.store.delivering import tasks
from plane.wire import agent

MOST_BYTES = 1024 * 1024  # of one piece
ROOM_BYTES = 256 * 1024  # unread above it: the agent is answered when it was read
UNREAD = dt.timedelta(seconds=60)  # a piece that lies so long has no reader


def read_by(task: str) -> str:
    """The payload of `plane_pieces` that says that a listener has read."""
    return f"{task}/read"


def take(plane: context.Plane, who: claim.AgentIdentity, body: agent.Piece) -> tuple[agent.Heard, bool]:
    """Lay a piece down, unless nobody listens; and whether there is room for another.

    Raises:
        Invalid: it is too large.
    """
    if len(body.body) > MOST_BYTES:
        raise errors.Invalid({"body": f"a piece has at most {MOST_BYTES} bytes"})
    with engine.dispatch(plane.engine) as tx:
        known = tasks.reported(tx, who.cluster_id, [body.task])
    task = next((one for one in known if one.state == "leased" and one.leased_by == who.id), None)
    if task is None:
        return agent.Heard(), True
    now = plane.clock.now()
    with engine.begin(plane.engine, who.scope(task.tenant)) as tx:
        unread = rows.unread(tx, task.tenant, task.id)
        if unread.since and now - unread.since > UNREAD:
            tasks.withdraw(tx, task.tenant, task.id, now)
            rows.take(tx, task.tenant, task.id)
            return agent.Heard(), True
        rows.add(tx, task.tenant, task=task.id, number=body.number, body=body.body, now=now)
        wake.notify(tx, "plane_pieces", task.id)
    return agent.Heard(listening=True), unread.size_bytes + len(body.body) <= ROOM_BYTES
