"""An agent's first contact: a one-time token against two public keys, with proof that it holds the signing key."""

import hashlib

from plane.domain import access, errors
from plane.server import context, record
from plane.store import agents, duties, engine, wake
from plane.wire import agent, signing


class JoinRefused(errors.Unauthenticated):
    """The join token is unknown, used or out of date; the three look the same from outside except where that helps nobody to guess."""

    code = "join-refused"

    def __init__(self) -> None:
        errors.PlaneError.__init__(self, "the join token is unknown, used already, or older than 15 minutes; get a new one with `plane cluster join NAME`")


def enrol(plane: context.Plane, body: agent.Enrol) -> agent.Enrolled:
    """Make the caller the cluster's agent; the agent before it is revoked in the same moment. A token used twice is refused and recorded."""
    if not signing.proves(body):
        raise JoinRefused
    now, agent_id = plane.clock.now(), plane.clock.id()
    scope = access.Scope(access.PLATFORM_TENANT, access.Actor(id=agent_id, name="agent", kind="agent"))
    with engine.begin(plane.engine, scope) as tx:
        token = agents.take_join_token(tx, hashlib.sha256(body.join_token.encode()).digest(), now)
        refused = token is None or token.used_at is not None or token.expires_at < now
        if token and not refused:
            fields = {
                "signing_key": body.signing_key,
                "sealing_key": body.sealing_key,
                "sealing_key_id": hashlib.sha256(body.sealing_key).hexdigest()[:16],
                "agent_version": body.agent_version,
                "installation": body.installation,
            }
            agents.enrol(tx, token.cluster_id, agent_id=agent_id, now=now, fields=fields)
        if token:
            outcome = "denied" if refused else "success"
            facts = {"target": f"cluster/{token.cluster}", "cluster": token.cluster, "outcome": outcome, "details": {"agent": agent_id}}
            record.append(plane, tx, scope, "agent.enrolled" if not refused else "agent.enrol.refused", **facts)
        tenants = agents.granted_tenants(tx, token.cluster_id) if token and not refused else ()
    if token is None or refused:
        raise JoinRefused
    for tenant in tenants:
        _wake(plane, tenant, token.cluster_id)
    return agent.Enrolled(agent_id=agent_id, cluster_id=token.cluster_id, cluster=token.cluster, plane_id=plane.plane_id, task_key=plane.signer.public_key())


def _wake(plane: context.Plane, tenant: str, cluster_id: str) -> None:
    """What waited for the cluster is looked at again, and secrets are sealed to the new key."""
    with engine.begin(plane.engine, access.Scope(tenant, access.SYSTEM)) as tx:
        duties.all_of_cluster(tx, tenant, cluster_id, plane.clock.now())
        wake.notify(tx, "plane_due")
