"""Annotations that steer the plane, under our prefix and Argo CD's; ours wins."""

from collections.abc import Iterator, Mapping
from typing import Any

from plane.domain import errors, objects

OURS = "gitops-plane.io/"
ARGO = "argocd.argoproj.io/"
PREFIXES = (OURS, ARGO)


class BadAnnotation(errors.PlaneError):
    """An annotation that decides what is done holds a word that means nothing."""

    code = "annotation-invalid"
    fields = ("where",)

    def __init__(self, manifest: objects.Manifest, name: str, rule: str) -> None:
        self.where = str(manifest.position or "")
        super().__init__(f"{f'{self.where}: ' if self.where else ''}{name} of {manifest.key} {rule}")


def of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object's annotations, empty when it has none."""
    meta = body.get("metadata")
    return (meta.get("annotations") or {}) if isinstance(meta, dict) else {}


def find(annotations: Mapping[str, Any], name: str) -> tuple[str, str]:
    """The full name and the text of the annotation that counts; both empty when there is none."""
    for prefix in PREFIXES:
        value = annotations.get(prefix + name)
        if value is not None:
            return prefix + name, str(value)
    return "", ""


def words(text: str) -> list[str]:
    """A comma list without blanks."""
    return [word.strip() for word in text.split(",") if word.strip()]


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """A comma list of `Name=value`; a word without `=` has the value ''."""
    for word in words(text):
        name, _, value = word.partition("=")
        yield name.strip(), value.strip()
