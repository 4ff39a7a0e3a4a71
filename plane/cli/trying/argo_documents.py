"""Argo CD's documents as `plane try` reads them: AppProjects with the global ones they inherit from, Applications, registered clusters."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from plane.domain import errors, labels, objects
from plane.domain.permitting import argo_projects
from plane.domain.reading import documents as texts
from plane.domain.reading import yaml_text
from plane.wire import reading

GROUP = "argoproj.io"
HOME = argo_projects.Place("https://kubernetes.default.svc", "in-cluster")
CONTROLLER = "argocd"

Json = dict[str, Any]
Found = tuple[objects.Position, Json]


class Project(msgspec.Struct, frozen=True):
    """One AppProject. `globals`: those that it inherits from."""

    name: str
    namespace: str
    spec: argo_projects.Spec
    globals: tuple[argo_projects.Spec, ...] = ()


class Cluster(msgspec.Struct, frozen=True):
    """A registered cluster; `project`: the one it is scoped to."""

    place: argo_projects.Place
    project: str = ""


class Known(msgspec.Struct, frozen=True):
    """What the documents beside the Application say."""

    projects: tuple[Project, ...]
    clusters: tuple[Cluster, ...] = ()


def known(found: Iterable[Found]) -> Known:
    """From AppProjects, cluster Secrets and the ConfigMap argocd-cm.

    Raises:
        Invalid: a field of a wrong type. Unreadable: a document of another kind.
    """
    projects: dict[str, tuple[Json, Project]] = {}
    clusters, heirs = [], []
    for where, body in found:
        match _kind(body):
            case "AppProject":
                projects[_meta(body, "name")] = (mapping(mapping(body.get("metadata")).get("labels")), _project(where, body))
            case "Secret":
                clusters.append(_cluster(body))
            case "ConfigMap":
                heirs += _global_projects(where, body)
            case other:
                raise texts.Unreadable(where, f"is a {other or 'document without a kind'}; an AppProject is needed here")
    return Known(tuple(_with_globals(one, marks, heirs, projects) for marks, one in projects.values()), tuple(clusters))


def project_of(everything: Known, app: Json) -> Project:
    """The app's project. Invalid when there are several and none has its name."""
    wanted = str(mapping(app.get("spec")).get("project") or "") or "default"
    for one in everything.projects:
        if one.name == wanted or (len(everything.projects) == 1 and not mapping(app.get("spec")).get("project")):
            return one
    listed = ", ".join(one.name for one in everything.projects)
    raise errors.Invalid({"--project": f"holds no AppProject {wanted!r}, which the Application names in spec.project (there is: {listed})"})


def reasons(everything: Known, app: Json, *, lone: bool = True) -> list[str]:
    """Why Argo CD would not let the Application be, a sentence each; none when it would."""
    project, spec = project_of(everything, app), mapping(app.get("spec"))
    rules = argo_projects.merged(project.spec, project.globals)
    said = [f"spec.destination: {why}" for why in _elsewhere(everything, project, rules, spec, lone=lone) if why]
    for path, url in _sources(spec):
        why = argo_projects.source(rules, url, name=project.name, lone=lone) if url else "is empty"
        said += [f"{path}: {url} {why}"] if why else []
    return [*_outsider(project, rules, app), *said]


def destination(everything: Known, spec: Json) -> argo_projects.Place:
    """Where the Application goes, with name and server of a registered cluster. Invalid when it says neither or both."""
    said = mapping(spec.get("destination"))
    server, name, namespace = (str(said.get(field) or "") for field in ("server", "name", "namespace"))
    if bool(server) == bool(name):
        raise errors.Invalid({"spec.destination": "needs exactly one of server and name"})
    for one in (HOME, *(cluster.place for cluster in everything.clusters)):
        if (server and one.server.rstrip("/") == server.rstrip("/")) or (name and one.name == name):
            return argo_projects.Place(one.server, one.name, namespace)
    return argo_projects.Place(server.rstrip("/"), name, namespace)


def inheritances(found: Iterable[Found]) -> dict[str, str]:
    """Global project → a selector for the projects that inherit from it, from the ConfigMap argocd-cm."""
    heirs = [one for where, body in found if _kind(body) == "ConfigMap" for one in _global_projects(where, body)]
    return {name: _written(selector) for selector, name in heirs}


def _written(selector: Json) -> str:
    said = [f"{key}={value}" for key, value in mapping(selector.get("matchLabels")).items()]
    for one in map(mapping, selector.get("matchExpressions") or ()):
        key, values = one.get("key"), ",".join(map(str, one.get("values") or ()))
        forms = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": f"{key}", "DoesNotExist": f"!{key}"}
        said.append(forms.get(str(one.get("operator")), f"{key} in ()"))
    return ",".join(said)


