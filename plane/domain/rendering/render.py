"""When a render need not be done again: the key of everything it can read."""

from collections.abc import Iterable
from typing import Protocol

from plane.domain import apps, objects

READS_DESTINATION = frozenset({"helm"})  # renderers whose templates see the release name, namespace, Kubernetes version and API list


class Renderer(Protocol):
    """What a renderer says about itself."""

    @property
    def name(self) -> str: ...
    def version(self) -> str: ...


class Job(Protocol):
    """What a render is asked beside its files."""

    @property
    def source(self) -> apps.Source: ...
    @property
    def app(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def kube_version(self) -> str: ...
    @property
    def api_versions(self) -> tuple[str, ...]: ...


class Input(Protocol):
    """A file by its content."""

    @property
    def path(self) -> str: ...
    @property
    def blob(self) -> str: ...


def render_key(renderer: Renderer, job: Job, files: Iterable[Input], *, reads_destination: frozenset[str] = READS_DESTINATION) -> str:
    """Equal keys, equal objects: digest of the input files' blobs, the parameters and the renderer's version.

    Where the files come from (URL, revision) is no part of it: a commit that changes none of them changes no key.

    Args:
        renderer: by whom.
        job: how; its `files` are not looked at.
        files: all that the renderer can read.
        reads_destination: renderers, plug-ins too, that read the destination; for the others a cluster's upgrade renders nothing anew.
    """
    source = job.source
    blobs = sorted((file.path, file.blob) for file in files)
    destination = (job.app, job.namespace, job.kube_version, sorted(job.api_versions)) if renderer.name in reads_destination else ()
    parameters = (source.path, source.helm, source.kustomize, source.directory)
    return objects.digest(objects.canonical([renderer.name, renderer.version(), parameters, destination, blobs]))
