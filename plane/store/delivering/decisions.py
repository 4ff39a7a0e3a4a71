"""Decision records: written beside the releases they are about, read by whoever asks why, and judged again."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.domain import access
from plane.domain.judging import decisions as domain
from plane.domain.judging import policy
from plane.store import batches
from plane.store.engine import Row, Tx
from plane.store.layout import columns, decision_tables, tables
from plane.store.people import reached

DECISIONS, GROUNDS = decision_tables.decisions, decision_tables.policy_grounds
APPS, PROJECTS, RELEASES, SETS = tables.apps, tables.projects, tables.releases, tables.policy_sets


class New(msgspec.Struct, frozen=True, kw_only=True):
    """A record as made; it gets the id of the release's row. `sets`: digests of those asked; `grounds`: what it rests on."""

    project_id: str
    made_at: dt.datetime
    cluster: str
    word: domain.Word
    verdict: policy.Verdict
    outcome: str
    input: str
    context: policy.PolicyContext
    terms: str
    questions: tuple[domain.Question, ...]
    engine: str
    duration_us: int
    actor: str
    trigger: str
    previous: str | None
    sets: tuple[str, ...]
    grounds: tuple[domain.Ground, ...]


_BESIDE = frozenset({"sets", "grounds"})
_OWN = tuple(name for name in New.__struct_fields__ if name not in _BESIDE)
_INSERT = batches.insertion(DECISIONS, ("tenant_id", "id", "app_id", "release", "commit", "signature", *_OWN))
# A record stands; that of an engine that gave no answer gives way to one of an answer.
_ONCE = _INSERT.on_conflict_do_update(
    index_elements=[DECISIONS.c.tenant_id, DECISIONS.c.id],
    set_={name: _INSERT.excluded[name] for name in _OWN if name != "previous"},
    where=DECISIONS.c.word == "error",
)
_GROUND = batches.insertion(GROUNDS, ("tenant_id", "digest", "body"))
_OLD = GROUNDS.c.used_at < sa.func.now() - dt.timedelta(days=1)
_GROUNDS = _GROUND.on_conflict_do_update(
    index_elements=[GROUNDS.c.tenant_id, GROUNDS.c.digest], set_={"used_at": sa.func.now()}, where=_OLD
)
# The sets' texts go from row to row inside the database, once for each day on which they decide anything.
_TEXTS = sa.text("""
    INSERT INTO policy_grounds (tenant_id, digest, body)
    SELECT DISTINCT ON (s.digest) CAST(:tenant AS uuid), s.digest, convert_to(s.files::text, 'UTF8') FROM policy_sets s
    WHERE s.tenant_id IN (CAST(:tenant AS uuid), CAST(:nil AS uuid)) AND s.digest = ANY(:sets) AND NOT EXISTS (
        SELECT 1 FROM policy_grounds g
        WHERE g.tenant_id = CAST(:tenant AS uuid) AND g.digest = s.digest AND g.used_at > now() - interval '1 day'
    )
    ON CONFLICT (tenant_id, digest) DO UPDATE SET used_at = now()
""")


class About(msgspec.Struct, frozen=True):
    """The release that a record is of: the id of its row, its app, its digest, its commit and that one's kind of signature."""

    id: str
    app_id: str
    release: str
    commit: str
    signature: str


def add(tx: Tx, tenant: str, made: Sequence[tuple[About, New]]) -> None:
    """Write records that are not there yet; three statements for any number."""
    if not made:
        return
    rows = {about.id: {"tenant_id": tenant, **msgspec.structs.asdict(about), **_row(new)} for about, new in made}
    tx.execute(_ONCE, {"rows": batches.packed(list(rows.values()))})
    bodies = {one.digest: one.body for _, new in made for one in new.grounds}
    kept = [{"tenant_id": tenant, "digest": one, "body": bodies[one]} for one in sorted(bodies)]
    tx.execute(_GROUNDS, {"rows": batches.packed(kept)})
    tx.execute(_TEXTS, {"tenant": tenant, "nil": tables.NIL, "sets": sorted({one for _, new in made for one in new.sets})})


def _row(new: New) -> dict[str, Any]:
    return {name: getattr(new, name) for name in _OWN}


class Wanted(msgspec.Struct, frozen=True):
    """Which records: of a project or an app by name, of a word, older than a place; empty: any."""

    project: str = ""
    app: str = ""
    word: str = ""
    before: tuple[str, str] | None = None  # time and id
    limit: int = 50


def page(tx: Tx, tenant: str, wanted: Wanted, reach: access.Reach) -> list[Row]:
    """Newest first, without what they rest on."""
    where = [*reached.within(reach)]
    where += [PROJECTS.c.name == wanted.project] if wanted.project else []
    where += [APPS.c.name == wanted.app] if wanted.app else []
    where += [DECISIONS.c.word == wanted.word] if wanted.word else []
    if wanted.before:
        place = sa.tuple_(sa.cast(wanted.before[0], DECISIONS.c.made_at.type), sa.cast(wanted.before[1], DECISIONS.c.id.type))
        where.append(sa.tuple_(DECISIONS.c.made_at, DECISIONS.c.id) < place)
    query = _SHOWN.where(DECISIONS.c.tenant_id == tenant, *where)
    return list(tx.execute(query.order_by(DECISIONS.c.made_at.desc(), DECISIONS.c.id.desc()).limit(wanted.limit)))


def find(tx: Tx, tenant: str, identity: str, reach: access.Reach) -> Row | None:
    """One record, of an app that is reached."""
    return tx.execute(_SHOWN.where(DECISIONS.c.tenant_id == tenant, DECISIONS.c.id == identity, *reached.within(reach))).one_or_none()


_SHOWN = sa.select(DECISIONS, APPS.c.name.label("app"), PROJECTS.c.name.label("project")).select_from(
    DECISIONS.join(APPS, sa.and_(APPS.c.tenant_id == DECISIONS.c.tenant_id, APPS.c.id == DECISIONS.c.app_id)).join(
        PROJECTS, sa.and_(PROJECTS.c.tenant_id == APPS.c.tenant_id, PROJECTS.c.id == APPS.c.project_id)
    )
)


def grounds(tx: Tx, tenant: str, digests: Sequence[str]) -> dict[str, bytes]:
    """By digest, those that are still kept."""
    return {row.digest: bytes(row.body) for row in tx.execute(_KEPT, {"tenant": tenant, "digests": list(digests)})}


_KEPT = sa.select(GROUNDS.c.digest, GROUNDS.c.body).where(
    GROUNDS.c.tenant_id == sa.bindparam("tenant"), columns.among(GROUNDS.c.digest, "digests")
)


def body(tx: Tx, tenant: str, digest: str) -> bytes | None:
    """The compressed objects of a release, if they are still kept."""
    blob = tables.blobs
    found: bytes | None = tx.execute(sa.select(blob.c.body).where(blob.c.tenant_id == tenant, blob.c.digest == digest)).scalar_one_or_none()
    return found
