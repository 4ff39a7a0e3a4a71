"""Documents and facts on stdout, in the format asked for."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
import msgspec

from plane.cli import console, kinds, session, table, times
from plane.domain.reading import yaml_text

FORMATS = ("table", "wide", "json", "yaml", "name")

Json = dict[str, Any]
_SHORT = 12


def option(*formats: str) -> session.Decorator:
    """`-o`; all formats unless some are named. The first is the default."""
    allowed = formats or FORMATS
    return click.option(
        "-o", "--output", "output", type=click.Choice(allowed), default=allowed[0], show_default=True, help="Output format."
    )


def documents(kind: kinds.Kind, found: Iterable[Json], *, output: str) -> None:
    """Several documents of one kind."""
    if output == "json":
        as_json({"items": list(found)})
    elif output == "yaml":
        click.echo("---\n".join(yaml_text.dump(body) for body in found), nl=False)
    elif output == "name":
        for body in found:
            click.echo(label(kind, body))
    else:
        _table(kind, list(found), wide=output == "wide")


def document(kind: kinds.Kind, body: Json, *, output: str) -> None:
    """One document; the API's own as it is, in JSON."""
    if output == "json":
        as_json(body)
    else:
        documents(kind, [body], output=output)


def as_json(body: object) -> None:
    """JSON for programs: indented, in the order the plane gave."""
    click.echo(msgspec.json.format(msgspec.json.encode(body), indent=2).decode())


def body(found: Any, *, output: str) -> bool:  # noqa: ANN401 any JSON
    """Print as json or yaml when that is asked for; False when a person is to read it."""
    if output == "json":
        as_json(found)
    elif output == "yaml":
        click.echo(yaml_text.dump(found), nl=False)
    return output in {"json", "yaml"}


def label(kind: kinds.Kind, found: Json) -> str:
    """`app/web`."""
    return f"{kind.noun}/{kinds.dig(found, 'metadata.name')}"


def rows(columns: Sequence[kinds.Column], found: Iterable[Json], *, now: dt.datetime) -> list[list[str]]:
    """Cells as text, one row per document."""
    return [[_shaped(kinds.dig(item, column.path), column.shape, now) for column in columns] for item in found]


def listing(columns: Sequence[kinds.Column], found: Sequence[Json], *, nothing: str) -> None:
    """A table of any facts; `nothing` is said on stderr when there are none."""
    if not found:
        click.echo(nothing, err=True)
        return
    table.show([column.title for column in columns], rows(columns, found, now=dt.datetime.now(dt.UTC)))


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Aligned `name  value` lines; empty values are left out."""
    kept = [(name, value) for name, value in pairs if value]
    out, width = console.output(), max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        line = console.cell(value)
        out.print(f"{name:<{width}}  ", end="", style="bold")
        out.print(line, soft_wrap=True)


def _table(kind: kinds.Kind, found: list[Json], *, wide: bool) -> None:
    columns = [kinds.Column("NAME", "metadata.name"), *(column for column in kind.columns if wide or not column.wide)]
    listing(columns, found, nothing=f"No {kind.collection} here.")


def held(role: Json) -> str:
    """`editor in acme/shop (rolebinding shop-editors)`, as far as it says."""
    place = "/".join(str(role[level]) for level in ("tenant", "project") if role.get(level))
    binding = f" (rolebinding {role['binding']})" if role.get("binding") else ""
    return f"{role['role']}{f' in {place}' if place else ''}{binding}"


_LISTS: dict[str, Callable[[Any], str]] = {"words": str, "names": lambda item: str(item["name"]), "roles": held}


def _shaped(value: Any, shape: str, now: dt.datetime) -> str:  # noqa: ANN401 any JSON
    if value is None or value == "":
        return "-"
    if shape == "age":
        return times.age(str(value), now=now)
    if shape == "count":
        return str(len(value))
    if shape in _LISTS:
        return ", ".join(_LISTS[shape](item) for item in value) or "-"
    if shape == "flag":
        return "yes" if value else "no"
    return str(value).removeprefix("sha256:")[:_SHORT] if shape == "short" else str(value)
