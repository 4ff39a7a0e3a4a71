"""Users, roles and bindings in files, as `plane try access` weighs them: names stand where the plane has ids."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from plane.cli.trying import trial_documents
from plane.domain import access, errors, weighing
from plane.domain.granting import bindings, roles
from plane.domain.reading import documents as texts
from plane.wire import documents

KINDS: tuple[type[documents.Document], ...] = (
    documents.User,
    documents.Role,
    documents.RoleBinding,
    documents.App,
    documents.Cluster,
    documents.Tenant,
    documents.Project,
)
PLATFORM = ("", "-", "platform")


class Asker(msgspec.Struct, frozen=True):
    """Who asks, with the groups named on the command line, and from where."""

    name: str
    groups: frozenset[str] = frozenset()
    address: str = ""


class Documents:
    """What the files say."""

    def __init__(self, found: Iterable[trial_documents.Found]) -> None:
        everything = [trial_documents.convert(where, body, _kind(where, body)) for where, body in found]
        self._bindings = [one for one in everything if isinstance(one, documents.RoleBinding)]
        self._roles = {(one.metadata.tenant, one.metadata.name): one.spec for one in everything if isinstance(one, documents.Role)}
        self._users = [one for one in everything if isinstance(one, documents.User)]
        self._apps = [one for one in everything if isinstance(one, documents.App)]
        self._clusters = {one.metadata.name: one for one in everything if isinstance(one, documents.Cluster)}
        self.tenants = sorted({one.metadata.tenant for one in everything if one.metadata.tenant})
        self._check()

    def decide(self, asker: Asker, permission: str, place: str) -> tuple[bool, str]:
        """Whether it is allowed, and why."""
        target = self.target(permission, place)
        asked = weighing.Asked(permission, target, dt.datetime.now(dt.UTC), asker.address, dt.datetime.now(dt.UTC))
        if self._disabled(asker.name, target.tenant):
            return False, f"{asker.name} is disabled"
        weighed = weighing.weigh(self._held(asker), asked)
        where = "/".join(part for part in (target.tenant, target.project, target.app) if part) or "the platform"
        return weighing.conclude(weighed, who=asker.name, permission=permission, where=where)

    def target(self, permission: str, place: str) -> access.Target:
        """`TENANT/PROJECT/APP`, or less of it; the tenant may be left out where the files know one only. Invalid otherwise."""
        parts = [] if place in PLATFORM else place.split("/")
        deepest = 3 if permission.split(":", maxsplit=1)[0] in roles.OF_APPS else 2
        if parts and parts[0] not in self.tenants and len(self.tenants) == 1 and len(parts) < 3:  # noqa: PLR2004 - all three parts
            parts = [*self.tenants, *parts]
        if len(parts) > deepest or not all(parts):
            raise errors.Invalid({"OBJECT": f"{place} is no place of {permission}; write TENANT/PROJECT{'/APP' if deepest > 2 else ''}"})  # noqa: PLR2004
        tenant, project, app = (*parts, "", "", "")[:3]
        return access.Target(tenant, project, app, self._labels(tenant, project, app))

    def _labels(self, tenant: str, project: str, app: str) -> dict[str, str] | None:
        for one in self._apps:
            meta = one.metadata
            if meta.name == app and meta.project in ("", project) and meta.tenant in ("", tenant):
                found = self._clusters.get(one.spec.destination.cluster)
                return {**found.metadata.labels, **found.spec.labels} if found else None
        return None

    def _disabled(self, name: str, tenant: str) -> bool:
        return any(one.spec.disabled for one in self._users if one.metadata.name == name and one.metadata.tenant in ("", tenant))

    def _held(self, asker: Asker) -> Iterator[weighing.Held]:
        for one in self._bindings:
            home = one.metadata.tenant
            own = (user.spec.groups for user in self._users if user.metadata.name == asker.name and user.metadata.tenant in ("", home))
            groups = asker.groups | {group for listed in own for group in listed}
            for subject in one.spec.subjects:
                if subject.name == asker.name if subject.kind != "Group" else subject.name in groups:
                    yield self._given(one, subject.name if subject.kind == "Group" else "")

    def _given(self, one: documents.RoleBinding, group: str) -> weighing.Held:
        tenant, spec = one.metadata.tenant, one.spec
        own = self._roles.get((tenant, spec.role))
        permissions = own.permissions if own else ()
        project = spec.project or one.metadata.project
        grant = access.Grant(spec.role, tenant, project, spec.app, permissions, bindings.terms(spec))
        over = "/".join(part for part in (tenant, project, spec.app) if part) or "everything"
        return weighing.Held(grant, f"rolebinding {one.metadata.name}", over, group, spec.break_glass)

    def _check(self) -> None:
        problems: dict[str, str] = {}
        for one in self._bindings:
            name, spec = one.metadata.name, one.spec
            broken = bindings.check(spec)
            if rule := bindings.misplaced(spec.role, in_tenant=bool(one.metadata.tenant)):
                broken["role"] = rule
            elif spec.role not in roles.BUILT_IN and (one.metadata.tenant, spec.role) not in self._roles:
                broken["role"] = f"there is no Role {spec.role!r} in the files, and built in are {', '.join(roles.BUILT_IN)}"
            problems |= {f"RoleBinding {name}: spec.{path}": rule for path, rule in broken.items()}
        for (_, name), role in self._roles.items():
            problems |= {f"Role {name}: spec.{path}": rule for path, rule in roles.check(role).items()}
        if problems:
            raise errors.Invalid(problems)


def _kind(where: Any, body: dict[str, Any]) -> type[documents.Document]:  # noqa: ANN401 a position
    for kind in KINDS:
        if trial_documents.is_(body, documents.API_VERSION, kind.__name__):
            return kind
    raise texts.Unreadable(where, f"is none of {', '.join(kind.__name__ for kind in KINDS)} of gitops-plane.io/v1")
