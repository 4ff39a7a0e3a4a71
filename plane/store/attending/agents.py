"""Agents and their public keys; one active agent per cluster."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import fleet
from plane.store import wake
from plane.store.engine import Tx
from plane.store.layout import agent_tables, tables

AGENTS, CLUSTERS, TOKENS, GRANTS = tables.agents, tables.clusters, tables.join_tokens, tables.cluster_grants

REQUESTS = agent_tables.requests


class Identity(msgspec.Struct, frozen=True):
    """What authentication needs of an agent."""

    id: str
    cluster_id: str
    signing_key: bytes
    key_id: str
    generation: int
    revoked: bool
    last_seen: dt.datetime | None
    trouble: str = ""
    rotates: bool = False  # somebody wants new keys of it
    terms: fleet.Terms = fleet.Terms()
    quarantine: str = ""  # why it is given nothing
    owner: str = tables.NIL  # whose cluster it is
    certificate: str = ""  # that it must show


class JoinToken(msgspec.Struct, frozen=True):
    """A one-time token as stored."""

    cluster_id: str
    cluster: str
    expires_at: dt.datetime
    used_at: dt.datetime | None
    certificate: str  # that the agent must show


def identity(tx: Tx, agent_id: str) -> Identity | None:
    """A dispatch transaction; None when no such agent was ever enrolled."""
    columns = (
        AGENTS.c.cluster_id,
        AGENTS.c.signing_key,
        AGENTS.c.sealing_key_id,
        AGENTS.c.generation,
        AGENTS.c.revoked_at,
        AGENTS.c.last_seen_at,
        AGENTS.c.trouble,
        AGENTS.c.rotation_asked_at,
        AGENTS.c.installation,
        AGENTS.c.term,
        AGENTS.c.former_terms,
        AGENTS.c.quarantine,
        CLUSTERS.c.tenant_id,
        CLUSTERS.c.agent_certificate,
    )
    joined = AGENTS.join(CLUSTERS, CLUSTERS.c.id == AGENTS.c.cluster_id)
    row = tx.execute(sa.select(*columns).select_from(joined).where(AGENTS.c.id == agent_id)).one_or_none()
    if row is None:
        return None
    return Identity(
        agent_id,
        row.cluster_id,
        bytes(row.signing_key),
        row.sealing_key_id,
        row.generation,
        row.revoked_at is not None,
        row.last_seen_at,
        row.trouble,
        row.rotation_asked_at is not None,
        fleet.Terms(row.installation, row.term, tuple(row.former_terms)),
        row.quarantine,
        row.tenant_id,
        row.agent_certificate,
    )


def first_use(tx: Tx, agent_id: str, jti: str, *, until: dt.datetime) -> bool:
    """Whether no process of the plane has seen the request token before; a dispatch transaction."""
    values = {"agent_id": agent_id, "jti": jti, "until": until}
    return tx.execute(pg.insert(REQUESTS).values(values).on_conflict_do_nothing().returning(REQUESTS.c.jti)).first() is not None


def forget_requests(tx: Tx, now: dt.datetime) -> int:
    """Request tokens that are out of date by now; a dispatch transaction."""
    return tx.execute(sa.delete(REQUESTS).where(REQUESTS.c.until < now)).rowcount


def begun(tx: Tx, agent_id: str, terms: fleet.Terms) -> None:
    """Another term of office claims; a dispatch transaction."""
    tx.execute(sa.update(AGENTS).where(AGENTS.c.id == agent_id).values(term=terms.term, former_terms=list(terms.former)))


def quarantine(tx: Tx, agent_id: str, why: str) -> None:
    """Give the agent nothing any more, and hear it no more; a platform transaction."""
    tx.execute(sa.update(AGENTS).where(AGENTS.c.id == agent_id).values(quarantine=why))


def lagged(tx: Tx, agent_id: str, lag_ms: int) -> None:
    """How long the oldest of the tasks that it gets has waited; a dispatch transaction."""
    tx.execute(sa.update(AGENTS).where(AGENTS.c.id == agent_id).values(lag_ms=lag_ms))


def seen(tx: Tx, agent_id: str, now: dt.datetime) -> None:
    """Remember the last contact; a dispatch transaction."""
    tx.execute(sa.update(AGENTS).where(AGENTS.c.id == agent_id).values(last_seen_at=now))


def troubled(tx: Tx, agent_id: str, trouble: str) -> None:
    """Why the agent takes no tasks now, or nothing; a dispatch transaction."""
    tx.execute(sa.update(AGENTS).where(AGENTS.c.id == agent_id).values(trouble=trouble[:1000]))


def ask_rotation(tx: Tx, cluster_id: str, now: dt.datetime) -> bool:
    """Whether the cluster has an active agent, which is asked for new keys."""
    active_ = (AGENTS.c.cluster_id == cluster_id, AGENTS.c.revoked_at.is_(None))
    asked = tx.execute(sa.update(AGENTS).where(*active_).values(rotation_asked_at=now).returning(AGENTS.c.id)).first()
    wake.notify(tx, "plane_agent", cluster_id)
    return asked is not None


def owner(tx: Tx, hashed: bytes) -> str:
    """Whose cluster a join token is for; the platform's when there is no such token. A platform transaction."""
    joined = TOKENS.join(CLUSTERS, CLUSTERS.c.id == TOKENS.c.cluster_id)
    return tx.execute(sa.select(CLUSTERS.c.tenant_id).select_from(joined).where(TOKENS.c.hash == hashed)).scalar_one_or_none() or tables.NIL


