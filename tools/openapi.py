"""Writes docs/openapi.json from the endpoints; `--check` only compares and says what to run."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))  # run from a checkout, installed or not

from plane.api import app

COPY = pathlib.Path(__file__).parent.parent / "docs" / "openapi.json"


def main() -> int:
    """0: equal or written; 1: `--check` found a difference."""
    text = app.description()
    if "--check" not in sys.argv[1:]:
        COPY.write_bytes(text)
        return 0
    if COPY.exists() and COPY.read_bytes() == text:
        return 0
    print("docs/openapi.json is not what the endpoints say; run: python tools/openapi.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
