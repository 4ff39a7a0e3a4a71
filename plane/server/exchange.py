"""Machines: what their own provider says of them, and a trust rule that believes it, make a short token of a service's."""

import datetime as dt

import msgspec

from plane.domain import access
from plane.domain.granting import login, workloads
from plane.server import context, entry, providers
from plane.store import engine
from plane.store.people import logins, trusts
from plane.wire import login as shapes


def exchange(plane: context.Plane, body: shapes.Exchange, origin: entry.Origin) -> shapes.LoggedIn:
    """A short token of the service that a rule names, for a machine whose own provider vouches for it."""
    rule, tenant = _find(plane, body.rule)
    claims = entry.asked(rule.name, lambda: plane.identities.verify(rule, body.token, audience=rule.audience, now=plane.clock.now()))
    if failed := next((one for one in workloads.weigh(rule, claims) if not one.holds), None):
        raise entry.refused(rule.name, f"the claim {failed.claim} is {failed.said or 'absent'}, not {failed.wanted}")
    with engine.begin(plane.engine, access.Scope(tenant, access.SYSTEM)) as tx:
        if isinstance(rule, workloads.Declared) and trusts.version(tx, tenant, rule.name.rpartition(".")[2]) != rule.version:
            raise entry.refused(rule.name, "the rule was changed meanwhile")
        who = logins.named(tx, tenant, rule.service, "service")
        if who is None or who.disabled:
            raise entry.refused(rule.name, "the service is not there, or was disabled")
        return entry.issue(plane, tx, _made(rule, tenant, who, str(claims["sub"])), origin)


def _made(rule: login.TrustRule, tenant: str, who: logins.Known, subject: str) -> entry.Made:
    return entry.Made(
        tenant=tenant,
        who=who,
        name=f"rule-{rule.name}"[:63],
        life=dt.timedelta(minutes=rule.minutes),
        kind="service",
        provider=workloads.kept_as(rule.name),
        subject=subject,
        scopes=rule.scopes,
        networks=rule.networks,
        makers=rule.makers if isinstance(rule, workloads.Declared) else frozenset(),
    )


def _find(plane: context.Plane, called: str) -> tuple[login.TrustRule, str]:
    """The rule that jobs call so, and the id of its tenant; Refused, also for one that is turned off."""
    if own := next((one for one in plane.logins.trust if one.name == called), None):
        return own, providers.place_of(plane, own.tenant)
    tenant, _, name = called.rpartition(".")
    place = providers.place_of(plane, tenant) if providers.CALLED.fullmatch(called) else providers.NOBODY
    with engine.begin(plane.engine, access.Scope(place, access.SYSTEM)) as tx:
        row = trusts.load(tx, place, name)
    spec = msgspec.convert(row.spec, workloads.TrustSpec) if row else None
    if row is None or spec is None or not spec.enabled:
        raise entry.refused("", "there is no such rule")
    return workloads.declare(spec, called=called, tenant=tenant, version=row.version, makers=row.makers), place
