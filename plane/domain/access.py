"""Who may do what: grants, and the one function that decides. What roles hold is in `granting.roles`."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from plane.domain.granting import conditions, roles

PrincipalKind = Literal["user", "service", "agent", "system"]


class Grant(msgspec.Struct, frozen=True):
    """A role over everything (tenant empty), one tenant (project empty), one project (app empty) or one app; all are ids.

    `permissions`: what a role that is not built in holds. `scopes`: permissions, some with `*`, that the caller's token is narrowed to.
    """

    role: str
    tenant: str = ""
    project: str = ""
    app: str = ""
    permissions: tuple[str, ...] = ()
    terms: conditions.Terms = conditions.ALWAYS
    scopes: frozenset[str] = frozenset()

    @property
    def holds(self) -> frozenset[str]:
        """The role's permissions, some with `*`."""
        return roles.held(self.role, self.permissions)

    def gives(self, permission: str) -> bool:
        """Whether the role holds it, and the token that it is wielded with."""
        return roles.holds(self.holds, permission) and (not self.scopes or roles.holds(self.scopes, permission))


class Actor(msgspec.Struct, frozen=True):
    """Who asks. `id` and `token` are ids; `grants`: those that hold now; `groups`: as the identity provider names them.

    `networks`: where its token is good; empty: everywhere. `login`: when they logged in.
    `on_behalf_of`: of a service, whom its own provider vouched for, or `person/NAME`, who made its token.
    `makers`: ids of the others who had the token in their hands: who made it, and the makers of the one that they did it with.
    """

    id: str
    name: str
    kind: PrincipalKind = "user"
    token: str = ""
    grants: tuple[Grant, ...] = ()
    ip: str = ""
    user_agent: str = ""
    groups: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()
    login: dt.datetime | None = None
    home: str = ""  # id of the tenant whose people they are of
    on_behalf_of: str = ""
    makers: frozenset[str] = frozenset()

    @property
    def hands(self) -> frozenset[str]:
        """All who may be the one that asks."""
        return self.makers | {self.id}


class Target(msgspec.Struct, frozen=True):
    """What is asked about, by ids; a platform object has no tenant. `cluster`: the labels of the app's cluster; None: not known."""

    tenant: str = ""
    project: str = ""
    app: str = ""
    cluster: Mapping[str, str] | None = None


class Scope(msgspec.Struct, frozen=True):
    """One tenant, one actor: the only key to a transaction. Minted where authorisation happens, and by workers for leased rows."""

    tenant: str
    actor: Actor
    request: str = ""


class Part(msgspec.Struct, frozen=True, order=True):
    """A part of a tenant's apps: of one project, one app, on clusters with labels; empty: any."""

    project: str = ""
    app: str = ""
    clusters: conditions.Labels = ()


Reach = frozenset[Part]  # whatever lies in one of the parts
EVERYTHING: Reach = frozenset({Part()})
SYSTEM = Actor(id="00000000-0000-0000-0000-000000000000", name="plane", kind="system")
PLATFORM_TENANT = "00000000-0000-0000-0000-000000000000"  # owns what belongs to no tenant: platform policies, platform audit log


def covers(grant: Grant, target: Target) -> bool:
    """Whether a grant's place contains the target."""
    return (
        grant.tenant in ("", target.tenant)
        and grant.project in ("", target.project)
        and grant.app in ("", target.app)
        and conditions.fits(grant.terms, target.cluster)
    )


def allows(actor: Actor, permission: str, target: Target) -> bool:
    """The only place that decides: some grant covers the target and its role holds the permission."""
    return any(covers(grant, target) and grant.gives(permission) for grant in actor.grants)


def reach(actor: Actor, permission: str, target: Target) -> Reach:
    """Of which apps of a tenant, or of the target's project, an actor holds a permission: `allows` for all of them at once."""
    found = {
        Part("" if target.project else grant.project, grant.app, tuple(sorted(grant.terms.clusters)))
        for grant in actor.grants
        if _meets(grant, target) and grant.gives(permission)
    }
    return EVERYTHING if Part() in found else frozenset(found)


def _meets(grant: Grant, target: Target) -> bool:
    """Whether a grant covers something of the tenant, or of the project."""
    return grant.tenant in ("", target.tenant) and (not target.project or grant.project in ("", target.project))


def action(group: str, kind: str, name: str) -> str:
    """The permission to do an action to objects of a kind; a role may hold it with wildcards, such as `action:apps/*/restart`."""
    return f"action:{group}/{kind}/{name}"


def on_kind(permission: str, group: str, kind: str) -> str:
    """The permission to patch or delete live objects of one kind; a role that holds it for all kinds names none."""
    return f"{permission}/{group}/{kind}"


def lacking(actor: Actor, grant: Grant) -> str:
    """The first permission of the grant that the actor does not hold wherever and whenever it holds, or the empty string.

    Nobody gives more than that.
    """
    wide = [held for held in actor.grants if _contains(held, grant)]
    return next((one for one in sorted(roles.narrowed(grant.holds, grant.scopes)) if not any(held.gives(one) for held in wide)), "")


def _contains(held: Grant, given: Grant) -> bool:
    place = held.tenant in ("", given.tenant) and held.project in ("", given.project) and held.app in ("", given.app)
    return place and conditions.within(given.terms, held.terms)


def sees(actor: Actor, target: Target) -> bool:
    """Whether the actor may know that a tenant or a project exists: any grant there, or below it."""
    return any(_meets(grant, target) for grant in actor.grants)


def narrowed(grants: Iterable[Grant], scopes: frozenset[str]) -> tuple[Grant, ...]:
    """The same as a token with these scopes wields them; no scopes: as they are."""
    return tuple(msgspec.structs.replace(grant, scopes=scopes) for grant in grants) if scopes else tuple(grants)


def now_held(grants: Iterable[Grant], *, now: dt.datetime, address: str, login: dt.datetime | None) -> tuple[Grant, ...]:
    """Those whose terms hold for this caller at this moment."""
    return tuple(grant for grant in grants if not conditions.unmet(grant.terms, now=now, address=address, login=login))
