"""What the roles of an Argo CD AppProject add to the policy: their lines, `get` on the project itself, and a link for every group."""

from collections.abc import Iterator, Mapping
from typing import Any

from plane.domain import errors
from plane.domain.granting import argo_policy


def policy(project: str, spec: Mapping[str, Any], *, where: str) -> argo_policy.Policy:
    """`spec` as YAML gives it; `where` the document stands.

    A project with a line that cannot be read adds nothing at all, as in Argo CD, which writes all of them into one text.
    """
    found = argo_policy.Policy()
    try:
        for place, lines in _lines(project, spec, where=where):
            found = found.plus(argo_policy.read("\n".join(lines), file=place))
    except errors.Invalid as error:
        return argo_policy.Policy(broken=str(error))
    return found


def _lines(project: str, spec: Mapping[str, Any], *, where: str) -> Iterator[tuple[str, list[str]]]:
    """Place → lines, in Argo CD's order."""
    for n, role in enumerate(_mappings(spec.get("roles"))):
        name, place = f"proj:{project}:{role.get('name', '')}", f"{where}: spec.roles[{n}]"
        yield place, [f"p, {name}, projects, get, {project}, allow"]
        yield f"{place}.policies", _texts(role.get("policies"))
        yield f"{place}.groups", [f"g, {group}, {name}" for group in _texts(role.get("groups"))]


def _mappings(value: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 any JSON data
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:  # noqa: ANN401 any JSON data
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
