"""Writes the messages of docs/agent-protocol.md from plane/wire/agent.py, journal.py and scripted.py; with --check it only compares."""

import ast
import inspect
import pathlib
import sys
from collections.abc import Iterator

from plane.wire import agent, journal, scripted

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "agent-protocol.md"
BEGIN, END = "<!-- messages: written by tools/protocol_reference.py -->\n", "<!-- end of messages -->\n"


def page(text: str) -> str:
    """The page with its messages as the code has them."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    messages = "".join("".join(_sections(inspect.getsource(module))) for module in (agent, journal, scripted))
    return f"{before}{BEGIN}\n{messages}{END}{after}"


def _sections(source: str) -> Iterator[str]:
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            yield f"### {node.name}\n\n{_about(node)}\n\n{_form(node)}\n\n| field | type | default | |\n|---|---|---|---|\n"
            yield from (_row(field, lines) for field in node.body if isinstance(field, ast.AnnAssign))
            yield "\n"


def _about(node: ast.ClassDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split())


def _form(node: ast.ClassDef) -> str:
    said = {word.arg for word in node.keywords if isinstance(word.value, ast.Constant) and word.value.value}
    if "array_like" in said:
        return "*An array: the fields by position.*"
    return "*A map; fields at their default are left out.*" if "omit_defaults" in said else "*A map.*"


def _row(field: ast.AnnAssign, lines: list[str]) -> str:
    default = f"`{ast.unparse(field.value)}`" if field.value else "–"
    comment = lines[field.lineno - 1].partition("  # ")[2]
    cells = (f"`{ast.unparse(field.target)}`", f"`{ast.unparse(field.annotation)}`", default, comment)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def main() -> int:
    written = PAGE.read_text()
    if sys.argv[1:] == ["--check"]:
        if written == page(written):
            return 0
        sys.stderr.write(
            "docs/agent-protocol.md differs from plane/wire/agent.py, journal.py or scripted.py; run: python tools/protocol_reference.py\n"
        )
        return 1
    PAGE.write_text(page(written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
