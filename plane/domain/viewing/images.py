"""Which container images an object runs, wherever in it a pod is described."""

from collections.abc import Iterator
from typing import Any

CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})


def images(body: Any) -> Iterator[str]:  # noqa: ANN401 - plain JSON
    """Of plain JSON, in its order; an image that runs twice comes twice."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name in CONTAINERS and isinstance(value, list):
                yield from (str(one["image"]) for one in value if isinstance(one, dict) and one.get("image"))
            else:
                yield from images(value)
    elif isinstance(body, list):
        for value in body:
            yield from images(value)
