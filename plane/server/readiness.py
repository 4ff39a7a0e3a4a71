"""Whether this process can do its work."""

from plane.server import context
from plane.store import engine
from plane.store.people import people


def check(plane: context.Plane) -> None:
    """BackendDown when the database is away."""
    with engine.dispatch(plane.engine) as tx:
        people.place(tx, "", "")
