"""Who an agent is, and what it gets to do."""

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from plane.domain import access, errors, fleet
from plane.domain.auditing import agent_details
from plane.domain.permitting import certificates
from plane.server import context, record
from plane.store import engine
from plane.store.attending import agents, clusters
from plane.store.delivering import releases, tasks
from plane.wire import agent, bundle, signing

TASK_TTL_S = 3600  # a task that lay longer in an agent is refused by it; the lease brings it back fresh
SEEN_EVERY_S = 15  # how exact "last seen" is; one small write per agent and interval
MAX_TASKS = 256
USED = "the request token was used before or belongs to an older key"


class AgentIdentity(msgspec.Struct, frozen=True):
    """An authenticated agent."""

    id: str
    cluster_id: str
    key_id: str
    generation: int = 1
    trouble: str = ""  # as the plane knows it
    rotates: bool = False
    terms: fleet.Terms = fleet.Terms()
    owner: str = access.PLATFORM_TENANT  # whose cluster it is

    def scope(self, tenant: str) -> access.Scope:
        """The tenant's scope in which the agent's report is taken in."""
        return access.Scope(tenant, access.Actor(id=self.id, name="agent", kind="agent"))

    def home(self) -> access.Scope:
        """The scope of whoever owns the cluster: what becomes of the agent itself is theirs to know."""
        return self.scope(self.owner)


class Quarantined(errors.Unauthenticated):
    """Two agents use one identity: neither is given anything, and neither is believed."""

    code = "agent-quarantined"


class Replays:
    """Request tokens seen in this process; a token lives a minute, so a few thousand suffice. The database knows those of all processes."""

    def __init__(self, size: int = 20_000) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self._size = size

    def first(self, jti: str) -> bool:
        """Whether this is the first time."""
        with self._lock:
            if jti in self._seen:
                return False
            self._seen[jti] = None
            if len(self._seen) > self._size:
                self._seen.popitem(last=False)
            return True

    def forget(self) -> None:
        """As a process that has just begun."""
        with self._lock:
            self._seen.clear()


REPLAYS = Replays()


def authenticate(
    plane: context.Plane, token: str, request: signing.Request, *, peer: certificates.Peer = certificates.NOBODY
) -> AgentIdentity:
    """The agent behind a request token; `peer`: what the connection proved of it.

    Raises:
        Unauthenticated: unknown, revoked, replayed, out of date, or made for another request. Revocation holds at the next request.
    """
    now = plane.clock.now()
    with engine.dispatch(plane.engine) as tx:
        known = _known(tx, signing.peek(token))
    check_peer(known.certificate, peer)
    claims = signing.verify(token, known.signing_key, request, plane_id=plane.plane_id, now=now.timestamp())
    if claims.gen != known.generation or not REPLAYS.first(f"{known.id}/{claims.jti}"):
        raise signing.TokenRefused(USED)
    with engine.dispatch(plane.engine) as tx:
        until = dt.datetime.fromtimestamp(claims.exp + signing.SKEW_S, dt.UTC)
        if not agents.first_use(tx, known.id, claims.jti, until=until):
            raise signing.TokenRefused(USED)
        if known.last_seen is None or (now - known.last_seen).total_seconds() > SEEN_EVERY_S:
            agents.seen(tx, known.id, now)
    if known.quarantine:
        raise Quarantined(known.quarantine)
    return AgentIdentity(known.id, known.cluster_id, known.key_id, known.generation, known.trouble, known.rotates, known.terms, known.owner)


def check_peer(wanted: str, peer: certificates.Peer) -> None:
    """TokenRefused: it is no word about the agent's keys, which may come again over another connection."""
    if why := certificates.refusal(wanted, peer):
        raise signing.TokenRefused(why)


def claim(plane: context.Plane, identity: AgentIdentity, body: agent.Claim, limit: int) -> agent.Claimed:
    """Lease tasks to the agent and renew what it runs; empty when there is nothing (the caller waits and asks again)."""
    now = plane.clock.now()
    _meet(plane, identity, body)
    with engine.dispatch(plane.engine) as tx:
        _known(tx, identity.id)  # the caller listens by now: what was revoked since the request came told nobody
        if body.trouble[:1000] != identity.trouble:
            agents.troubled(tx, identity.id, body.trouble)
        mine = tasks.extend(tx, identity.id, body.running, now) if body.running else frozenset()
        found = tasks.claim(
            tx, cluster_id=identity.cluster_id, agent_id=identity.id, running=body.running, now=now, limit=min(limit, MAX_TASKS)
        )
        if found:
            agents.lagged(tx, identity.id, max(0, int(1000 * max((now - one.queued).total_seconds() for one in found))))
    by_tenant: dict[str, list[str]] = {}
    for one in found:
        by_tenant.setdefault(one.tenant, []).append(one.id)
    signed = [task for tenant, ids in by_tenant.items() for task in _signed(plane, identity, tenant, ids, held=frozenset(body.holds))]
    return agent.Claimed(
        tasks=tuple(signed), lost=tuple(sorted(frozenset(body.running) - mine)), lease_s=tasks.LEASE_S, rotate=identity.rotates
    )