def take_join_token(tx: Tx, hashed: bytes, now: dt.datetime) -> JoinToken | None:
    """The token, marked used if it was unused; None when unknown. The caller looks at `used_at` and `expires_at` as they were before."""
    joined = TOKENS.join(CLUSTERS, CLUSTERS.c.id == TOKENS.c.cluster_id)
    columns = (TOKENS.c.cluster_id, CLUSTERS.c.name, TOKENS.c.expires_at, TOKENS.c.used_at, CLUSTERS.c.agent_certificate)
    query = sa.select(*columns).select_from(joined)
    row = tx.execute(query.where(TOKENS.c.hash == hashed).with_for_update(of=TOKENS)).one_or_none()
    if row is None:
        return None
    tried = {"refused_at": now} if row.used_at else {"used_at": now}
    tx.execute(sa.update(TOKENS).where(TOKENS.c.hash == hashed).values(tried))
    return JoinToken(row.cluster_id, row.name, row.expires_at, row.used_at, row.agent_certificate)


def enrol(tx: Tx, cluster_id: str, *, agent_id: str, now: dt.datetime, fields: dict[str, object]) -> None:
    """Make this the cluster's agent; the one before is revoked by it. `fields`: keys, versions, installation."""
    tx.execute(sa.update(AGENTS).where(AGENTS.c.cluster_id == cluster_id, AGENTS.c.revoked_at.is_(None)).values(revoked_at=now))
    tx.execute(sa.insert(AGENTS).values(id=agent_id, cluster_id=cluster_id, last_seen_at=now, **fields))


def rotate(tx: Tx, agent_id: str, generation: int, fields: dict[str, object]) -> int:
    """The agent's next keys in place of those of `generation`; returns the generation now, 0 when other keys came between."""
    mine = (AGENTS.c.id == agent_id, AGENTS.c.revoked_at.is_(None))
    moved = sa.update(AGENTS).where(*mine, AGENTS.c.generation == generation, AGENTS.c.signing_key != fields["signing_key"])
    former = AGENTS.c.former_keys.op("||")(AGENTS.c.signing_key)
    now = tx.execute(
        moved.values(generation=generation + 1, rotation_asked_at=None, keyed_at=sa.func.now(), former_keys=former, **fields).returning(
            AGENTS.c.generation
        )
    ).scalar_one_or_none()
    if now:
        return int(now)
    same = sa.select(AGENTS.c.generation).where(*mine, AGENTS.c.signing_key == fields["signing_key"])
    return int(tx.execute(same).scalar_one_or_none() or 0)


def cluster_name(tx: Tx, cluster_id: str) -> str:
    """A platform transaction."""
    return str(tx.execute(sa.select(CLUSTERS.c.name).where(CLUSTERS.c.id == cluster_id)).scalar_one())


def active(tx: Tx, cluster_id: str, signing_key: bytes) -> str:
    """The id of the cluster's agent if it has this key and was not revoked; empty otherwise."""
    mine = (AGENTS.c.cluster_id == cluster_id, AGENTS.c.signing_key == signing_key, AGENTS.c.revoked_at.is_(None))
    return tx.execute(sa.select(AGENTS.c.id).where(*mine)).scalar_one_or_none() or ""


def granted_tenants(tx: Tx, cluster_id: str) -> tuple[str, ...]:
    """Tenants that may use the cluster; a platform or dispatch transaction."""
    return tuple(tx.execute(sa.select(GRANTS.c.tenant_id).where(GRANTS.c.cluster_id == cluster_id)).scalars())


def set_capabilities(tx: Tx, cluster_id: str, values: Mapping[str, Any]) -> None:
    """What the cluster can do now: kube_version, nodes, knows, and all of it packed; a platform transaction."""
    tx.execute(sa.update(CLUSTERS).where(CLUSTERS.c.id == cluster_id).values(values))
