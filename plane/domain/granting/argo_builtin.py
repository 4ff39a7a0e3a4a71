"""What every Argo CD has before its first line of policy: role:readonly, role:admin, and the user admin.

Source: assets/builtin-policy.csv of Argo CD 3.5.
"""

from plane.domain.granting import argo_policy

READONLY, ADMIN = "role:readonly", "role:admin"
WHERE = "built in"

_READ = {
    "*/*": ("applications", "applicationsets", "logs"),
    "*": ("certificates", "clusters", "repositories", "write-repositories", "projects", "accounts", "gpgkeys"),
}
_CHANGE = {
    "create": ("applicationsets", "certificates", "clusters", "repositories", "write-repositories", "projects", "gpgkeys"),
    "update": ("applicationsets", "certificates", "clusters", "repositories", "write-repositories", "projects", "accounts"),
    "delete": ("applicationsets", "certificates", "clusters", "repositories", "write-repositories", "projects", "gpgkeys"),
}
_APP = ("create", "update", "update/*", "delete", "delete/*", "sync", "rollback", "override", "action/*")


def policy() -> argo_policy.Policy:
    """The lines, as if a file held them."""
    reading = [_allow(READONLY, resource, "get", shape) for shape, resources in _READ.items() for resource in resources]
    changing = [_allow(ADMIN, "applications", action, "*/*") for action in _APP]
    changing += [_allow(ADMIN, "applicationsets", "get", "*/*")]
    changing += [
        _allow(ADMIN, resource, action, "*/*" if resource == "applicationsets" else "*")
        for action, resources in _CHANGE.items()
        for resource in resources
    ]
    inside = [_allow(ADMIN, "exec", action, "*/*") for action in ("create", "debug")]
    links = (argo_policy.Link(ADMIN, READONLY, WHERE), argo_policy.Link("admin", ADMIN, WHERE))
    return argo_policy.Policy((*reading, *changing, *inside), links)


def _allow(role: str, resource: str, action: str, shape: str) -> argo_policy.Rule:
    return argo_policy.Rule(role, resource, action, shape, "allow", WHERE)
