"""The audit log as a file: streamed, resumable, provable. Whoever reads slowly holds no transaction open."""

import contextlib
from collections.abc import Iterator, Sequence

import msgspec

from plane.domain import access, errors, objects
from plane.domain.auditing import audit, audit_formats, audit_proofs, details
from plane.domain.permitting import quotas
from plane.server import authorise, context, record
from plane.server.auditing import audit_log, seal_log
from plane.store.auditing import audit_reading as log
from plane.store.delivering import usage
from plane.wire import audit as wire

BATCH = 2000  # rows and checkpoints of one transaction, and
PIECE = 5000  # places where no row is taken apart: what an export holds in memory, a few megabytes
MANIFEST_CONTEXT = b"gitops-plane/audit-manifest/v1\0"


class Stretch(msgspec.Struct, frozen=True):
    """What one export covers: the rows between two checkpoints that `asked` lets through; `start` is None at the log's beginning.

    `partial`: for somebody who may read a part of the log alone, so that it says nothing of what the rest holds.
    """

    asked: log.Asked
    filters: dict[str, str]
    start: audit.Checkpoint | None
    end: audit.Checkpoint | None
    manifest: wire.Manifest | None
    partial: bool = False

    def state(self, point: audit.Checkpoint) -> bytes:
        """A signed state as a line; its counts are of the whole log."""
        return audit_formats.checkpoint_line(point.without_counts() if self.partial else point)

    @property
    def first(self) -> int:
        """The first place."""
        return self.start.size if self.start else 0

    @property
    def filtered(self) -> bool:
        """Whether rows are left out between the ends."""
        return msgspec.structs.replace(self.asked, since=None, until=None) != log.Asked()


def plan(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.Export) -> Stretch:
    """Decide what the export covers, and record that it was asked for; permission is checked here, before the first line."""
    place_names = authorise.Names(names.tenant, query.project)
    with authorise.enter(plane, caller, place_names, "audit:export") as place:
        _check_quota(plane, place)
        asked, filters = audit_log.wanted(place, query), told(query)
        exported = msgspec.convert({"format": query.format, "resumed_at": query.resume, **filters}, details.Exported)
        record.append(plane, place.tx, place.scope, "audit.exported", project_id=place.project, project=query.project, details=exported)
    seal_log.seal(plane, place.scope.tenant)
    with authorise.enter(plane, caller, place_names, "audit:export") as place:
        return _stretch(plane, place, asked, query)


def _check_quota(plane: context.Plane, place: authorise.Place) -> None:
    """A tenant's; the platform's own log has none."""
    quota = usage.above(place.tx, place.scope.tenant).quotas.audit_exports if place.names.tenant else None
    if quota is None:
        return
    begun = usage.next_export(place.tx, place.scope.tenant, since=plane.clock.now() - quotas.EXPORTS_WITHIN)
    if why := quotas.exceeded("audit exports an hour", quota=quota, used=begun):
        raise quotas.QuotaExceeded(why, quota="auditExports")


def told(query: wire.Filters) -> dict[str, str]:
    """The filters that were given, as manifests and events name them."""
    names = ("since", "until", "project", "type", "actor", "target", "app", "cluster", "commit", "outcome")
    return {name: getattr(query, name) for name in names if getattr(query, name)}


def _stretch(plane: context.Plane, place: authorise.Place, asked: log.Asked, query: wire.Export) -> Stretch:
    """Widened to checkpoints at both ends, so that the file is proven by itself; `since` and `until` are held to that."""
    tx, tenant = place.tx, place.scope.tenant
    first, behind = log.bounds(tx, tenant, asked)
    newest = log.last_checkpoint(tx, tenant)
    end = newest
    if query.end:
        end = log.checkpoint_around(tx, tenant, query.end, above=False)
        if end is None or end.size != query.end:
            raise errors.Invalid({"end": f"there is no checkpoint of size {query.end}; leave it out for the newest"})
    elif behind >= 0:
        end = log.checkpoint_around(tx, tenant, behind, above=True) or newest
    size = end.size if end else 0
    start = log.checkpoint_around(tx, tenant, size if first < 0 else min(first, size), above=False)
    partial = bool(place.project) and not access.allows(place.scope.actor, "audit:export", access.Target(tenant))
    made = Stretch(asked, told(query), start, end, None, partial)
    return msgspec.structs.replace(made, manifest=_manifest(plane, place, made)) if end else made


def _manifest(plane: context.Plane, place: authorise.Place, stretch: Stretch) -> wire.Manifest | None:
    if stretch.end is None:
        return None
    key = plane.log_signer.keys()[0]
    count, first, last = log.summary(place.tx, place.scope.tenant, stretch.asked, first=stretch.first, end=stretch.end.size)
    manifest = wire.Manifest(
        origin=stretch.end.origin,
        first=stretch.first,
        end=stretch.end.size,
        events=count,
        first_seq=first,
        last_seq=last,
        root=stretch.end.root,
        filters=stretch.filters,
        checkpoint=stretch.end.note(),
        key=audit.b64(key),
    )
    unsigned = {name: value for name, value in msgspec.to_builtins(manifest).items() if name != "signature"}
    signature = plane.log_signer.sign(key, MANIFEST_CONTEXT + objects.canonical(unsigned))
    return msgspec.structs.replace(manifest, signature=audit.b64(signature))


