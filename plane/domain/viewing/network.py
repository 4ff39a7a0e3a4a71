"""Where traffic flows between objects: Gateway → route → Service → Pod, Ingress → Service."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plane.domain import kinds, objects
from plane.domain.health import health_values
from plane.domain.viewing import tree

Body = dict[str, Any]

_GATEWAY_API = "gateway.networking.k8s.io"
SERVICE: kinds.Kind = ("", "Service")
SLICE: kinds.Kind = ("discovery.k8s.io", "EndpointSlice")
INGRESS: kinds.Kind = ("networking.k8s.io", "Ingress")
ROUTES: frozenset[kinds.Kind] = frozenset((_GATEWAY_API, f"{name}Route") for name in ("HTTP", "GRPC", "TCP", "TLS", "UDP"))
OPENSHIFT_ROUTE: kinds.Kind = ("route.openshift.io", "Route")
READ = frozenset({SERVICE, SLICE, INGRESS, OPENSHIFT_ROUTE}) | ROUTES  # kinds whose bodies say where traffic goes

Pair = tuple[objects.ObjectKey, objects.ObjectKey]


def edges(bodies: Mapping[objects.ObjectKey, Body], pods: Iterable[tree.Seen]) -> tuple[Pair, ...]:
    """(from, to), sorted. Ends that are not there are the caller's to leave out.

    Args:
        bodies: objects of the kinds in `READ`.
        pods: by whose labels Services choose.
    """
    running = tuple(pods)
    found: set[Pair] = set()
    for key, body in bodies.items():
        try:
            found.update(_of(key, body, running))
        except (health_values.Malformed, AttributeError, KeyError, TypeError):
            continue  # a custom object of another shape leads nowhere
    return tuple(sorted(found))


def _of(key: objects.ObjectKey, body: Body, pods: tuple[tree.Seen, ...]) -> Iterator[Pair]:
    kind = (key.group, key.kind)
    if kind == SERVICE:
        yield from ((key, one) for one in _selected(key, body, pods))
    elif kind == SLICE:
        yield from _sliced(key, body)
    elif kind == INGRESS:
        yield from ((key, _service(key, name)) for name in _ingress_backends(body))
    elif kind in ROUTES:
        yield from _routed(key, body)
    elif kind == OPENSHIFT_ROUTE:
        yield from ((key, _service(key, one.get("name", ""))) for one in _targets(body))


def _selected(key: objects.ObjectKey, body: Body, pods: tuple[tree.Seen, ...]) -> Iterator[objects.ObjectKey]:
    selector = health_values.part(body, "spec", "selector").items()
    if selector:
        yield from (one.key for one in pods if one.key.namespace == key.namespace and selector <= dict(one.labels).items())


def _sliced(key: objects.ObjectKey, body: Body) -> Iterator[Pair]:
    """A Service without a selector reaches what its slices name."""
    name = str(health_values.part(body, "metadata", "labels").get("kubernetes.io/service-name", ""))
    for endpoint in health_values.entries(body, "endpoints"):
        target = endpoint.get("targetRef") or {}
        if name and target.get("kind") == "Pod":
            yield _service(key, name), objects.ObjectKey("", "Pod", target.get("namespace", key.namespace), target.get("name", ""))


def _ingress_backends(body: Body) -> Iterator[str]:
    spec = health_values.part(body, "spec")
    backends = [health_values.part(spec, "defaultBackend")]
    for rule in health_values.entries(spec, "rules"):
        backends += [path.get("backend") or {} for path in health_values.entries(health_values.part(rule, "http"), "paths")]
    for backend in backends:
        name = health_values.part(backend, "service").get("name")
        if name:
            yield str(name)


def _routed(key: objects.ObjectKey, body: Body) -> Iterator[Pair]:
    spec = health_values.part(body, "spec")
    for parent in health_values.entries(spec, "parentRefs"):
        yield _reference(key, parent, (_GATEWAY_API, "Gateway")), key
    for rule in health_values.entries(spec, "rules"):
        for backend in health_values.entries(rule, "backendRefs"):
            yield key, _reference(key, backend, SERVICE)


def _targets(body: Body) -> Iterator[Body]:
    spec = health_values.part(body, "spec")
    yield health_values.part(spec, "to")
    yield from health_values.entries(spec, "alternateBackends")


def _reference(key: objects.ObjectKey, said: Body, usual: kinds.Kind) -> objects.ObjectKey:
    return objects.ObjectKey(
        said.get("group", usual[0]), said.get("kind", usual[1]), said.get("namespace", key.namespace), str(said["name"])
    )


def _service(key: objects.ObjectKey, name: str) -> objects.ObjectKey:
    return objects.ObjectKey(*SERVICE, key.namespace, str(name))
