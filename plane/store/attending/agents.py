"""Agents and their public keys; one active agent per cluster."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from plane.store import wake
from plane.store.engine import Tx
from plane.store.layout import tables

AGENTS, CLUSTERS, TOKENS, GRANTS = tables.agents, tables.clusters, tables.join_tokens, tables.cluster_grants


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


class JoinToken(msgspec.Struct, frozen=True):
    """A one-time token as stored."""

    cluster_id: str
    cluster: str
    expires_at: dt.datetime
    used_at: dt.datetime | None


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
    )
    row = tx.execute(sa.select(*columns).where(AGENTS.c.id == agent_id)).one_or_none()
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
    )


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


def take_join_token(tx: Tx, hashed: bytes, now: dt.datetime) -> JoinToken | None:
    """The token, marked used if it was unused; None when unknown. The caller looks at `used_at` and `expires_at` as they were before."""
    joined = TOKENS.join(CLUSTERS, CLUSTERS.c.id == TOKENS.c.cluster_id)
    query = sa.select(TOKENS.c.cluster_id, CLUSTERS.c.name, TOKENS.c.expires_at, TOKENS.c.used_at).select_from(joined)
    row = tx.execute(query.where(TOKENS.c.hash == hashed).with_for_update(of=TOKENS)).one_or_none()
    if row is None:
        return None
    if row.used_at is None:
        tx.execute(sa.update(TOKENS).where(TOKENS.c.hash == hashed).values(used_at=now))
    return JoinToken(row.cluster_id, row.name, row.expires_at, row.used_at)


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
        moved.values(generation=generation + 1, rotation_asked_at=None, former_keys=former, **fields).returning(AGENTS.c.generation)
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


def set_capabilities(tx: Tx, cluster_id: str, *, kube_version: str, packed: bytes) -> None:
    """What the cluster can do now; a platform transaction."""
    tx.execute(sa.update(CLUSTERS).where(CLUSTERS.c.id == cluster_id).values(kube_version=kube_version, capabilities=packed))
