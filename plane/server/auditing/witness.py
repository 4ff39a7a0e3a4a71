"""This plane as a witness: it holds the newest state of other planes' logs, and signs what continues it."""

from plane.domain import errors
from plane.domain.auditing import details, witnessing
from plane.server import authorise, context, record
from plane.store.auditing import witnessed as store
from plane.wire import audit as wire
from plane.wire import rest, signing


def witness(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, wish: wire.Witness) -> wire.Witnessed:
    """Hold a state that continues the one held, and sign it; Conflict tells which one is held, or that the log was rewritten."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:witness") as place:
        state = witnessing.read(wish.note, wish.key, signing.held)
        known = store.locked(place.tx, place.scope.tenant, state.origin)
        if state.size < known.size:
            raise errors.Conflict(f"this witness holds a state of {known.size} events: the log was cut or put back")
        if wish.old != known.size:
            raise errors.Conflict(f"this witness holds a state of {known.size} events; prove that the log continues that one")
        if not witnessing.continues((known.size, known.root), state, wish.proof):
            raise errors.Conflict(f"it does not continue the state of {known.size} events that this witness holds: the log was rewritten")
        store.hold(place.tx, place.scope.tenant, store.Known(state.origin, state.size, state.root, wish.note))
        told = details.LogState(size=state.size, root=state.root, key=wish.key)
        record.append(plane, place.tx, place.scope, "audit.witnessed", target=f"log/{state.origin}", details=told)
        return place.done(wire.Witnessed(origin=state.origin, size=state.size, note=f"{wish.note}{_signed(plane, state)}\n"))


def _signed(plane: context.Plane, state: witnessing.State) -> str:
    key, time = plane.log_signer.keys()[0], int(plane.clock.now().timestamp())
    return witnessing.line(f"{plane.plane_id}/witness", key, time, plane.log_signer.sign(key, witnessing.signed_text(state, time)))


def states(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> rest.Page[wire.Witnessed]:
    """The newest state of every log."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:read") as place:
        found = store.states(place.tx, place.scope.tenant)
    return rest.Page(items=tuple(wire.Witnessed(origin=one.origin, size=one.size, note=one.note) for one in found))
