"""Releases, their bytes and their sealed values: written once, never changed."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import objects
from plane.domain.judging import policy, surroundings
from plane.store import batches
from plane.store.delivering import decisions, sweeps
from plane.store.engine import Tx
from plane.store.layout import columns, tables
from plane.wire import agent, bundle

RELEASES, BLOBS, SEALED = tables.releases, tables.blobs, tables.sealed_values


class New(msgspec.Struct, frozen=True, kw_only=True):
    """A release as prepared: slim facts, compressed body, sealed values."""

    app_id: str
    digest: str
    key: str
    commit: str
    author: str
    subject: str
    committer: str
    committed_at: str
    signature: str
    verification: str
    signed_by: str
    verdict: policy.Verdict
    objects: int
    volatile: bool
    body: bytes
    sealed: tuple[agent.SealedValue, ...]
    key_id: str
    decision: decisions.New | None = None
    claims: frozenset[str] = frozenset()  # domain.judging.claims
    rendered: surroundings.Rendered | None = None

    def id(self) -> str:
        """A UUID made from what the release is, so that preparing it twice gives one row."""
        made = hashlib.sha256(f"{self.app_id}\n{self.key}\n{self.digest}".encode()).hexdigest()
        return f"{made[:8]}-{made[8:12]}-8{made[13:16]}-8{made[17:20]}-{made[20:32]}"


# A verdict stands; an error is none, and would refuse the release for ever.
_ORIGIN = ("commit", "author", "committer", "committed_at", "signature", "verification", "signed_by")
_SLIM = ("app_id", "digest", "key", *_ORIGIN, "subject", "objects", "volatile", "rendered")
_INSERT = batches.insertion(RELEASES, ("tenant_id", "id", "verdict", *_SLIM))
_ONCE = _INSERT.on_conflict_do_update(
    index_elements=[RELEASES.c.tenant_id, RELEASES.c.id],
    set_={"verdict": _INSERT.excluded.verdict},
    where=RELEASES.c.verdict["error"].astext != "",
)


_BLOBS = batches.insertion(BLOBS, ("tenant_id", "digest", "body")).on_conflict_do_nothing()


def add(tx: Tx, tenant: str, made: Sequence[New]) -> None:
    """Write what is not there yet, and the verdict of what no policy engine could judge; seven statements for any number."""
    if not made:
        return
    sweeps.beside(tx, tenant)
    tx.execute(_BLOBS, {"rows": batches.packed([{"tenant_id": tenant, "digest": new.digest, "body": new.body} for new in made])})
    once = {new.id(): _row(tenant, new) for new in made}
    tx.execute(_ONCE, {"rows": batches.packed(list(once.values()))})
    decisions.add(tx, tenant, [(_about(new), new.decision) for new in made if new.decision])
    sealed = [
        {"tenant_id": tenant, "app_id": new.app_id, "digest": new.digest, "key_id": new.key_id, "body": msgspec.msgpack.encode(new.sealed)}
        for new in made
        if new.sealed
    ]
    if sealed:
        tx.execute(pg.insert(SEALED).on_conflict_do_nothing(), sealed)


def _row(tenant: str, new: New) -> dict[str, Any]:
    slim = {name: getattr(new, name) for name in _SLIM}
    return {"tenant_id": tenant, "id": new.id(), "verdict": msgspec.to_builtins(new.verdict), **slim}


def _about(new: New) -> decisions.About:
    return decisions.About(new.id(), new.app_id, new.digest, new.commit, new.signature)


class Origin(msgspec.Struct, frozen=True):
    """Where a release comes from; `id` of the row that holds the verdict."""

    id: str = ""
    author: str = ""
    committer: str = ""
    committed_at: str = ""
    signature: str = ""
    verification: str = ""
    signed_by: str = ""
    created_at: dt.datetime | None = None


def origins(tx: Tx, tenant: str, wanted: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], Origin]:
    """By (app id, digest, commit); a release that was made from several commits has the words of the one asked for, else of the last."""
    apps, digests = ([*{one[place] for one in wanted}] for place in (0, 1))
    found: dict[tuple[str, str, str], Origin] = {}
    for row in tx.execute(_ORIGINS, {"tenant": tenant, "apps": apps, "digests": digests}):
        made = Origin(*(getattr(row, name) for name in Origin.__struct_fields__))
        found |= {(row.app_id, row.digest, row.commit): made, (row.app_id, row.digest, ""): made}
    return {one: origin for one in wanted if (origin := found.get(one) or found.get((one[0], one[1], "")))}


_NAMED = ("id", "app_id", "digest", *_ORIGIN, "created_at")
_ORIGINS = (
    sa.select(*(RELEASES.c[name] for name in _NAMED))
    .where(
        RELEASES.c.tenant_id == sa.bindparam("tenant"),
        columns.among(RELEASES.c.app_id, "apps"),
        columns.among(RELEASES.c.digest, "digests"),
    )
    .order_by(RELEASES.c.created_at, RELEASES.c.id)
)


def bundles(tx: Tx, tenant: str, wanted: Sequence[tuple[str, str]], key_id: str) -> dict[tuple[str, str], agent.ReleaseBundle]:
    """Bundles by (app id, digest), with the values sealed for one agent key, or for an older one until they are sealed again.

    Never without its values: the agent refuses a key that it does not hold, and would apply what stands in their place.
    """
    digests = {digest for _, digest in wanted}
    bodies = {row.digest: bytes(row.body) for row in tx.execute(_BODIES, {"tenant": tenant, "digests": list(digests)})}
    apps = list({app for app, _ in wanted})
    rows = tx.execute(_VALUES, {"tenant": tenant, "apps": apps, "digests": list(digests), "key": key_id})
    values = {(row.app_id, row.digest): (row.key_id, row.body) for row in rows}
    return {pair: _bundle(pair[1], bodies[pair[1]], *values.get(pair, (key_id, b""))) for pair in wanted if pair[1] in bodies}


_BODIES = sa.select(BLOBS.c.digest, BLOBS.c.body).where(
    BLOBS.c.tenant_id == sa.bindparam("tenant"), columns.among(BLOBS.c.digest, "digests")
)
_VALUES = (
    sa.select(SEALED.c.app_id, SEALED.c.digest, SEALED.c.key_id, SEALED.c.body)
    .where(SEALED.c.tenant_id == sa.bindparam("tenant"), columns.among(SEALED.c.app_id, "apps"), columns.among(SEALED.c.digest, "digests"))
    .order_by(SEALED.c.key_id == sa.bindparam("key"), SEALED.c.key_id)  # the wanted key last, so that it stays
)


def manifests(tx: Tx, tenant: str, digests: Iterable[str]) -> dict[str, tuple[objects.Manifest, ...]]:
    """The objects of releases by digest, with fingerprints in place of secret values; without those that are not kept."""
    rows = tx.execute(_BODIES, {"tenant": tenant, "digests": list(digests)})
    return {row.digest: tuple(_manifest(text) for text in bundle.unpack(row.digest, bytes(row.body))) for row in rows}


class Told(msgspec.Struct, frozen=True):
    """What rules hear of a release besides its objects. `rendered` None: it was made before that was kept."""

    signature: str
    rendered: surroundings.Rendered | None


def told(tx: Tx, tenant: str, ids: Iterable[str]) -> dict[str, Told]:
    """By the release's id."""
    rows = tx.execute(_TOLD, {"tenant": tenant, "ids": list(ids)})
    return {row.id: Told(row.signature, row.rendered and msgspec.convert(row.rendered, surroundings.Rendered)) for row in rows}


_TOLD = (
    sa.select(RELEASES.c.id, RELEASES.c.signature, RELEASES.c.rendered)
    .where(RELEASES.c.tenant_id == sa.bindparam("tenant"), columns.among(RELEASES.c.id, "ids"))
    .order_by(RELEASES.c.id)
)


def _manifest(text: bytes) -> objects.Manifest:
    body = msgspec.json.decode(text, type=dict[str, Any])
    return objects.Manifest(objects.key_of(body), str(body.get("apiVersion", "")), body)


def _bundle(digest: str, body: bytes, key_id: str, packed: bytes) -> agent.ReleaseBundle:
    sealed = msgspec.msgpack.decode(packed, type=tuple[agent.SealedValue, ...]) if packed else ()
    return agent.ReleaseBundle(digest=digest, body=body, sealed=sealed, key_id=key_id)
