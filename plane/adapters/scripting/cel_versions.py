"""Semantic versions in Kubernetes' CEL.

Source: k8s.io/apiserver/pkg/cel/library/semverlib.go, Kubernetes 1.36, over blang/semver.
"""

import re
from typing import Any

from plane.adapters.scripting import cel_types
from plane.adapters.scripting.cel_types import BOOL, INT, MAP, TEXT, Function, Value

KIND = "kubernetes.semver"
_NUMBER = r"(?:0|[1-9][0-9]*)"
_VERSION = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_NUMBER}|[0-9A-Za-z-]*[A-Za-z-][0-9A-Za-z-]*)"
    rf"((?:\.(?:{_NUMBER}|[0-9A-Za-z-]*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_SHORT = 3  # parts of a whole version


def functions() -> tuple[Function, ...]:
    """All of the library but what it compares with, which quantities share."""
    return (
        Function("semver", MAP, [TEXT], _semver),
        Function("semver", MAP, [TEXT, BOOL], lambda text, loose: _semver(_filled(text) if loose else text)),
        Function("isSemver", BOOL, [TEXT], lambda text: bool(_VERSION.fullmatch(text))),
        Function("isSemver", BOOL, [TEXT, BOOL], lambda text, loose: bool(_VERSION.fullmatch(_filled(text) if loose else text))),
        Function("major", INT, [MAP], lambda one: order(one)[0], member=True),
        Function("minor", INT, [MAP], lambda one: order(one)[1], member=True),
        Function("patch", INT, [MAP], lambda one: order(one)[2], member=True),
    )


def order(value: Value) -> tuple[Any, ...]:
    """What a version is sorted by: its numbers; then, before the version itself, its pre-releases."""
    numbers, _, before = cel_types.content(value, KIND).partition("-")
    parts = tuple((0, int(one), "") if one.isdecimal() else (1, 0, one) for one in before.split("."))
    return (*map(int, numbers.split(".")), not before, parts)


def _semver(text: str) -> Value:
    """Without what says how it was built, which nothing compares."""
    if not _VERSION.fullmatch(text):
        message = f"{text!r} is no semantic version"
        raise ValueError(message)
    return {KIND: text.partition("+")[0]}


def _filled(text: str) -> str:
    """Without the v before it and zeros before numbers, and with numbers that were left out; no version at all stays none."""
    parts = [re.sub(r"^0+(?=[0-9])", "", one) for one in text.removeprefix("v").split(".", _SHORT - 1)]
    if len(parts) < _SHORT and re.search("[+-]", parts[-1]):
        return ""
    return ".".join([*parts, *["0"] * (_SHORT - len(parts))])