def _meet(plane: context.Plane, identity: AgentIdentity, body: agent.Claim) -> None:
    """Remember which term of office claims; Quarantined when there are two."""
    said = fleet.Terms(body.installation, body.term)
    if why := identity.terms.twin(said):
        scope = identity.home()
        with engine.begin(plane.engine, scope) as tx:
            name = agents.cluster_name(tx, identity.cluster_id)
            sentence = f"{why}; both are shut out until the cluster joins anew with `plane cluster join {name}`"
            agents.quarantine(tx, identity.id, sentence)
            both = agent_details.Twins(agent=identity.id, terms=(identity.terms.term, said.term))
            record.append(plane, tx, scope, "agent.quarantined", target=f"cluster/{name}", cluster=name, message=sentence, details=both)
        raise Quarantined(sentence)
    if said.term and said.term != identity.terms.term:
        with engine.dispatch(plane.engine) as tx:
            agents.begun(tx, identity.id, identity.terms.next(said))


def _known(tx: engine.Tx, agent_id: str) -> agents.Identity:
    """Unauthenticated when it is unknown or revoked."""
    known = agents.identity(tx, agent_id)
    if known is None or known.revoked:
        raise errors.Unauthenticated("this agent is unknown or was revoked", remedy="join its cluster again with `plane cluster join`")
    return known


def word(plane: context.Plane, identity: AgentIdentity) -> agent.Claimed:
    """What to say to an agent that is waiting when word comes about itself; a revoked one is refused when it asks next."""
    with engine.dispatch(plane.engine) as tx:
        known = agents.identity(tx, identity.id)
    return agent.Claimed(rotate=bool(known and known.rotates and not known.revoked))


def bundle_of(plane: context.Plane, identity: AgentIdentity, digest: str) -> agent.ReleaseBundle:
    """A release that one of the cluster's tasks is about; NotFound otherwise."""
    with engine.dispatch(plane.engine) as tx:
        tenants = agents.granted_tenants(tx, identity.cluster_id)
    for tenant in tenants:
        with engine.begin(plane.engine, identity.scope(tenant)) as tx:
            apps = tasks.apps_given(tx, tenant, identity.cluster_id, digest)
            found = releases.bundles(tx, tenant, [(app, digest) for app in apps], identity.key_id)
        if found:
            return next(iter(found.values()))
    raise errors.NotFound("release", digest)


def _signed(
    plane: context.Plane, identity: AgentIdentity, tenant: str, ids: Sequence[str], *, held: frozenset[str]
) -> list[agent.SignedTask]:
    with engine.begin(plane.engine, identity.scope(tenant)) as tx:
        bodies = tasks.bodies(tx, tenant, ids)
        wanted = [(body.app_id, body.digest) for body in bodies if body.digest]
        found = releases.bundles(tx, tenant, wanted, identity.key_id) if wanted else {}
        grant = clusters.granted(tx, tenant, identity.cluster_id)
    expires = int(plane.clock.now().timestamp()) + TASK_TTL_S
    tasks_ = [(msgspec.structs.replace(_scoped(body, grant), expires=expires), found.get((body.app_id, body.digest))) for body in bodies]
    return [_sign(plane, task, release, held=held) for task, release in tasks_]


def _scoped(body: tasks.Body, grant: fleet.Grant) -> agent.Task:
    """The task within what is granted now: a grant may have gone, or become narrower, while it lay there."""
    task = msgspec.msgpack.decode(body.payload, type=agent.Task)
    scope = msgspec.structs.replace(task.scope, namespaces=grant.namespaces, cluster_kinds=grant.cluster_kinds)
    return msgspec.structs.replace(task, scope=scope)


def _sign(plane: context.Plane, task: agent.Task, release: agent.ReleaseBundle | None, *, held: frozenset[str]) -> agent.SignedTask:
    payload = agent.encode(msgspec.structs.replace(task, sealed_digest=bundle.sealed_digest(release.sealed) if release else ""))
    known = release is not None and release.digest in held and not release.sealed
    return agent.SignedTask(payload=payload, signature=plane.signer.sign(signing.TASK_CONTEXT, payload), bundle=None if known else release)
