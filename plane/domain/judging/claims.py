"""What an app takes for itself by keeping it: objects of a cluster, hosts on every cluster, a place in a namespace.

A claim is one text, so that a database finds it by one index: `o CLUSTER GROUP/KIND NAMESPACE/NAME`, `h` with the host's labels from the
right, `n CLUSTER NAMESPACE`, and `g CLUSTER NAMESPACE` where a NetworkPolicy lies. Clusters are ids.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from plane.domain import objects
from plane.domain.judging import surroundings

OTHERS = "another tenant"
ALONE = ("o", "h")  # what one app has for itself; the others may be many
_LAST = "~"  # behind everything that a host's label may begin with
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute")


class Span(msgspec.Struct, frozen=True, order=True):
    """Claims that meet `name`: from `low` to `high`, both included, letters by their bytes."""

    name: str
    low: str
    high: str


class Neighbour(msgspec.Struct, frozen=True, order=True):
    """Somebody whose claim meets ours, `asked`. `claim` and `owner`, PROJECT/APP, are empty for another tenant's."""

    asked: str
    claim: str = ""
    owner: str = ""


def of(manifests: Iterable[objects.Manifest], cluster: str) -> frozenset[str]:
    """What a release claims."""
    return frozenset(name for one in manifests if one.key.name for name in _claims(one, cluster))


def spans(names: Iterable[str]) -> tuple[Span, ...]:
    """Where to look for those who claim the same, sorted."""
    return tuple(sorted(span for name in names for span in _spans(name)))


def meet(names: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two apps want something that only one can have."""
    exact = set(others)
    found = (span for span in spans(name for name in names if name.startswith(ALONE)))
    return any(span.low in exact if span.low == span.high else any(span.low <= name <= span.high for name in exact) for span in found)


def inventory(found: Iterable[Neighbour]) -> surroundings.Inventory:
    """What rules are told: of another tenant nothing but that it has what we name ourselves."""
    known = sorted(set(found))
    return surroundings.Inventory(
        hosts=tuple(_host(one) for one in known if one.asked.startswith("h ")),
        owners=tuple(_held(one) for one in known if one.asked.startswith("o ")),
        namespaces=tuple(_namespaces(one for one in known if one.asked.startswith("n "))),
        guarded=tuple(sorted({one.asked.split(" ", 2)[2] for one in known if one.asked.startswith("g ")})),
    )


def _claims(manifest: objects.Manifest, cluster: str) -> Iterator[str]:
    key = manifest.key
    yield f"o {cluster} {key.group}/{key.kind} {key.namespace}/{key.name}"
    if key.namespace:
        yield f"n {cluster} {key.namespace}"
    if (key.group, key.kind) == ("networking.k8s.io", "NetworkPolicy"):
        yield f"g {cluster} {key.namespace}"
    yield from (f"h {_turned(host)}" for host in _hosts(key, manifest.body.get("spec")) if host)


def _hosts(key: objects.ObjectKey, spec: object) -> Iterator[str]:
    """As rules read them (policies/lib/hosts.rego)."""
    if (key.group, key.kind) == ("networking.k8s.io", "Ingress"):
        found = [_field(rule, "host") for rule in _list(spec, "rules")]
    elif (key.group, key.kind) == ("gateway.networking.k8s.io", "Gateway"):
        found = [_field(listener, "hostname") for listener in _list(spec, "listeners")]
    elif key.group == "gateway.networking.k8s.io" and key.kind in _ROUTES:
        found = _list(spec, "hostnames")
    else:
        found = []
    yield from (host.lower().removesuffix(".") for host in found if isinstance(host, str))


def _list(value: object, name: str) -> list[Any]:
    found = _field(value, name)
    return found if isinstance(found, list) else []


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _turned(host: str) -> str:
    """With a dot behind each label, so that what begins with a domain lies below it."""
    return "".join(f"{label}." for label in reversed(host.split(".")))


def _spans(name: str) -> Iterator[Span]:
    kind, _, rest = name.partition(" ")
    yield Span(name, name, name)
    if kind == "n":
        guard = f"g {rest}"
        yield Span(guard, guard, guard)
    if kind == "h":
        labels = rest.removesuffix(".").split(".")
        above = ("".join(f"{label}." for label in labels[:number]) for number in range(len(labels)))
        yield from (Span(name, wild, wild) for wild in (f"h {domain}*." for domain in above) if wild != name)
        if labels[-1] == "*":
            below = name.removesuffix("*.")
            yield Span(name, f"{below}!", f"{below}{_LAST}")


def _straight(claim: str) -> str:
    """The host of a claim."""
    return ".".join(reversed(claim.removeprefix("h ").removesuffix(".").split(".")))


def _host(one: Neighbour) -> surroundings.Host:
    project = one.owner.partition("/")[0]
    return surroundings.Host(host=_straight(one.claim or one.asked), owner=project or OTHERS)


def _held(one: Neighbour) -> surroundings.Held:
    _, _, what, where = one.asked.split(" ", 3)
    group, _, kind = what.partition("/")
    namespace, _, name = where.partition("/")
    return surroundings.Held(group=group, kind=kind, namespace=namespace, name=name, owner=one.owner or OTHERS)


def _namespaces(known: Iterable[Neighbour]) -> Iterator[surroundings.Shared]:
    owners: dict[str, list[str]] = {}
    for one in known:
        owners.setdefault(one.asked.split(" ", 2)[2], []).append(one.owner or OTHERS)
    return (surroundings.Shared(name=name, owners=tuple(sorted(several))) for name, several in sorted(owners.items()))
