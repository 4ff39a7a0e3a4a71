"""Kustomizations, built by the `kustomize` program from exactly the files their graph names."""

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from plane import ports
from plane.adapters.renderers import kustomization, programs
from plane.adapters.sandbox import workbench
from plane.domain import apps, errors, objects
from plane.domain.reading import documents, manifests

_IMAGE = re.compile(r"(?:(?P<name>[^=@]+)=)?(?P<new>[^=@]+?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]+))?")


class Kustomize:
    """A folder with a kustomization file. `program` is its path."""

    name = "kustomize"

    def __init__(self, program: str) -> None:
        self.program = str(program)

    def detects(self, files: Sequence[ports.File], source: apps.Source) -> bool:
        """A kustomization file lies directly in the source's path, or the source says so."""
        base = posixpath.normpath(source.path)
        here = {posixpath.relpath(file.path, base) for file in files}
        return source.kustomize is not None or not here.isdisjoint(kustomization.NAMES)

    def inputs(self, tree: ports.Tree, source: apps.Source) -> tuple[ports.File, ...]:
        """The files of the graph."""
        return kustomization.walk(tree, source.path).files

    def roots(self, tree: ports.Tree, source: apps.Source) -> frozenset[str]:
        """The folders of the graph's kustomizations; kustomize reads no file outside of them."""
        return frozenset(kustomization.walk(tree, source.path).folders)

    def version(self) -> str:
        """The program's."""
        return f"kustomize/{programs.version(self.program, 'version')}"


def render(job: ports.RenderJob, bench: workbench.Workbench) -> Iterator[objects.Manifest]:
    """What `kustomize build` prints; positions name the kustomization, as kustomize does not tell more."""
    bench.place(job.files, below="repo")
    base = posixpath.normpath(job.source.path)
    target = f"repo/{base}"
    if job.source.kustomize is not None and job.source.kustomize != apps.Kustomize():
        bench.place({"kustomization.yaml": _overlay(job.source.kustomize, base)}, below="overlay")
        target = "overlay"
    where = next((path for name in kustomization.NAMES if (path := posixpath.normpath(posixpath.join(base, name))) in job.files), base)
    built = bench.run(["build", target, "--load-restrictor", "LoadRestrictionsRootOnly"], environment={}, where=bench.folder)
    if built.code != 0:
        raise errors.RenderFailed(f"kustomize: {programs.message(built.err, folder=str(bench.folder))}", where=where)
    try:
        made = manifests.read(built.out, file=where)
    except documents.Unreadable as e:
        raise errors.RenderFailed(f"of what kustomize builds, {str(e).removeprefix(f'{where}:')}", where=where) from e
    for manifest in made:
        yield msgspec.structs.replace(manifest, position=objects.Position(where))


def _overlay(options: apps.Kustomize, base: str) -> bytes:
    """A kustomization over the source's own one; JSON is YAML."""
    wanted = {
        "resources": [f"../repo/{base}"],
        "namePrefix": options.name_prefix,
        "nameSuffix": options.name_suffix,
        "namespace": options.namespace,
        "images": [_image(text) for text in options.images],
        "labels": [{"pairs": options.common_labels, "includeSelectors": True}] if options.common_labels else [],
        "commonAnnotations": options.common_annotations,
    }
    return objects.canonical({key: value for key, value in wanted.items() if value})


def _image(text: str) -> dict[str, str]:
    """`name:tag`, `name@digest`, `name=other`, `name=other:tag`, `name=other@digest`, as `kustomize edit set image` takes them."""
    found = _IMAGE.fullmatch(text)
    if not found:
        raise errors.RenderFailed(f"source.kustomize.images: {text!r} is not NAME:TAG, NAME@DIGEST or NAME=NEW:TAG")
    new = found["new"] if found["name"] else ""
    image = {"name": found["name"] or found["new"], "newName": new, "newTag": found["tag"], "digest": found["digest"]}
    return {key: value for key, value in image.items() if value}
