"""A sender that is killed (SIGKILL, by itself) at one point of its work after another: `python -m tests.support.dying URL FOLDER STEP`.

A point is any call that the plane's own code makes. Each death is a process of its own; the last one ends by itself. Prints how many died.
"""

import os
import pathlib
import signal
import sys
import types
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import sqlalchemy as sa

from plane.adapters import clock, reach
from plane.adapters.sinks import files, http
from plane.server import context
from plane.server.auditing import send
from plane.store import engine

OURS = str(pathlib.Path(send.__file__).parent.parent.parent)


def killed_at(point: int, ours: str = OURS) -> Callable[[types.FrameType, str, Any], None]:
    """Counts calls by the plane's own code, its calls of C included, and ends the process at one of them."""
    left = point

    def count(frame: types.FrameType, what: str, _: Any) -> None:  # noqa: ANN401 - Python's own
        nonlocal left
        if what in ("call", "c_call") and frame.f_code.co_filename.startswith(ours):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return count


def work(url: str, folder: pathlib.Path, point: int) -> None:
    """One turn of a sender."""
    way = reach.Reach((ip_network("127.0.0.0/8"), ip_network("::1/128")))
    places = {"file": files.FileSink(folder), "otlp": http.OtlpSink(way)}
    absent: dict[str, Any] = dict.fromkeys(context.Plane.__struct_fields__)  # a sender asks for no other part
    plane = context.Plane(**absent | {"engine": engine.connect(url), "clock": clock.SystemClock(), "plane_id": "test", "sinks": places})
    sys.setprofile(killed_at(point))
    send.send(plane)
    sys.setprofile(None)


def later(owner: sa.Engine) -> None:
    """As if the lease of the dead were over; waits until the database knows that they are."""
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE sinks SET leased_until = NULL, retry_at = now()"))


def main() -> None:
    url, owner_url, folder, step = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4])
    deaths = 0
    while True:
        owner = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
        later(owner)
        child = os.fork()
        if not child:
            work(url, folder, deaths * step)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        deaths += 1
    sys.stdout.write(str(deaths))


if __name__ == "__main__":
    main()
