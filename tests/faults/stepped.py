"""Python whose clock is beside the machine's by as many seconds as a file says: `python stepped.py FILE -m MODULE ARGUMENT…`."""

import pathlib
import runpy
import sys
import time


def main() -> None:
    """Take the place of the program."""
    _, file, _, module, *arguments = sys.argv
    real, ahead = time.time, pathlib.Path(file)
    time.time = lambda: real() + float(ahead.read_text())
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
