"""Servers that die while they export: `python -m tests.support.dying_server URL KEY_FILE PIECE…` prints the port that all of them serve.

One after the other is killed (SIGKILL, by itself) before it reads its so-manieth piece; the last one serves until it is ended.
"""

import os
import pathlib
import signal
import socket
import sys
from typing import Any

import msgspec
import sqlalchemy as sa
import uvicorn

from plane.adapters import clock
from plane.adapters.trusting import log_keys, signer
from plane.api import app
from plane.server import context
from plane.server.auditing import exports
from plane.store import engine

ROWS = 4  # of a piece, so that a short log has many
PIECE = "WITH leaf AS"  # what the statement that reads one begins with


def serve(listening: socket.socket, url: str, key: pathlib.Path, last: int) -> None:
    """Until its death, if it has one."""
    pieces = 0

    def step(_: object, __: object, statement: str, *___: object) -> None:
        nonlocal pieces
        pieces += PIECE in statement
        if pieces == last:
            os.kill(os.getpid(), signal.SIGKILL)

    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # its log
    one = engine.connect(url)
    if last:
        sa.event.listen(one, "before_cursor_execute", step)
    exports.PIECE = ROWS
    keys = signer.FileSigner(key)
    absent: dict[str, Any] = {part.name: None for part in msgspec.structs.fields(context.Plane) if part.required}  # an export asks for few
    parts = {"engine": one, "clock": clock.SystemClock(), "plane_id": "test-plane", "signer": keys, "log_signer": log_keys.Files([keys])}
    plane = context.Plane(**absent | parts)
    uvicorn.Server(uvicorn.Config(app.create(plane, database_url=url), log_config=None)).run(sockets=[listening])


def main() -> None:
    """The port is open all the while: whoever comes between two servers waits for the next."""
    url, key = sys.argv[1], pathlib.Path(sys.argv[2])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        for last in map(int, sys.argv[3:]):
            child = os.fork()
            if not child:
                serve(listening, url, key, last)
                os._exit(1)
            if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
                sys.exit("a server ended instead of being killed")
        serve(listening, url, key, 0)


if __name__ == "__main__":
    main()
