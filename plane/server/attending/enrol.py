"""An agent's first contact: a one-time token against two public keys, with proof that it holds the signing key."""

import hashlib

from plane.domain import access, errors
from plane.domain.auditing import agent_details
from plane.domain.permitting import certificates
from plane.server import claim, context, entry, record
from plane.store import engine, wake
from plane.store.attending import agents
from plane.store.delivering import duties
from plane.wire import agent, signing


class JoinRefused(errors.Unauthenticated):
    """The join token is unknown, used or out of date; the three look the same from outside except where that helps nobody to guess."""

    code = "join-refused"

    def __init__(self) -> None:
        errors.PlaneError.__init__(
            self, "the join token is unknown, used already, or older than 15 minutes; get a new one with `plane cluster join NAME`"
        )


def enrol(
    plane: context.Plane, body: agent.Enrol, *, peer: certificates.Peer = certificates.NOBODY, origin: entry.Origin = entry.NOWHERE
) -> agent.Enrolled:
    """Make the caller the cluster's agent; the agent before it is revoked in the same moment.

    The same token with the same keys gives the same answer again, for an agent that never heard the first one; with other keys
    it is refused.
    """
    if not signing.proves(body):
        raise JoinRefused
    now, agent_id = plane.clock.now(), plane.clock.id()
    hashed = hashlib.sha256(body.join_token.encode()).digest()
    who = access.Actor(id=agent_id, name="agent", kind="agent", ip=origin.ip, user_agent=origin.user_agent)
    scope = access.Scope(_owner(plane, hashed), who, origin.request)
    with engine.begin(plane.engine, scope) as tx:
        token = agents.take_join_token(tx, hashed, now)
        claim.check_peer(token.certificate if token else "", peer)  # before the token counts as used
        again = agents.active(tx, token.cluster_id, body.signing_key) if token and token.used_at else ""
        fresh = token is not None and token.used_at is None and now <= token.expires_at
        if token and fresh:
            agents.enrol(tx, token.cluster_id, agent_id=agent_id, now=now, fields=_fields(body))
        if token and not again:
            _record(plane, tx, scope, token.cluster, accepted=fresh)
        tenants = agents.granted_tenants(tx, token.cluster_id) if token and fresh else ()
    if token is None or not (fresh or again):
        raise JoinRefused
    for tenant in tenants:
        _wake(plane, tenant, token.cluster_id)
    return agent.Enrolled(
        agent_id=again or agent_id,
        cluster_id=token.cluster_id,
        cluster=token.cluster,
        plane_id=plane.plane_id,
        task_key=plane.signer.public_key(),
    )


def rotate(plane: context.Plane, who: claim.AgentIdentity, body: agent.Rotate) -> agent.Enrolled:
    """Put the agent's next keys in place of those it signed this request with; secrets are sealed to the new one from now on.

    The same keys again get the same answer. Conflict when other keys came between.
    """
    if not signing.continues(body, who.id):
        raise errors.Invalid({"proof": "does not hold: the new signing key must sign agent id and both keys"})
    scope = who.home()
    keys: dict[str, object] = {
        "signing_key": body.signing_key,
        "sealing_key": body.sealing_key,
        "sealing_key_id": _key_id(body.sealing_key),
    }
    with engine.begin(plane.engine, scope) as tx:
        generation = agents.rotate(tx, who.id, who.generation, keys)
        name = agents.cluster_name(tx, who.cluster_id)
        if generation > who.generation:
            fresh = agent_details.AgentKeys(agent=who.id, generation=generation, sealing_key_id=_key_id(body.sealing_key))
            record.append(plane, tx, scope, "agent.keys.rotated", target=f"cluster/{name}", cluster=name, details=fresh)
        tenants = agents.granted_tenants(tx, who.cluster_id) if generation > who.generation else ()
    if not generation:
        message = f"the keys of the agent of cluster {name} were exchanged meanwhile; ask again with those"
        raise errors.Conflict(message)
    for tenant in tenants:
        _wake(plane, tenant, who.cluster_id)
    return agent.Enrolled(
        agent_id=who.id,
        cluster_id=who.cluster_id,
        cluster=name,
        plane_id=plane.plane_id,
        task_key=plane.signer.public_key(),
        generation=generation,
    )


def _owner(plane: context.Plane, hashed: bytes) -> str:
    with engine.begin(plane.engine, access.Scope(access.PLATFORM_TENANT, access.SYSTEM)) as tx:
        return agents.owner(tx, hashed)


def _key_id(sealing_key: bytes) -> str:
    return hashlib.sha256(sealing_key).hexdigest()[:16]


def _fields(body: agent.Enrol) -> dict[str, object]:
    return {
        "signing_key": body.signing_key,
        "sealing_key": body.sealing_key,
        "sealing_key_id": _key_id(body.sealing_key),
        "agent_version": body.agent_version,
        "installation": body.installation,
    }


def _record(plane: context.Plane, tx: engine.Tx, scope: access.Scope, cluster: str, *, accepted: bool) -> None:
    kind = "agent.enrolled" if accepted else "agent.enrol.refused"
    about = record.Facts(target=f"cluster/{cluster}", cluster=cluster, outcome="success" if accepted else "denied")
    record.append(plane, tx, scope, kind, details=agent_details.AgentKeys(agent=scope.actor.id), **about)


def _wake(plane: context.Plane, tenant: str, cluster_id: str) -> None:
    """What waited for the cluster is looked at again, and secrets are sealed to the new key."""
    with engine.begin(plane.engine, access.Scope(tenant, access.SYSTEM)) as tx:
        duties.all_of_cluster(tx, tenant, cluster_id, plane.clock.now())
        wake.notify(tx, "plane_due")
