"""Removing what nothing refers to any more, a bounded number of rows at a time; what happened stays in the audit log."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from plane.store.engine import Tx

CHANGES = 1000  # of health that an app keeps; one that changes every few seconds would fill the table
LIMIT = 1000  # rows of one statement: a few milliseconds, so that nobody waits for a sweep


def alone(tx: Tx, tenant: str) -> bool:
    """Keep deliveries from adding to blobs until this transaction ends; False: another sweep or a delivery is at it."""
    return bool(tx.execute(_ALONE, {"tenant": tenant}).scalar_one())


def beside(tx: Tx, tenant: str) -> None:
    """Keep sweeps away until this transaction ends; for whoever writes a release, whose bytes may be there already."""
    tx.execute(_BESIDE, {"tenant": tenant})


class Past(msgspec.Struct, frozen=True):
    """Before when things may go.

    settled: tasks, releases and bytes made; answered: idempotency keys used; unheard: answers, and pieces of them, that nobody has read
    since; turned: changes of health, and hours of rendering; refused: releases that policy stopped, and findings that are over; decided:
    decisions of policy, and what they rest on.
    """

    settled: dt.datetime
    answered: dt.datetime
    unheard: dt.datetime
    turned: dt.datetime
    refused: dt.datetime
    decided: dt.datetime


def old(tx: Tx, tenant: str, past: Past) -> int:
    """One round; returns how many rows went, 0 when nothing is left.

    Kept in any case: what an app is, was by its history, is asked to become, or is approved for.
    """
    values = {"tenant": tenant, **msgspec.structs.asdict(past), "most": CHANGES, "limit": LIMIT}
    return sum(tx.execute(each, values).rowcount for each in _OLD)


_ALONE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('sweep ' || :tenant, 0))")
_BESIDE = sa.text("SELECT pg_advisory_xact_lock_shared(hashtextextended('sweep ' || :tenant, 0))")

_KEYS = sa.text("""
    DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency WHERE tenant_id = :tenant AND created_at < :answered LIMIT :limit
    ))
""")
_TASKS = sa.text("""
    DELETE FROM tasks WHERE ctid = ANY(ARRAY(
        SELECT t.ctid FROM tasks t WHERE t.tenant_id = :tenant AND t.state = 'done' AND t.created_at < :settled
        AND (t.kind = 'query' OR t.generation < (SELECT max(l.generation) FROM tasks l WHERE l.tenant_id = :tenant AND l.app_id = t.app_id))
        AND NOT EXISTS (SELECT 1 FROM history h WHERE h.tenant_id = :tenant AND h.app_id = t.app_id AND h.task_id = t.id) LIMIT :limit
    ))
""")
_PIECES = sa.text("""
    DELETE FROM pieces WHERE ctid = ANY(ARRAY(SELECT ctid FROM pieces WHERE tenant_id = :tenant AND made_at < :unheard LIMIT :limit))
""")
_UNREAD = sa.text("""
    UPDATE tasks SET live = NULL WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM tasks WHERE tenant_id = :tenant AND kind = 'query' AND live IS NOT NULL AND created_at < :unheard LIMIT :limit
    ))
""")
_RELEASES = sa.text("""
    DELETE FROM releases WHERE ctid = ANY(ARRAY(
        SELECT r.ctid FROM releases r JOIN apps a ON a.tenant_id = r.tenant_id AND a.id = r.app_id
        JOIN app_states s ON s.tenant_id = r.tenant_id AND s.app_id = r.app_id
        WHERE r.tenant_id = :tenant AND r.created_at < :settled AND s.release_id IS DISTINCT FROM r.id AND s.digest <> r.digest
        AND coalesce(a.request ->> 'digest', '') <> r.digest AND NOT r.digest = ANY(a.approved)
        AND NOT EXISTS (SELECT 1 FROM history h WHERE h.tenant_id = :tenant AND h.app_id = r.app_id AND h.digest = r.digest)
        AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.tenant_id = :tenant AND t.app_id = r.app_id AND t.digest = r.digest)
        AND (r.created_at < :refused OR NOT EXISTS (
            SELECT 1 FROM decisions d WHERE d.tenant_id = :tenant AND d.id = r.id AND d.word IN ('denied', 'needs-approval')
        )) LIMIT :limit
    ))
""")
_SEALED = sa.text("""
    DELETE FROM sealed_values WHERE ctid = ANY(ARRAY(
        SELECT v.ctid FROM sealed_values v WHERE v.tenant_id = :tenant AND NOT EXISTS (
            SELECT 1 FROM releases r WHERE r.tenant_id = :tenant AND r.app_id = v.app_id AND r.digest = v.digest
        ) LIMIT :limit
    ))
""")
_BLOBS = sa.text("""
    DELETE FROM blobs WHERE ctid = ANY(ARRAY(
        SELECT b.ctid FROM blobs b WHERE b.tenant_id = :tenant AND b.created_at < :settled AND NOT EXISTS (
            SELECT 1 FROM releases r WHERE r.tenant_id = :tenant AND r.digest = b.digest
        ) LIMIT :limit
    ))
""")
_TURNS = sa.text("""
    DELETE FROM health_changes WHERE ctid = ANY(ARRAY(
        SELECT h.ctid FROM health_changes h WHERE h.tenant_id = :tenant AND h.at < :turned AND (h.kind <> '' OR h.number < (
            SELECT max(l.number) FROM health_changes l WHERE l.tenant_id = :tenant AND l.app_id = h.app_id AND l.kind = ''
        )) LIMIT :limit
    ))
""")
_RESTLESS = sa.text("""
    DELETE FROM health_changes WHERE ctid = ANY(ARRAY(
        SELECT h.ctid FROM (
            SELECT app_id FROM health_changes WHERE tenant_id = :tenant GROUP BY app_id HAVING count(*) > :most
        ) many CROSS JOIN LATERAL (
            SELECT ctid FROM health_changes l WHERE l.tenant_id = :tenant AND l.app_id = many.app_id ORDER BY l.number DESC OFFSET :most
        ) h LIMIT :limit
    ))
""")
_DECISIONS = sa.text("""
    DELETE FROM decisions WHERE ctid = ANY(ARRAY(
        SELECT d.ctid FROM decisions d WHERE d.tenant_id = :tenant AND d.made_at < :decided AND NOT EXISTS (
            SELECT 1 FROM app_states s WHERE s.tenant_id = :tenant AND s.app_id = d.app_id AND s.release_id = d.id
        ) LIMIT :limit
    ))
""")
# Their use is written down once a day: two days later nothing that is younger rests on them.
_GROUNDS = sa.text("""
    DELETE FROM policy_grounds WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM policy_grounds
        WHERE tenant_id = :tenant AND used_at < CAST(:decided AS timestamptz) - interval '2 days' LIMIT :limit
    ))
""")
_FINDINGS = sa.text("""
    DELETE FROM findings WHERE ctid = ANY(ARRAY(SELECT ctid FROM findings WHERE tenant_id = :tenant AND closed_at < :refused LIMIT :limit))
""")
_RENDERS = sa.text("""
    DELETE FROM render_hours
    WHERE ctid = ANY(ARRAY(SELECT ctid FROM render_hours WHERE tenant_id = :tenant AND hour < :turned LIMIT :limit))
""")
_OLD = (_PIECES, _UNREAD, _TURNS, _RESTLESS, _RENDERS, _KEYS, _TASKS, _RELEASES, _SEALED, _BLOBS, _DECISIONS, _GROUNDS, _FINDINGS)
