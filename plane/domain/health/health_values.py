"""Health as a value, and careful reading of objects that anybody may have written."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

Status = Literal["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"]


class Health(msgspec.Struct, frozen=True):
    """How an object is; `message` is for an operator and may be empty."""

    status: Status
    message: str = ""


HEALTHY = Health("Healthy")


class Malformed(ValueError):
    """A field holds another type than its kind has there."""

    def __init__(self, path: str, wanted: str) -> None:
        super().__init__(f"{path} is not {wanted}")


class Condition(msgspec.Struct, frozen=True):
    """One of `status.conditions`; everything absent is empty."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""

    def why(self) -> str:
        """Reason and message as one text, whichever there are."""
        return ": ".join(part for part in (self.reason, self.message) if part)


def part(body: dict[str, Any], *path: str) -> dict[str, Any]:
    """The mapping at a path; empty when it is absent or null."""
    found: Any = body
    for name in path:
        found = found.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise Malformed(".".join(path), "a mapping")
    return found  # type: ignore[no-any-return]


def number(body: dict[str, Any], name: str) -> int:
    """The integer in a field; 0 when absent."""
    found = body.get(name)
    if found is None:
        return 0
    if type(found) is not int:
        raise Malformed(name, "a whole number")
    return found


def text(body: dict[str, Any], name: str) -> str:
    """The text in a field; empty when absent."""
    found = body.get(name)
    return found if isinstance(found, str) else ""


def entries(body: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The mappings in a list field."""
    found = body.get(name)
    if found is not None and not isinstance(found, list):
        raise Malformed(name, "a list")
    return (entry for entry in found or () if isinstance(entry, dict))


def conditions(status: dict[str, Any]) -> dict[str, Condition]:
    """Conditions by type."""
    found = (
        Condition(text(entry, "type"), str(entry.get("status") or ""), text(entry, "reason"), text(entry, "message"))
        for entry in entries(status, "conditions")
    )
    return {condition.type: condition for condition in found}


def annotation(body: dict[str, Any], name: str) -> str:
    """An annotation's value, with our prefix before Argo CD's."""
    annotations = part(body, "metadata", "annotations")
    return text(annotations, f"gitops-plane.io/{name}") or text(annotations, f"argocd.argoproj.io/{name}")


def observed(body: dict[str, Any]) -> bool:
    """Whether the kind's controller has seen the newest spec."""
    return number(part(body, "metadata"), "generation") <= number(part(body, "status"), "observedGeneration")
