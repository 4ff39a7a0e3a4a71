"""The REST bodies about people: who they are, what they hold, what they log in with."""

from typing import Annotated, Literal

import msgspec

from plane.wire import documents, rest


class NewPerson(rest.Body, frozen=True, kw_only=True):
    """A user, or a service for machines."""

    name: documents.Name
    kind: Literal["user", "service"] = "user"


class NewRole(rest.Body, frozen=True, kw_only=True):
    """A role over the tenant, or over one of its projects."""

    role: str
    project: str = ""


class GivenRole(rest.Answer, frozen=True, kw_only=True):
    """A role over the tenant, or over one of its projects. `binding`: the RoleBinding that gives it; empty: given by hand."""

    role: str
    project: str = ""
    binding: str = ""


class Person(rest.Answer, frozen=True, kw_only=True):
    """Somebody who may ask."""

    id: str
    name: str
    kind: str
    disabled: bool
    created_at: str
    roles: tuple[GivenRole, ...]


Days = Annotated[int, msgspec.Meta(ge=1, le=365)]


class NewToken(rest.Body, frozen=True, kw_only=True):
    """A token's name and how long it holds.

    `scopes`: permissions, some with `*`, that it is narrowed to; none: all that its owner holds.
    `networks`: CIDRs that it is good from; none: those of the caller's own token.
    """

    name: documents.Name
    days: Days = 90
    scopes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


class Rotate(rest.Body, frozen=True, kw_only=True):
    """How long the new token holds, and for how many hours the old one still does."""

    days: Days = 90
    overlap_hours: Annotated[int, msgspec.Meta(ge=0, le=168)] = 24


class Token(rest.Answer, frozen=True, kw_only=True):
    """A token without its secret; `prefix` is how it begins, `usedAt` when it was last used, to within a minute."""

    id: str
    name: str
    prefix: str
    created_at: str
    expires_at: str
    revoked_at: str = ""
    used_at: str = ""
    scopes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


class IssuedToken(rest.Answer, frozen=True, kw_only=True):
    """`token` is shown this once."""

    id: str
    name: str
    token: str
    expires_at: str


class Me(rest.Answer, frozen=True, kw_only=True):
    """The caller, with the roles of this moment."""

    id: str
    name: str
    kind: str
    roles: tuple["HeldRole", ...]


class HeldRole(rest.Answer, frozen=True, kw_only=True, omit_defaults=True):
    """A role and where it holds; no tenant: everywhere."""

    role: str
    tenant: str = ""
    project: str = ""
