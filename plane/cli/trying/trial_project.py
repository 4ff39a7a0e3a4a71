"""`plane try project`: whether a project lets an app be: its sources, its place, the kinds of its objects, the account it syncs as."""

from collections.abc import Iterable

import click

from plane.cli import table
from plane.cli.trying import argo_documents, trial_documents, trial_files
from plane.domain import errors, kinds, objects, tenancy
from plane.domain.permitting import argo_projects, projects
from plane.domain.reading import documents as texts
from plane.wire import documents

Found = trial_documents.Found


@click.command("project")
@click.option(
    "--project",
    "project",
    required=True,
    type=trial_files.FILE,
    help="Projects, with Clusters for their labels; or Argo CD AppProjects, with the ConfigMap argocd-cm and cluster Secrets.",
)
@click.option("--app", required=True, type=trial_files.FILE, help="An App or an Argo CD Application.")
@click.option(
    "--objects", "files", multiple=True, type=trial_files.FILE, help="Manifests of the app, to check their kinds and namespaces too."
)
@click.option("--argocd-negation", is_flag=True, help="Let a list with only `!` entries grant everything else, as Argo CD does.")
@trial_files.output_option("table", "json")
def command(project: str, app: str, files: tuple[str, ...], argocd_negation: bool, output: str) -> None:  # noqa: FBT001 click's way
    """Say whether the project permits the app, and if not, why.

    An AppProject is read as Argo CD 3.5 reads it, but for lists that only hold `!` entries: they grant nothing.
    """
    with trial_files.refusals():
        said = reasons(
            list(trial_documents.read(project)), list(trial_documents.read(app)), trial_files.objects_in(files), lone=argocd_negation
        )
    if output == "json":
        trial_files.as_json({"permitted": not said, "reasons": said})
    else:
        table.show(["PERMITTED", "WHY NOT"], [["no", one] for one in said] or [["yes", "-"]])


def reasons(project: list[Found], app: list[Found], manifests: tuple[objects.Manifest, ...], *, lone: bool) -> list[str]:
    """Why the app may not be, a sentence each.

    Raises:
        Invalid, Unreadable: a document of another kind, or one that breaks a rule.
    """
    if len(app) != 1:
        raise errors.Invalid({"--app": f"holds {len(app)} documents; one App is needed"})
    ((where, body),) = app
    if argo_documents.is_(body, "Application"):
        return _argo_reasons(argo_documents.known(project), body, manifests, lone=lone)
    if trial_documents.is_(body, documents.API_VERSION, "App"):
        return _reasons(project, trial_documents.convert(where, body, documents.App), manifests)
    raise texts.Unreadable(where, "is neither an App of gitops-plane.io/v1 nor an Argo CD Application")


def _reasons(found: list[Found], app: documents.App, manifests: tuple[objects.Manifest, ...]) -> list[str]:
    several = [trial_documents.convert(where, body, _type(where, body)) for where, body in found]
    listed = [one for one in several if isinstance(one, documents.Project)]
    project = _project_of(listed, app)
    for spec in (one.spec for one in listed):
        if problems := tenancy.check_project(spec):
            raise errors.Invalid(problems)
    name, heirs = project.metadata.name, [one.spec for one in listed if one is not project]
    rules = tenancy.effective(project.spec, project.metadata.labels, heirs)
    destination = app.spec.destination
    marks = next(
        (one.spec.labels for one in several if isinstance(one, documents.Cluster) and one.metadata.name == destination.cluster), {}
    )
    at = projects.Where(destination.cluster, destination.namespace, marks)
    said = [f"{path}: {why}" for path, why in tenancy.project_problems(rules, name, app.spec, marks=marks).items()]
    if rules.destination_service_accounts and not projects.account(rules, at):
        said.append(f"spec.destination: {at} has no service account among the destinationServiceAccounts of project {name}")
    inside = ((one, projects.object_(rules, _placed(one, destination.namespace), at, name=name)) for one in manifests)
    return [*said, *_objects(inside)]


def _argo_reasons(
    known: argo_documents.Known, app: argo_documents.Json, manifests: tuple[objects.Manifest, ...], *, lone: bool
) -> list[str]:
    project = argo_documents.project_of(known, app)
    rules = argo_projects.merged(project.spec, project.globals)
    said = argo_documents.reasons(known, app, lone=lone)
    try:
        at = argo_documents.destination(known, argo_documents.mapping(app.get("spec")))
    except errors.Invalid:
        return said

    def why(key: objects.ObjectKey) -> str:
        there = argo_projects.Place(at.server, at.name, key.namespace)
        outside = argo_projects.place(rules, there, name=project.name, lone=lone) if key.namespace else ""
        return argo_projects.kind(rules, key, name=project.name) or outside

    return [*said, *_objects((one, why(_placed(one, at.namespace))) for one in manifests)]


def _objects(found: Iterable[tuple[objects.Manifest, str]]) -> list[str]:
    return [f"{one.position}: {one.key} {why}" for one, why in found if why]


def _placed(one: objects.Manifest, namespace: str) -> objects.ObjectKey:
    known: dict[kinds.Kind, bool] = {}
    return trial_files.placed(one.key, namespace, known)


def _project_of(listed: list[documents.Project], app: documents.App) -> documents.Project:
    wanted = app.metadata.project
    for one in listed:
        if wanted in {"", one.metadata.name} and (wanted or len(listed) == 1):
            return one
    names = ", ".join(one.metadata.name for one in listed) or "none"
    raise errors.Invalid(
        {"--project": f"holds no Project that is the app's by its metadata.project ({wanted or 'empty'}); there is: {names}"}
    )


def _type(where: objects.Position, body: argo_documents.Json) -> type[documents.Project] | type[documents.Cluster]:
    for kind in (documents.Project, documents.Cluster):
        if trial_documents.is_(body, documents.API_VERSION, kind.__name__):
            return kind
    raise texts.Unreadable(where, "is neither a Project nor a Cluster of gitops-plane.io/v1")
