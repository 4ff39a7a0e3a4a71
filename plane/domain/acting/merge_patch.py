"""JSON merge patches, RFC 7386."""

from typing import Any

Body = dict[str, Any]


def apply(body: Any, patch: Any) -> Any:  # noqa: ANN401 any JSON data
    """The object after the patch; neither is changed in place."""
    if not isinstance(patch, dict):
        return patch
    made = dict(body) if isinstance(body, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = apply(made.get(name), value)
    return made


def between(before: Body, after: Body) -> Body:
    """The smallest patch that makes one object of the other; fields that are null count as absent."""
    patch: Body = {name: None for name, value in before.items() if value is not None and after.get(name) is None}
    for name, value in after.items():
        old = before.get(name)
        if value is None or (value == old and type(value) is type(old)):
            continue
        if isinstance(value, dict) and isinstance(old, dict):
            if below := between(old, value):
                patch[name] = below
        else:
            patch[name] = _bare(value)
    return patch


def effective(patch: Body, body: Body) -> Body:
    """The part of a patch that changes an object."""
    kept = {}
    for name, value in patch.items():
        old = body.get(name)
        if isinstance(value, dict):
            if below := effective(value, old if isinstance(old, dict) else {}):
                kept[name] = below
        elif value != old or type(value) is not type(old):
            kept[name] = value
    return kept


def pointers(patch: Body, at: str = "") -> tuple[str, ...]:
    """JSON pointers of what a patch writes or takes away, sorted."""
    found: list[str] = []
    for name, value in sorted(patch.items()):
        here = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        found += pointers(value, here) if isinstance(value, dict) and value else [here]
    return tuple(found)


def _bare(value: Any) -> Any:  # noqa: ANN401 any JSON data
    """New mappings without nulls, which would delete instead of set."""
    return {name: _bare(below) for name, below in value.items() if below is not None} if isinstance(value, dict) else value
