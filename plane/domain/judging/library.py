"""The rules that come with the plane: what each says about itself, and the profiles that put them in force together."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from plane.domain import errors
from plane.domain.judging import parameters as parameters_of
from plane.domain.judging import policy
from plane.domain.reading import yaml_text

_ID = re.compile(r"^#   id: (\S+)$", re.MULTILINE)
_VERSION = re.compile(r"latest|v1\.(2[5-9]|3[0-6])")
VERSIONS = "latest or v1.25 to v1.36"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's METADATA. `parameters`: name → JSON schema with description and default."""

    id: str
    file: str
    title: str
    description: str
    severity: str
    category: str
    remedy: str
    references: tuple[str, ...] = ()
    parameters: dict[str, dict[str, Any]] = {}


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules under their modes. `extends`: a profile whose rules hold too, unless named here again."""

    description: str
    deny: tuple[str, ...] = ()
    warn: tuple[str, ...] = ()
    audit: tuple[str, ...] = ()
    extends: str = ""
    parameters: dict[str, dict[str, Any]] = {}


def rule(file: str, text: str) -> Rule:
    """What a rule's file says about itself."""
    head = text.partition("\npackage ")[0].removeprefix("# METADATA\n")
    value = yaml_text.parse("\n".join(line.removeprefix("#")[1:] for line in head.splitlines()).encode()).value
    return msgspec.convert({**value, **value["custom"], "file": file}, Rule)


def rules(library: Mapping[str, str]) -> dict[str, Rule]:
    """Rule id → rule, of files with METADATA."""
    found = (rule(file, text) for file, text in sorted(library.items()) if _ID.search(text))
    return {one.id: one for one in found}


def described(files: Mapping[str, str]) -> dict[str, Rule]:
    """As `rules`, of anybody's files: one whose METADATA is none, or lacks what a rule of the plane's says, is left out."""
    found: dict[str, Rule] = {}
    for file, text in sorted(files.items()):
        if _ID.search(text):
            with contextlib.suppress(msgspec.ValidationError, yaml_text.BadText, KeyError, TypeError):
                about = rule(file, text)
                found[about.id] = about
    return found


def profiles(text: str) -> dict[str, Profile]:
    """By name."""
    return msgspec.convert(yaml_text.parse(text.encode()).value, dict[str, Profile])


def binding(
    name: str,
    known: Mapping[str, Profile],
    library: Mapping[str, str],
    *,
    parameters: Mapping[str, dict[str, Any]] = {},
    version: str = "",
) -> policy.Binding:
    """A profile put in force: the files of its rules alone, their modes, its parameters with the given ones laid over.

    Args:
        name: of a profile.
        known: all profiles.
        library: file → text of all rules.
        parameters: by rule id.
        version: of the Pod Security Standards, for the rules that have versions.

    Raises:
        Invalid: an unknown profile, rule or parameter, a value of another type, a version that does not exist.
    """
    if name not in known:
        raise errors.Invalid({"profile": f"there is no profile {name!r}; choose one of {', '.join(sorted(known))}"})
    if version and not _VERSION.fullmatch(version):
        raise errors.Invalid({"pss-version": f"{version!r} is no version of the Pod Security Standards; write {VERSIONS}"})
    line = list(_line(name, known))
    modes = {rule: mode for one in line for mode, several in _modes(one) for rule in several}
    files = {file: text for file, text in library.items() if (found := _ID.search(text)) and found[1] in modes}
    about = rules(files) if version or parameters else {}
    if problems := parameters_of.problems({one.id: one.parameters for one in about.values()}, parameters):
        raise errors.Invalid(problems)
    settings = [one.parameters for one in line] + [_versions(about, version), dict(parameters)]
    merged = {rule: {key: value for one in settings for key, value in one.get(rule, {}).items()} for rule in modes}
    return policy.Binding(policy.policy_files(name, files), "deny", modes, {rule: own for rule, own in merged.items() if own})


def _line(name: str, known: Mapping[str, Profile]) -> Iterator[Profile]:
    """The profile after those it extends."""
    if known[name].extends:
        yield from _line(known[name].extends, known)
    yield known[name]


def _modes(profile: Profile) -> tuple[tuple[policy.Mode, tuple[str, ...]], ...]:
    return (("audit", profile.audit), ("warn", profile.warn), ("deny", profile.deny))


def _versions(about: Mapping[str, Rule], version: str) -> dict[str, dict[str, Any]]:
    return {one.id: {"version": version} for one in about.values() if version and "version" in one.parameters}
