"""`plane task`: the orders that agents were given."""

import click

from plane import groups
from plane.cli import kinds, nouns, session, show

_TASKS = (
    kinds.Column("ID", "id"),
    kinds.Column("KIND", "kind"),
    kinds.Column("STATE", "state"),
    kinds.Column("OUTCOME", "outcome"),
    kinds.Column("REVISION", "commit", "short"),
    kinds.Column("TRIGGER", "trigger"),
    kinds.Column("BY", "actor"),
    kinds.Column("AGE", "createdAt", "age"),
    kinds.Column("MESSAGE", "message"),
)
_RESULTS = (
    kinds.Column("PHASE", "phase"),
    kinds.Column("WAVE", "wave"),
    kinds.Column("KIND", "kind"),
    kinds.Column("NAMESPACE", "namespace"),
    kinds.Column("NAME", "name"),
    kinds.Column("RESULT", "result"),
    kinds.Column("MESSAGE", "message"),
)
_FACTS = (
    "id",
    "kind",
    "generation",
    "state",
    "outcome",
    "message",
    "phase",
    "commit",
    "release",
    "actor",
    "trigger",
    "startedAt",
    "finishedAt",
)


@click.group(cls=groups.Group)
def task() -> None:
    """Tasks: the work given to an app's agent, and its results."""


@task.command("list")
@nouns.named(kinds.APP)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show at most this many.")
@show.option("table", "json", "yaml")
@session.placed
def list_(where: session.Session, *, name: str, limit: int, output: str) -> None:
    """List the tasks of app NAME, newest first."""
    items = list(where.api.items(_at(where, name), limit=limit))
    if not show.body({"items": items}, output=output):
        show.listing(_TASKS, items, nothing=f"app/{name} has had no task; `plane app explain {name}` says why.")


@task.command("get")
@nouns.named(kinds.APP)
@click.argument("task_id", metavar="ID")
@show.option("table", "json", "yaml")
@session.placed
def get(where: session.Session, *, name: str, task_id: str, output: str) -> None:
    """Show one task of app NAME with its result for each object."""
    found = where.api.get(f"{_at(where, name)}/{task_id}").body
    if not show.body(found, output=output):
        show.facts((field, str(found.get(field) or "")) for field in _FACTS)
        show.listing(_RESULTS, found.get("results") or [], nothing="It has touched no object yet.")


def _at(where: session.Session, name: str) -> str:
    return f"{kinds.path(kinds.APP, where, name)}/tasks"
