"""Exports that are killed (SIGKILL, by themselves) at one point after another: `python -m tests.support.dying_export FOLDER STEP`.

A point is any call that the export's own code makes. Each is gone on with as a user would. The files are numbered; prints of each how.
"""

import os
import pathlib
import sys

from plane import __main__ as program
from plane.cli.auditing import audit_files
from tests.support import dying

OURS = str(pathlib.Path(audit_files.__file__).parent)
WRONG_USE = 2


def export(*more: str, point: int = -1) -> int:
    """In a process of its own: its exit code, or the signal that killed it, negative."""
    child = os.fork()
    if not child:
        if point >= 0:
            sys.setprofile(dying.killed_at(point, OURS))
        try:
            program.main(["audit", "export", "--since", "1970-01-01", *more])
        except SystemExit as end:
            os._exit(int(end.code or 0))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    """Until one comes to its end."""
    folder, step = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    for number in range(1000):
        file = str(folder / str(number))
        if export("-o", file, point=number * step) == 0:
            break
        code = export("--resume", "-o", file)
        again = code == WRONG_USE and export("-o", file) == 0  # it broke off before there was anything
        sys.stdout.write("resumed\n" if code == 0 else "begun again\n" if again else f"failed with {code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
