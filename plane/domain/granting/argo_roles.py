"""What the roles of an Argo CD AppProject add to the policy: their lines, `get` on the project itself, and a link for every group."""

from collections.abc import Mapping
from typing import Any

from plane.domain import errors
from plane.domain.granting import argo_policy


def policy(project: str, spec: Mapping[str, Any], *, where: str) -> argo_policy.Policy:
    """`spec` as YAML gives it; `where` the document stands.

    A project with a line that cannot be read adds nothing at all, as in Argo CD.
    """
    found = argo_policy.Policy()
    for n, role in enumerate(_mappings(spec.get("roles"))):
        name = f"proj:{project}:{role.get('name', '')}"
        place = f"{where}: spec.roles[{n}]"
        get = argo_policy.Rule(name, "projects", "get", project, "allow", place)
        links = tuple(argo_policy.Link(group, name, place) for group in _texts(role.get("groups")))
        try:
            lines = argo_policy.read("\n".join(_texts(role.get("policies"))), file=f"{place}.policies")
        except errors.Invalid:
            return argo_policy.Policy()
        found = found.plus(argo_policy.Policy((get,), links)).plus(lines)
    return found


def _mappings(value: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 any JSON data
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:  # noqa: ANN401 any JSON data
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
