"""A write that is asked for twice is done once: the answer lies beside the fact, in the same transaction."""

import msgspec

from plane.domain import access, errors
from plane.server import context
from plane.store.engine import Tx
from plane.store.people import idempotency


class Key(msgspec.Struct, frozen=True):
    """The caller's Idempotency-Key, and the digest of method, path and body that it was sent with."""

    value: str
    request: str


class Replayed(Exception):
    """The answer that the first request got."""

    def __init__(self, answer: idempotency.Answer) -> None:
        self.answer = answer
        super().__init__(f"answered before with {answer.status}")


class KeyReused(errors.Conflict):
    """One key, two different requests."""

    code = "idempotency-key-reused"


def done(plane: context.Plane, tx: Tx, scope: access.Scope, key: Key) -> bool:
    """Whether something was done under this key, so that `claim` has the answer or the refusal."""
    return idempotency.kept(tx, scope.tenant, scope.actor.id, key.value, now=plane.clock.now())


def claim(plane: context.Plane, tx: Tx, scope: access.Scope, key: Key) -> None:
    """Take the key for this transaction.

    Raises:
        Replayed: the same request was done before. KeyReused: another one was.
    """
    found = idempotency.take(tx, scope.tenant, scope.actor.id, key.value, request=key.request, now=plane.clock.now())
    if found is None:
        return
    if found.request != key.request:
        message = "this Idempotency-Key was used for another request; send a fresh key"
        raise KeyReused(message)
    if not found.status:
        message = "this was done before, and its answer held a secret that is shown once; make a new one with a fresh key"
        raise KeyReused(message)
    raise Replayed(found)
