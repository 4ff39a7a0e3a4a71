"""What holds for the apps of every tenant: differences that do not count, and kinds that the plane does not touch."""

import fnmatch
from collections.abc import Iterable, Iterator

import msgspec

from plane.domain import apps, objects
from plane.domain.judging import policy


class Filter(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Kinds in clusters; globs, an empty list matches all. Fields as Argo CD's resource.exclusions have them."""

    api_groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()

    def matches(self, group: str, kind: str, cluster: str) -> bool:
        """All three."""
        pairs = ((self.api_groups, group), (self.kinds, kind), (self.clusters, cluster))
        return all(not globs or any(fnmatch.fnmatchcase(text, glob) for glob in globs) for globs, text in pairs)


class RuleSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`ignore_differences` as an app's; `inclusions`: when there are any, only what one of them matches is touched."""

    description: str = ""
    ignore_differences: tuple[apps.IgnoreDifference, ...] = ()
    exclusions: tuple[Filter, ...] = ()
    inclusions: tuple[Filter, ...] = ()


class Rules(msgspec.Struct, frozen=True):
    """All documents together."""

    ignore_differences: tuple[apps.IgnoreDifference, ...] = ()
    exclusions: tuple[Filter, ...] = ()
    inclusions: tuple[Filter, ...] = ()

    def excludes(self, key: objects.ObjectKey, cluster: str) -> bool:
        """Whether the plane leaves objects of the kind alone there."""
        if any(one.matches(key.group, key.kind, cluster) for one in self.exclusions):
            return True
        return bool(self.inclusions) and not any(one.matches(key.group, key.kind, cluster) for one in self.inclusions)


def together(specs: Iterable[RuleSpec]) -> Rules:
    """In the order given."""
    found = tuple(specs)
    return Rules(
        tuple(rule for spec in found for rule in spec.ignore_differences),
        tuple(rule for spec in found for rule in spec.exclusions),
        tuple(rule for spec in found for rule in spec.inclusions),
    )


def over(spec: apps.AppSpec, rules: Rules) -> apps.AppSpec:
    """The app with what is ignored everywhere."""
    if not rules.ignore_differences:
        return spec
    return msgspec.structs.replace(spec, ignore_differences=(*spec.ignore_differences, *rules.ignore_differences))


def split(
    manifests: Iterable[objects.Manifest], rules: Rules, cluster: str
) -> tuple[tuple[objects.Manifest, ...], tuple[policy.Judged, ...]]:
    """What is touched, and what is said of the rest."""
    kept, told = list[objects.Manifest](), list[policy.Judged]()
    for one in manifests:
        if rules.excludes(one.key, cluster):
            told.append(policy.Judged(_left_out(one), "warn"))
        else:
            kept.append(one)
    return tuple(kept), tuple(told)


def _left_out(manifest: objects.Manifest) -> policy.Violation:
    message = "the platform excludes this kind, so the plane leaves it alone"
    place = str(manifest.position or "")
    return policy.Violation("platform", "resource-exclusions", str(manifest.key), message, severity="low", file=place)


def problems(spec: RuleSpec) -> Iterator[tuple[str, str]]:
    """Broken rules by path."""
    for part, filters in (("exclusions", spec.exclusions), ("inclusions", spec.inclusions)):
        for n, one in enumerate(filters):
            if not (one.api_groups or one.kinds or one.clusters):
                yield f"spec.{part}[{n}]", "matches everything; name apiGroups, kinds or clusters"
