"""What renderers that drive a program have in common."""

import functools
import re
import subprocess

from plane.domain import errors

VERSION_S = 30
MAX_MESSAGE = 1000


@functools.cache
def version(program: str, *arguments: str) -> str:
    """What the program says it is, asked once per process; BackendDown when it does not run."""
    try:
        done = subprocess.run([program, *arguments], env={"HOME": "/nonexistent"}, capture_output=True, timeout=VERSION_S, check=True)
    except (OSError, subprocess.SubprocessError) as e:
        raise errors.BackendDown(program.rpartition("/")[2], "the program does not run; build it again with `make tools`") from e
    return done.stdout.decode(errors="replace").strip()


def message(stderr: str, *, folder: str) -> str:
    """The program's error as one line of bounded length, without its warnings and without the sandbox's own paths."""
    told = stderr.rpartition("Error: ")[2] if "Error: " in stderr else stderr
    told = told.replace(f"{folder}/", "").replace("repo/", "").partition("Use --debug flag")[0]
    return re.sub(r"\s+", " ", re.sub(r"[^\n -~]", " ", told)).strip()[:MAX_MESSAGE] or "the program gave no reason"
