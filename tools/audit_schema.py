"""Writes docs/audit-events.schema.json; with --check says whether it is as the code would write it."""

import pathlib
import sys

import msgspec

from plane.domain.auditing import audit_types

FILE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "audit-events.schema.json"


def main() -> int:
    text = msgspec.json.format(msgspec.json.encode(audit_types.schema(), order="sorted"), indent=2) + b"\n"
    if "--check" in sys.argv[1:]:
        same = FILE.exists() and FILE.read_bytes() == text
        print("the schema of events is up to date" if same else "docs/audit-events.schema.json is old; run tools/audit_schema.py")
        return 0 if same else 1
    FILE.write_bytes(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
