"""`plane import argocd-project`: AppProjects as Projects, and what is different about them here."""

import click
import msgspec

from plane.cli import failures, table
from plane.cli.importing import projects
from plane.cli.trying import argo_documents, trial_documents, trial_files
from plane.domain.reading import yaml_text
from plane.wire import documents


@click.command("argocd-project")
@click.argument("files", nargs=-1, required=True, type=trial_files.FILE, metavar="FILE|-…")
@click.option("--tenant", default="", help="Tenant of the projects.")
@click.option("--cluster", "clusters", multiple=True, metavar="SERVER=NAME", help="Name of the cluster at this API server URL; repeatable.")
@trial_files.output_option("table", "json", "yaml")
def command(files: tuple[str, ...], tenant: str, clusters: tuple[str, ...], output: str) -> None:
    """Convert AppProjects to Projects, and list the differences.

    FILEs may also hold the ConfigMap argocd-cm, for global projects, and cluster Secrets, for names of servers. Nothing is written:
    `-o yaml` prints documents for `plane apply -f -`, and the differences to standard error.
    """
    with trial_files.refusals():
        found = [one for file in files for one in trial_documents.read(file)]
        names = projects.names(argo_documents.known(found), _pairs(clusters))
        made = projects.imported(found, names, tenant=tenant)
    if output == "json":
        trial_files.as_json({"documents": [_body(one.document) for one in made], "notes": [note for one in made for note in one.notes]})
        return
    if output == "yaml":
        click.echo("---\n".join(yaml_text.dump(_body(one.document)) for one in made), nl=False)
    else:
        table.show(["PROJECT", "SOURCES", "DESTINATIONS", "DIFFERENT"], [_row(one) for one in made])
    for one in made:
        for note in one.notes:
            click.echo(f"{one.document.metadata.name}: {note.effect}: {note.sentence}", err=output == "yaml")


def _row(one: projects.Imported) -> list[str]:
    spec = one.document.spec
    return [one.document.metadata.name, ", ".join(spec.source_repos), ", ".join(map(str, spec.destinations)), str(len(one.notes))]


def _body(document: documents.Project) -> dict[str, object]:
    """Without what says nothing."""
    whole = msgspec.to_builtins(document)
    bare = msgspec.to_builtins(documents.Project(api_version=documents.API_VERSION, metadata=document.metadata))
    spec = {field: value for field, value in whole["spec"].items() if value != bare["spec"][field]}
    return {"apiVersion": whole["apiVersion"], "kind": whole["kind"], "metadata": whole["metadata"], "spec": spec}


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    pairs = [word.rpartition("=") for word in words]
    for server, _, name in pairs:
        if not server or not name:
            raise failures.WrongUse(f"--cluster {server or name!r} is written SERVER=NAME")
    return {server.rstrip("/"): name for server, _, name in pairs}
