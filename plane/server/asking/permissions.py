"""Who may do what, and why: asked for oneself by anybody, for others by whoever may read the tenant's people."""

from collections.abc import Iterable

import msgspec

from plane.domain import access, errors, weighing
from plane.domain.granting import wishes
from plane.server import authorise, context
from plane.store import engine
from plane.store.people import holding, people, reached
from plane.wire import granting

MOST = 1000  # answers to who-can
GET = "access:get"


class _Question(msgspec.Struct, frozen=True):
    """A wish, with the place it is about as ids and as words."""

    asked: weighing.Asked
    where: str


def can_i(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: granting.WishOf) -> granting.Explained:
    """Whether the caller, or who is named, may; with all that was weighed."""
    question = _question(plane, caller, names, query)
    who, principal = caller.actor.name, caller.actor.id
    if query.who:
        who, principal = query.who, _other(plane, caller, names, query.who)
        asked = msgspec.structs.replace(question.asked, address="", login=None)  # from where and how they will come, nobody knows
        question = msgspec.structs.replace(question, asked=asked)
    with engine.dispatch(plane.engine) as tx:
        found = holding.everything(tx, principal, home=holding.home(tx, principal))
        known = people.named(tx, [each.grant for each in found])
    scopes = frozenset() if query.who else next((grant.scopes for grant in caller.actor.grants), frozenset())
    weighed = weighing.weigh((_held(each, *known, scopes=scopes) for each in found), question.asked)
    permission = question.asked.permission
    allowed, because = weighing.conclude(weighed, who=who, permission=permission, where=question.where)
    return granting.Explained(allowed=allowed, because=because, permission=permission, weighed=weighed)


def who_can(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: granting.Wish) -> tuple[granting.Able, ...]:
    """Who in the tenant may, or may once something holds that its binding asks for."""
    question = _question(plane, caller, names, query)
    with authorise.enter(plane, caller, authorise.Names(names.tenant), GET) as place:
        tenant = place.scope.tenant
    with engine.dispatch(plane.engine) as tx:
        found = holding.holders(tx, tenant)
        known = people.named(tx, [each.held.grant for each in found])
    asked = msgspec.structs.replace(question.asked, address="", login=None)
    able = (_able(each, _held(each.held, *known), asked) for each in found)
    return tuple(one for one in able if one)[:MOST]


def _able(holder: holding.Holder, held: weighing.Held, asked: weighing.Asked) -> granting.Able | None:
    (weighed,) = weighing.weigh([held], asked)
    if weighed.verdict in ("lacks", "elsewhere"):
        return None
    kind = {"group": "Group", "service": "ServiceAccount"}.get(holder.kind, "User")
    return granting.Able(
        kind=kind,  # type: ignore[arg-type]  # one of the three
        name=holder.name,
        role=held.grant.role,
        because=weighed.because,
        now=weighed.verdict == "allows",
    )


def _question(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: granting.Wish) -> _Question:
    permission = wishes.permission(query.verb, query.resource)
    place = authorise.Names(names.tenant, query.project, query.app, query.app)
    if query.app and not query.project:
        raise errors.Invalid({"project": "must name the project of the app"})
    tenant, project = authorise.locate(plane, caller.actor, place)
    target = access.Target(tenant, project)
    if query.app:
        target = _app(plane, caller, target, query.app)
    where = "/".join(part for part in (names.tenant, query.project, query.app) if part) or "the platform"
    now = plane.clock.now()
    return _Question(weighing.Asked(permission, target, now, caller.actor.ip, caller.actor.login), where)


def _app(plane: context.Plane, caller: authorise.Caller, target: access.Target, name: str) -> access.Target:
    """The app, if the caller may know of it; NotFound."""
    with engine.begin(plane.engine, access.Scope(target.tenant, caller.actor, caller.request)) as tx:
        found = reached.placed(tx, target.tenant, target.project, name)
    there = access.Target(target.tenant, target.project, found.id, found.labels) if found else None
    if there is None or not access.allows(caller.actor, authorise.SEE, there):
        raise errors.NotFound("app", name)
    return there


def _other(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, who: str) -> str:
    with authorise.enter(plane, caller, authorise.Names(names.tenant), GET) as place:
        found = people.find(place.tx, place.scope.tenant, who)
    if not found:
        raise errors.NotFound("user", who)
    return found


def _held(one: holding.Held, tenants: dict[str, str], projects: dict[str, str], *, scopes: frozenset[str] = frozenset()) -> weighing.Held:
    """In names, as a token with these scopes wields it; an app's own name is in its binding."""
    grant = msgspec.structs.replace(one.grant, scopes=scopes)
    parts = (tenants.get(grant.tenant, grant.tenant), projects.get(grant.project, grant.project), "one app" if grant.app else "")
    source = f"rolebinding {one.binding}" if one.binding else "a grant by hand"
    return weighing.Held(grant, source, _joined(parts) or "everything", one.group, one.glass, one.taken)


def _joined(parts: Iterable[str]) -> str:
    return "/".join(part for part in parts if part)
