"""`plane try render`: the objects that a folder or an App makes, by the plane's own renderers in its own sandbox."""

import pathlib
import sys
from typing import Any

import click
import msgspec

from plane import config, ports
from plane.adapters.renderers import helm, kustomize, plain
from plane.adapters.sandbox import pool
from plane.cli import failures
from plane.cli.trying import trial_files, trial_tree
from plane.domain import apps, errors, objects
from plane.domain.reading import documents, yaml_text
from plane.domain.rendering import refs
from plane.server.delivering import laid
from plane.wire import reading

LOCAL = "local"  # stands for the project and the repository's address, which no render reads
ARGO_GROUP = "argoproj.io"
OURS = "gitops-plane.io/v1"

Json = dict[str, Any]


class Wanted(msgspec.Struct, frozen=True):
    """What to render: sources relative to the root of a repository, and the app's name and namespace."""

    root: pathlib.Path
    sources: tuple[apps.Source, ...]
    app: str
    namespace: str


@click.command("render")
@click.argument("place", type=trial_files.FILE, metavar="DIR|APP.yaml|-")
@click.option("-n", "--namespace", help="Namespace of the destination; default: the App's.")
@click.option("--app", help="Name of the app, used as Helm's release name; default: the App's or the folder's.")
@click.option("--kube-version", default="", help="Kubernetes version for charts' capabilities.")
@trial_files.output_option("yaml", "json")
def command(place: str, namespace: str | None, app: str | None, kube_version: str, output: str) -> None:
    """Render DIR, or the sources of an App or Argo CD Application.

    Paths of an App are those of the working copy that its file is in. Exit code 0: done, 1: it does not render, 2: wrong use.
    """
    with trial_files.refusals():
        wanted = _wanted(place)
        wanted = msgspec.structs.replace(wanted, app=app or wanted.app, namespace=namespace or wanted.namespace)
        try:
            made = render(wanted, kube_version)
        except errors.RenderFailed as error:
            raise failures.Failed(str(error)) from error
    _print([manifest.body for manifest in made], output)


def render(wanted: Wanted, kube_version: str) -> list[objects.Manifest]:
    """The objects of all sources in their order.

    Raises:
        RenderFailed: a source does not render. SourceRefused: a path is not there. ProgramMissing: helm or kustomize is needed and absent.
    """
    folder = trial_tree.Folder(wanted.root)
    tree = laid.Laid(folder, {source.ref: folder for source in wanted.sources if source.ref})  # every ref means the one working copy
    made: list[objects.Manifest] = []
    for source in [refs.replaced(source) for source in wanted.sources if source.rendered()]:
        renderer = _renderer(tree, source)
        files = tree.read(renderer.inputs(tree, source))
        job = ports.RenderJob(LOCAL, source, files, wanted.app, wanted.namespace, kube_version)
        with pool.Pool({renderer.name: renderer}, size=1) as sandbox:
            made += sandbox.render(renderer.name, job)
    return made


def _renderer(tree: ports.Tree, source: apps.Source) -> ports.Renderer:
    """As the plane chooses; a program is looked for only when it is needed."""
    files = tree.files(source.path)
    if source.directory is None and helm.Helm("").detects(files, source):
        return helm.Helm(config.program("helm"))
    if source.directory is None and kustomize.Kustomize("").detects(files, source):
        return kustomize.Kustomize(config.program("kustomize"))
    return plain.Plain()


def _wanted(place: str) -> Wanted:
    path = pathlib.Path.cwd() if place == "-" else pathlib.Path(place)
    root = trial_tree.repository(path)
    if place != "-" and path.is_dir():
        here = path.resolve()
        return Wanted(root, (apps.Source(LOCAL, here.relative_to(root).as_posix()),), here.name, "")
    text = sys.stdin.buffer.read() if place == "-" else path.read_bytes()
    return _of_document(text, "standard input" if place == "-" else place, root)


def _of_document(text: bytes, file: str, root: pathlib.Path) -> Wanted:
    found = [document for document in documents.read(text, file=file) if document.value is not None]
    body = found[0].value if len(found) == 1 else None
    where = f"{file}:{found[0].line}" if found else file
    if not isinstance(body, dict) or not _is_app(body):
        rule = f"must be one document: an App ({OURS}) or an Argo CD Application; a folder of manifests is rendered by its path"
        raise errors.Invalid({where: rule})
    spec, meta = body.get("spec"), body.get("metadata")
    if not isinstance(spec, dict) or not isinstance(meta, dict):
        raise errors.Invalid({where: "an App has metadata and spec"})
    destination = spec.get("destination")
    namespace = destination.get("namespace") if isinstance(destination, dict) else ""
    return Wanted(root, _sources(spec, where), str(meta.get("name") or "app"), str(namespace or ""))


def _is_app(body: Json) -> bool:
    version, kind = str(body.get("apiVersion")), body.get("kind")
    return (version == OURS and kind == "App") or (version.partition("/")[0] == ARGO_GROUP and kind == "Application")


def _sources(spec: Json, where: str) -> tuple[apps.Source, ...]:
    several = spec.get("sources")
    given = (
        {f"sources[{number}]": one for number, one in enumerate(several)} if isinstance(several, list) else {"source": spec.get("source")}
    )
    made = []
    for path, value in given.items():
        try:
            made.append(reading.convert(value, apps.Source))
        except errors.Invalid as error:
            problems = {f"{where}: spec.{path}{'.' if field else ''}{field}": rule for field, rule in error.problems.items()}
            raise errors.Invalid(problems) from error
    return tuple(made)


def _print(bodies: list[Json], output: str) -> None:
    if output == "json":
        trial_files.as_json({"apiVersion": "v1", "kind": "List", "items": bodies})
    else:
        click.echo("---\n".join(yaml_text.dump(body) for body in bodies), nl=False)
