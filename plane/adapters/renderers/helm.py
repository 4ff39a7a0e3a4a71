"""Charts of the repository, rendered by `helm template`: no cluster, no network, no plug-ins, dependencies only as vendored in charts/."""

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from plane import ports
from plane.adapters.renderers import helm_values, programs
from plane.adapters.sandbox import workbench
from plane.domain import apps, errors, objects
from plane.domain.reading import documents, manifests
from plane.domain.rendering import refs

CHART = "Chart.yaml"

_SOURCE = re.compile(rb"^---\n# Source: ([^\n]+)\n", re.MULTILINE)
_PLACE = re.compile(r"[\w.-]+/((?:charts/[^\s:()\"]+/)?(?:templates|crds)/[^\s:()\"]+)(?::(\d+))?")
_DEPENDENCY = re.compile(r"missing in charts/ directory: ([\w., -]+)")
_COMMA = re.compile(r"(?<!\\),")


class Helm:
    """A chart in the source's path. `program` is helm's path."""

    name = "helm"

    def __init__(self, program: str) -> None:
        self.program = str(program)

    def detects(self, files: Sequence[ports.File], source: apps.Source) -> bool:
        """Chart.yaml lies directly in the source's path, or the source says so."""
        return source.helm is not None or any(file.path == _inside(source, CHART) for file in files)

    def inputs(self, tree: ports.Tree, source: apps.Source) -> tuple[ports.File, ...]:
        """All files of the chart, and the values files wherever in the repository they are."""
        chart = {file.path: file for file in tree.files(source.path)}
        if _inside(source, CHART) not in chart:
            raise errors.RenderFailed("there is no Chart.yaml in this folder", where=posixpath.normpath(source.path))
        options = source.helm or apps.Helm()
        for name in options.value_files:
            path = helm_values.path(source, name)
            if file := helm_values.find(tree, path):
                chart[path] = file
            elif not options.ignore_missing_value_files:
                shown = refs.shown(name)
                reason = f"source.helm.valueFiles names {shown}, which is not in the repository; add it, or set ignoreMissingValueFiles"
                raise errors.RenderFailed(reason, where=posixpath.normpath(source.path))
        return tuple(sorted(chart.values()))

    def roots(self, tree: ports.Tree, source: apps.Source) -> frozenset[str]:  # noqa: ARG002  # the port's signature
        """The chart's folder and the values files, present or not."""
        names = source.helm.value_files if source.helm else ()
        return frozenset({posixpath.normpath(source.path), *(helm_values.path(source, name) for name in names)})

    def version(self) -> str:
        """The program's."""
        return f"helm/{programs.version(self.program, 'version', '--short')}"


def render(job: ports.RenderJob, bench: workbench.Workbench) -> Iterator[objects.Manifest]:
    """What `helm template` prints; positions name the template."""
    options = job.source.helm or apps.Helm()
    bench.place(job.files, below="repo")
    inline = bench.place(helm_values.inline(options), below="values")
    chart = bench.folder / "repo" / job.source.path
    values = [bench.folder / "repo" / path for name in options.value_files if (path := helm_values.path(job.source, name)) in job.files]
    values += sorted(inline.iterdir())
    arguments = ["template", options.release_name or job.app, str(chart), *_flags(job, options)]
    arguments += [word for path in values for word in ("--values", str(path))]
    made = bench.run(arguments, environment=_homes(str(bench.folder)), where=chart)
    if made.code != 0:
        raise _failure(job, made.err, folder=str(bench.folder))
    yield from _objects(job, made.out)


def _flags(job: ports.RenderJob, options: apps.Helm) -> Iterator[str]:
    yield from ("--namespace", options.namespace or job.namespace or "default")
    if not options.skip_crds:
        yield "--include-crds"
    if job.kube_version:
        yield from ("--kube-version", job.kube_version)
    for version in job.api_versions:
        yield from ("--api-versions", version)
    for parameter in options.parameters:
        # A comma would begin the next parameter; in `{a,b}` it separates a list's items.
        value = parameter.value if parameter.value.startswith("{") else _COMMA.sub(r"\\,", parameter.value)
        yield from ("--set-string" if parameter.force_string else "--set", f"{parameter.name}={value}")


def _homes(folder: str) -> dict[str, str]:
    """Empty places of its own, so that no plug-in, repository list, cache or cluster of anybody is found."""
    private = {f"HELM_{what}": f"{folder}/helm/{what.lower()}" for what in ("CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "PLUGINS")}
    return {**private, "KUBECONFIG": "/dev/null", "HELM_NO_PLUGINS": "1"}


def _objects(job: ports.RenderJob, out: bytes) -> Iterator[objects.Manifest]:
    """Each part under the template it came from; a line of rendered text is a line of no file, so there is none."""
    parts = _SOURCE.split(out)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        where = _inside(job.source, name.decode(errors="replace").partition("/")[2])
        try:
            made = manifests.read(text, file=where)
        except documents.Unreadable as e:
            reason = helm_values.hide(str(e).removeprefix(f"{where}:"), job)
            raise errors.RenderFailed(f"it renders to text that is no manifest, at line {reason}", where=where) from e
        for manifest in made:
            yield msgspec.structs.replace(manifest, position=objects.Position(where))


def _failure(job: ports.RenderJob, stderr: str, *, folder: str) -> errors.RenderFailed:
    """Helm's message at the deepest template it names, without any value."""
    told = programs.message(stderr, folder=folder)
    if absent := _DEPENDENCY.search(told):
        way_out = "vendor it there with `helm dependency build` and commit it"
        reason = f"the chart depends on {absent[1]}, which is not in its charts/ folder; {way_out}"
        return errors.RenderFailed(reason, where=_inside(job.source, CHART))
    places = list(_PLACE.finditer(told))
    where = posixpath.normpath(job.source.path)
    if places:
        last = next((place for place in reversed(places) if place[2]), places[-1])
        where = _inside(job.source, last[1]) + (f":{last[2]}" if last[2] else "")
    return errors.RenderFailed(f"helm: {helm_values.hide(told, job)}", where=where)


def _inside(source: apps.Source, name: str) -> str:
    return posixpath.normpath(posixpath.join(source.path, name))