def is_(body: Json, kind: str) -> bool:
    """Whether a document is one of Argo CD's."""
    return str(body.get("apiVersion", "")).startswith(GROUP) and body.get("kind") == kind


def mapping(value: object) -> Json:
    """The value, or nothing where it is no mapping."""
    return value if isinstance(value, dict) else {}


def _elsewhere(everything: Known, project: Project, rules: argo_projects.Spec, spec: Json, *, lone: bool) -> Iterator[str]:
    try:
        where = destination(everything, spec)
    except errors.Invalid as error:
        yield from error.problems.values()
        return
    why = argo_projects.place(rules, where, name=project.name, lone=lone)
    yield f"{where} {why}" if why else ""
    mine = [one.place for one in everything.clusters if one.project == project.name]
    if rules.permit_only_project_scoped_clusters and not any(_same(one, where) for one in mine):
        yield f"{where} is on no cluster of project {project.name}, which its permitOnlyProjectScopedClusters asks for"


def _same(one: argo_projects.Place, where: argo_projects.Place) -> bool:
    return one.name == where.name or one.server == where.server


def _outsider(project: Project, rules: argo_projects.Spec, app: Json) -> list[str]:
    """Applications outside Argo CD's own namespace need the project's leave."""
    namespace = _meta(app, "namespace")
    why = argo_projects.home(rules, namespace, name=project.name) if namespace not in {"", project.namespace} else ""
    return [f"metadata.namespace: {namespace} {why}"] if why else []


def _sources(spec: Json) -> Iterator[tuple[str, str]]:
    hydrator = mapping(spec.get("sourceHydrator"))
    several = spec.get("sources")
    if hydrator:
        yield "spec.sourceHydrator.drySource.repoURL", _url(hydrator.get("drySource"))
    elif isinstance(several, list) and several:
        for n, one in enumerate(several):
            yield f"spec.sources[{n}].repoURL", _url(one)
    else:
        yield "spec.source.repoURL", _url(spec.get("source"))


def _url(source: object) -> str:
    return str(mapping(source).get("repoURL") or "")


def _project(where: objects.Position, body: Json) -> Project:
    try:
        spec = reading.convert(mapping(body.get("spec")), argo_projects.Spec)
    except errors.Invalid as error:
        raise errors.Invalid({f"{where}: spec.{path}": rule for path, rule in error.problems.items()}) from None
    return Project(_meta(body, "name"), _meta(body, "namespace") or CONTROLLER, spec)


def _with_globals(
    one: Project, marks: Mapping[str, Any], heirs: list[tuple[Json, str]], projects: Mapping[str, tuple[Json, Project]]
) -> Project:
    names = [name for selector, name in heirs if name != one.name and name in projects and _selects(selector, marks)]
    return msgspec.structs.replace(one, globals=tuple(projects[name][1].spec for name in names))


def _selects(selector: Json, marks: Mapping[str, Any]) -> bool:
    wanted = [labels.Requirement(key, "in", frozenset({str(value)})) for key, value in mapping(selector.get("matchLabels")).items()]
    for one in selector.get("matchExpressions") or ():
        operator = _OPERATORS.get(str(mapping(one).get("operator")))
        if operator is None:
            return False
        wanted.append(labels.Requirement(str(one.get("key")), operator, frozenset(map(str, one.get("values") or ()))))
    return labels.matches(tuple(wanted), {key: str(value) for key, value in marks.items()})


_OPERATORS: dict[str, labels.Operator] = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}


def _global_projects(where: objects.Position, body: Json) -> list[tuple[Json, str]]:
    text = str(mapping(body.get("data")).get("globalProjects") or "")
    try:
        listed = yaml_text.parse(text.encode()).value if text else []
    except yaml_text.BadText as error:
        raise texts.Unreadable(where, f"holds globalProjects that cannot be read: {error}") from None
    entries = [mapping(one) for one in listed] if isinstance(listed, list) else []
    return [(mapping(one.get("labelSelector")), str(one.get("projectName") or "")) for one in entries]


def _cluster(body: Json) -> Cluster:
    said = mapping(body.get("stringData"))
    return Cluster(argo_projects.Place(str(said.get("server") or ""), str(said.get("name") or "")), str(said.get("project") or ""))


def _kind(body: Json) -> str:
    kind = str(body.get("kind") or "")
    ours = kind in {"Secret", "ConfigMap"} and body.get("apiVersion") == "v1"
    return kind if ours or is_(body, kind) else kind.lower()


def _meta(body: Json, field: str) -> str:
    return str(mapping(body.get("metadata")).get(field) or "")
