"""A sealer that dies: `python killed_sealer.py DATABASE_URL KEY_FILE` forks one after the other and kills each at its next step."""

import os
import pathlib
import signal
import sys
from typing import Any

import sqlalchemy as sa

from plane.adapters import clock
from plane.adapters.trusting import log_keys, signer
from plane.domain import access
from plane.server import context
from plane.server.auditing import seal_log
from plane.store import engine


def seal(database: str, key: str, last: int) -> None:
    """One batch; killed before its step number `last`: each statement, the commit, and what comes behind it is one."""
    steps = 0

    def step(*_: Any, **__: Any) -> None:  # noqa: ANN401 - whatever an event of the engine comes with
        nonlocal steps
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

    one = engine.connect(database)
    with one.connect():  # what a new connection asks first is no step of the sealer's
        pass
    for name in ("before_cursor_execute", "commit", "checkin"):
        sa.event.listen(one, name, step)
    absent: dict[str, Any] = dict.fromkeys(context.Plane.__struct_fields__)  # a sealer asks for no other part
    keys = log_keys.Files([signer.FileSigner(pathlib.Path(key))])
    parts = {"engine": one, "clock": clock.SystemClock(), "log_signer": keys, "plane_id": "test-plane"}
    plane = context.Plane(**absent | parts)
    seal_log.seal(plane, access.PLATFORM_TENANT)


def main() -> None:
    """Prints how many were killed, until one comes to its end."""
    _, database, key = sys.argv
    for last in range(1, 1000):
        child = os.fork()
        if not child:
            seal(database, key, last)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status) and status:
            sys.exit("a sealer failed instead of being killed")
        if status == 0:
            sys.stdout.write(f"{last - 1}\n")
            return


if __name__ == "__main__":
    main()