def lines(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, stretch: Stretch, *, resume: int = 0) -> Iterator[bytes]:
    """JSON lines with all that proves them: rows, what stands for rows left out, every checkpoint in its place, the manifest.

    resume: the size of a checkpoint that was received; what comes after its line is sent, and is the same as if it had never ended.
    Pieces end behind a checkpoint, and where depends on where they begin alone: each may be compressed by itself.
    """
    if stretch.start and not resume:
        yield stretch.state(stretch.start)
    position, end = resume or stretch.first, stretch.end.size if stretch.end else 0
    piece = _chosen if stretch.filtered else _whole
    while position < end:
        with _entered(plane, caller, names, stretch) as place:
            text, position = piece(place, stretch, position, end)
        yield text
    yield from manifest(stretch)


def manifest(stretch: Stretch) -> Iterator[bytes]:
    """The last line of an export, for formats that have no room for it too; nothing when nothing was ever sealed."""
    if stretch.manifest:
        yield b'{"manifest":%b}\n' % msgspec.json.encode(stretch.manifest)


def events(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, stretch: Stretch, *, resume: int = 0
) -> Iterator[Sequence[audit.Placed]]:
    """The same rows in batches, for formats that carry no proof; those whose event is gone are left out. resume: begin at this place."""
    position, end = resume or stretch.first, stretch.end.size if stretch.end else 0
    while position < end:
        with _entered(plane, caller, names, stretch) as place:
            rows = log.stretch(place.tx, place.scope.tenant, stretch.asked, first=position, end=end, limit=BATCH)
        position = end if len(rows) < BATCH else rows[-1].seq + 1
        yield [row for row in rows if row.body]


def _entered(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, stretch: Stretch
) -> contextlib.AbstractContextManager[authorise.Place]:
    """Permission is looked at again for each piece."""
    return authorise.enter(plane, caller, authorise.Names(names.tenant, stretch.filters.get("project", "")), "audit:export")


def _whole(place: authorise.Place, stretch: Stretch, position: int, end: int) -> tuple[bytes, int]:
    """Every row of a piece, and where it ends."""
    tx, tenant = place.tx, place.scope.tenant
    points = log.checkpoints(tx, tenant, above=position, end=min(end, position + PIECE), limit=BATCH)
    upto = points[-1].size if points else min(end, position + PIECE)
    texts = log.texts(tx, tenant, [point.size for point in points], first=position, end=upto)
    parts = (part for number, point in enumerate(points) for part in (texts.get(number, b""), stretch.state(point)))
    return b"".join((*parts, texts.get(len(points), b""))), upto


def _chosen(place: authorise.Place, stretch: Stretch, position: int, end: int) -> tuple[bytes, int]:
    """The rows of a piece that the filters let through, hashes in place of the others, and where it ends."""
    tx, tenant = place.tx, place.scope.tenant
    rows = log.stretch(tx, tenant, stretch.asked, first=position, end=end, limit=BATCH)
    upto = end if len(rows) < BATCH else rows[-1].seq + 1
    points = log.checkpoints(tx, tenant, above=position, end=upto, limit=BATCH)
    if points:
        upto = points[-1].size
        rows = tuple(row for row in rows if row.seq < upto)
    gaps = _gaps(log.nodes(tx, tenant), position, rows, [one.size for one in points])
    return b"".join(_merged(rows, [(point.size, stretch.state(point)) for point in points], gaps)), upto


def _gaps(nodes: audit_proofs.Nodes, position: int, rows: Sequence[audit.Placed], sizes: list[int]) -> dict[int, tuple[int, list[str]]]:
    """What stands for rows left out: cut at checkpoints, so that each can be checked there."""
    found: dict[int, tuple[int, list[str]]] = {}
    stops = sorted({(row.seq, row.seq + 1) for row in rows} | {(size, size) for size in sizes})
    for stop, after in stops:
        if stop > position:
            found[position] = stop, [nodes(*at).hex() for at in audit_proofs.cover(position, stop)]
        position = max(position, after)
    return found


def _merged(rows: Sequence[audit.Placed], states: Sequence[tuple[int, bytes]], gaps: dict[int, tuple[int, list[str]]]) -> Iterator[bytes]:
    """In order of places; a checkpoint stands behind the rows below its size."""
    parts = [(row.seq + 1, 0, audit_formats.event_line(row)) for row in rows]
    parts += [(end, 0, _gap(first, end, hashes)) for first, (end, hashes) in gaps.items()]
    parts += [(size, 1, line) for size, line in states]
    yield from (text for _, _, text in sorted(parts, key=lambda part: part[:2]))


def _gap(first: int, end: int, hashes: list[str]) -> bytes:
    return b'{"gap":%b}\n' % msgspec.json.encode({"first": first, "end": end, "nodes": hashes})


def written(batches: Iterator[Sequence[audit.Placed]], *, form: wire.Format, origin: str, resumed: bool = False) -> Iterator[bytes]:
    """Rows in a format of others."""
    if form == "csv" and not resumed:
        yield audit_formats.csv_head()
    for rows in batches:
        if form == "csv":
            yield audit_formats.csv_lines(rows)
        elif form == "ocsf":
            yield b"".join(audit_formats.ocsf(row) + b"\n" for row in rows)
        else:
            yield b"".join(audit_formats.cloudevent(row, origin=origin) + b"\n" for row in rows)
