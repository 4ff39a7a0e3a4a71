"""What a request costs its caller's budgets, before the database is asked who that is.

A token that held before counts against its own budget and its tenant's. One that nobody knows here counts against the address that shows
it until it holds, so that guessing tokens soon costs the plane nothing.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from litestar.connection import ASGIConnection

from plane.domain import access, errors
from plane.domain.granting import limits as domain
from plane.server import authorise
from plane.server.limits import Key, Limits

LEFT = "budgets"  # in the request's state: headers that say what is left
Connection = ASGIConnection[Any, Any, Any, Any]


class Meter:
    """One request with a token or a session."""

    def __init__(self, connection: Connection, secret: str, ip: str) -> None:
        self._connection, self._limits, self._hashed = connection, _limits(connection), authorise.hashed(secret)
        self._address = Key("address", ip)
        self._known = self._limits.known(self._hashed)
        take(connection, *(self._known or (self._address,)))

    def holds(self, who: access.Actor) -> None:
        """The token does."""
        if not self._known:
            keys = (Key("token", who.token), *((Key("tenant", who.home),) if who.home != access.PLATFORM_TENANT else ()))
            self._limits.learn(self._hashed, keys)
            self._limits.give_back(self._address)
            take(self._connection, *keys)

    def fails(self) -> None:
        """The token does not: from the next time on it is the address's."""
        self._limits.forget(self._hashed)


@contextlib.contextmanager
def metered(connection: Connection, secret: str, ip: str) -> Iterator[Meter]:
    """TooMany before anything is asked."""
    meter = Meter(connection, secret, ip)
    try:
        yield meter
    except errors.Unauthenticated:
        meter.fails()
        raise


def stranger(connection: Connection, ip: str) -> None:
    """Somebody who shows nothing; TooMany."""
    take(connection, Key("address", ip))


def take(connection: Connection, *keys: Key) -> None:
    """One request of each; TooMany."""
    try:
        connection.scope["state"][LEFT] = domain.headers(_limits(connection).take(*keys))
    except domain.Spent as e:
        connection.scope["state"][LEFT] = domain.headers((e.standing,))
        raise


def _limits(connection: Connection) -> Limits:
    found: Limits = connection.app.state.plane.limits
    return found
