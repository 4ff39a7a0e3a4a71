"""Users, roles given to them, and to whom: as people write them."""

import datetime as dt
from typing import Annotated, Literal

import msgspec

from plane.domain.granting import conditions, roles

MAX_SUBJECTS = 500  # of one binding; more people than that share a role through several
SubjectKind = Literal["User", "Group", "ServiceAccount"]


class UserSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A person, or a service for machines. `disabled`: shut out, with all tokens, until enabled again.

    `groups`: those of the identity provider that the user is in; roles that bindings give to them are the user's.
    """

    type: Literal["user", "service"] = "user"
    disabled: bool = False
    description: str = ""
    groups: Annotated[tuple[str, ...], msgspec.Meta(max_length=200)] = ()


class Subject(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Who gets the role. A Group goes by the identity provider's name for it; a User may be a service as well, a ServiceAccount is one.

    `platform`: one of the platform's own people or groups, who may hold roles in tenants.
    """

    name: str
    kind: SubjectKind = "User"
    platform: bool = False


class RoleBindingSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A role over the tenant, over one project or one of its apps, for all subjects; without a tenant, over everything.

    It may be limited to apps on clusters with all these labels, to a time (`until`, RFC 3339), to callers from networks (CIDR), and to
    those who logged in no longer ago than some minutes. `break_glass`: nobody holds it until they take it, with a reason, for hours.
    """

    role: str
    project: str = ""
    app: str = ""
    subjects: Annotated[tuple[Subject, ...], msgspec.Meta(max_length=MAX_SUBJECTS)] = ()
    cluster_labels: dict[str, str] = {}
    until: str = ""
    networks: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()
    fresh_login_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    break_glass: bool = False


def terms(spec: RoleBindingSpec) -> conditions.Terms:
    """What the binding hangs on; its fields were checked before."""
    until = moment(spec.until) if spec.until else None
    labels = tuple(sorted(spec.cluster_labels.items()))
    return conditions.Terms(labels, until, spec.networks, spec.fresh_login_minutes * 60)


def check(spec: RoleBindingSpec) -> dict[str, str]:
    """Broken rules by path, as far as the document alone tells."""
    problems = {f"networks[{n}]": rule for n, one in enumerate(spec.networks) if (rule := conditions.network_problem(one))}
    if spec.app and not spec.project:
        problems["project"] = "must name the project of spec.app"
    if spec.until and moment(spec.until) is None:
        problems["until"] = "must be a time as 2030-01-31T18:00:00Z, with its zone"
    for n, subject in enumerate(spec.subjects):
        if not subject.name.strip() or not subject.name.isprintable():
            problems[f"subjects[{n}].name"] = "must be a name, without control characters"
        elif spec.break_glass and subject.kind == "ServiceAccount":
            problems[f"subjects[{n}].kind"] = "a break-glass role is taken by people; name a User or a Group"
        elif subject in spec.subjects[:n]:
            problems[f"subjects[{n}].name"] = f"{subject.name} is in this list already; keep one"
    return problems


def moment(text: str) -> dt.datetime | None:
    """A time with its zone, in UTC; None when it is none."""
    try:
        found = dt.datetime.fromisoformat(text)
        return found.astimezone(dt.UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def misplaced(role: str, *, in_tenant: bool) -> str:
    """Why a role cannot be given there, or the empty string: the platform's roles, and no others, belong to the platform."""
    if in_tenant != (role in roles.OF_PLATFORM):
        return ""
    where = "the platform's own people" if in_tenant else "people of a tenant"
    return f"{role} is given to {where} only"
