"""LISTEN/NOTIFY: a wake-up, never a message. Whoever misses one finds the work by its time."""

from typing import Literal

import psycopg
import sqlalchemy as sa

from plane.domain import errors
from plane.store.engine import Tx

Channel = Literal["plane_due", "plane_tasks", "plane_agent", "plane_app", "plane_pieces", "plane_audit"]
_NOTIFY = sa.text("SELECT pg_notify(:channel, payload) FROM unnest(CAST(:payloads AS text[])) AS payload")


def notify(tx: Tx, channel: Channel, *payloads: str) -> None:
    """Wake listeners when this transaction commits, in one statement; equal notifications of one transaction are folded by Postgres."""
    tx.execute(_NOTIFY, {"channel": channel, "payloads": list(payloads or ("",))})


class Listener:
    """One connection of its own, outside the pool, that waits for notifications. Sync; one thread uses it."""

    def __init__(self, url: str, channels: tuple[Channel, ...]) -> None:
        self._url, self._channels = url, channels
        self._connection: psycopg.Connection | None = None

    def wait(self, timeout_s: float) -> tuple[tuple[str, str], ...]:
        """(channel, payload) of what came within the time; returns with the first.

        Raises:
            BackendDown: the database is away; the next call connects again.
        """
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
                return (("reconnected", ""),)  # something may have been missed meanwhile: look at everything once
            found = self._connection.notifies(timeout=timeout_s, stop_after=1)
            return tuple((note.channel, note.payload) for note in found)
        except psycopg.OperationalError as e:
            self._connection = None
            raise errors.BackendDown("database", "the listening connection broke") from e

    def close(self) -> None:
        """Give the connection back."""
        if self._connection:
            self._connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self._url, autocommit=True)
        for channel in self._channels:
            connection.execute(f"LISTEN {channel}")  # a name from the Literal above, not from outside
        return connection
