"""Which objects a selective sync is about: `group:kind:namespace/name`, `!` in front to leave out, and a label selector."""

import fnmatch
from collections.abc import Iterable

import msgspec

from plane.domain import errors, labels, objects


class Pattern(msgspec.Struct, frozen=True):
    """Globs; `namespace` None: any, and none."""

    group: str
    kind: str
    namespace: str | None
    name: str
    exclude: bool = False


class Selection(msgspec.Struct, frozen=True):
    """What was chosen. An exclusion wins over an inclusion; with exclusions alone everything else is chosen."""

    patterns: tuple[Pattern, ...] = ()
    selector: labels.Selector = ()


def parse(words: Iterable[str], *, selector: str = "") -> Selection:
    """Read what a person typed.

    Raises:
        Invalid: a word that is not of the form, or a selector that is none.
    """
    return Selection(tuple(_pattern(word) for word in words), labels.parse(selector))


def chooses(chosen: Selection, manifest: objects.Manifest) -> bool:
    """Whether an object that Git wants is among the chosen."""
    return names(chosen, manifest.key) and labels.matches(chosen.selector, _labels(manifest))


def names(chosen: Selection, key: objects.ObjectKey) -> bool:
    """The same by key alone; what Git no longer wants has no labels to go by."""
    if any(_matches(pattern, key) for pattern in chosen.patterns if pattern.exclude):
        return False
    included = [pattern for pattern in chosen.patterns if not pattern.exclude]
    return not included or any(_matches(pattern, key) for pattern in included)


def _pattern(word: str) -> Pattern:
    exclude, rest = word.startswith("!"), word.removeprefix("!")
    parts = rest.split(":")
    if len(parts) != 3 or not parts[1] or not parts[2]:  # noqa: PLR2004 the sentence has them
        rule = "write group:kind:name or group:kind:namespace/name, the group empty for core, `*` for any, `!` in front to leave out"
        raise errors.Invalid({"resource": f"{word!r} names no object; {rule}"})
    group, kind, name = parts
    namespace, slash, last = name.rpartition("/")
    return Pattern(group, kind, namespace if slash else None, last or "*", exclude)


def _matches(pattern: Pattern, key: objects.ObjectKey) -> bool:
    return (
        fnmatch.fnmatchcase(key.kind, pattern.kind)
        and fnmatch.fnmatchcase(key.group, pattern.group)
        and fnmatch.fnmatchcase(key.name, pattern.name)
        and (pattern.namespace is None or fnmatch.fnmatchcase(key.namespace, pattern.namespace))
    )


def _labels(manifest: objects.Manifest) -> dict[str, str]:
    found: dict[str, str] = manifest.body["metadata"].get("labels") or {}
    return found
