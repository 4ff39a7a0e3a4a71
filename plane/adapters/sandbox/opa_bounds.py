"""How every OPA is started: bounded in memory, and gone when whom it serves is gone."""

import os
import pathlib
import sys

MEMORY_BYTES = 1024**3  # of one OPA; a set that wants more is broken
CRIES = ("fatal error:", "fatal:", "panic:", "error:", "runtime:", "SIG")  # Go's, before pages of stacks and registers
LAUNCHER = pathlib.Path(__file__).with_name("opa_launch.py")


def launch(command: list[str], *, memory_bytes: int, nice: int = 0, reads: tuple[str, ...] = ()) -> list[str]:
    """The command that becomes this one, bounded, and dies with the thread that starts it. `reads`: what it may read besides."""
    words = [str(os.getpid()), str(memory_bytes), str(nice), os.pathsep.join(reads)]
    return [sys.executable, "-I", "-S", str(LAUNCHER), *words, *command]


def last_words(said: str) -> str:
    """Why an OPA ended, of all that it wrote."""
    lines = said.splitlines()
    cry = next((line for line in lines if line.startswith(CRIES)), "")
    return (cry or (lines[-1] if lines else "it ended without a word"))[:300]
