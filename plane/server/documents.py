"""What all documents have in common: list, get, create, replace, delete. A `Kind` says where they differ."""

# ruff: noqa: ANN401 - the wish is a document of the kind at hand

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from plane.domain import errors
from plane.domain.auditing import details
from plane.server import authorise, context, record
from plane.store import documents as rows
from plane.store.delivering import facts
from plane.wire import documents, rest

Columns = Mapping[str, Any]
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Change(msgspec.Struct, frozen=True):
    """A write under way: the wish, the row before (None: new), the id it has or will have."""

    plane: context.Plane
    place: authorise.Place
    id: str
    wish: Any
    before: rows.Row | None


def nothing_more(_: Change) -> None:
    """For kinds that have nothing to do after a write."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of document.

    `columns` checks the wish and gives what is stored; `settle` runs after a write and `release` before a delete, in the transaction;
    `afterwards` runs when it is committed, for work in other places; `above`: of a kind that projects have as well, those of none.
    """

    type: type[Any]
    noun: str  # in permissions, sentences and audit events
    plural: str  # in paths
    level: int  # 0 platform, 1 tenant, 2 project
    shelf: rows.Shelf
    read: Callable[[rows.Row, authorise.Names], Any]
    columns: Callable[[Change], Columns]
    settle: Callable[[Change], None] = nothing_more
    release: Callable[[Change], None] = nothing_more
    afterwards: Callable[[Change], None] = nothing_more
    public: Callable[[Any], Any] = lambda wish: wish.spec  # what the audit log shows
    resource: str = ""  # in permissions, where it is not the noun
    above: bool = False
    only: Callable[[authorise.Place], rows.Conditions] = lambda _: ()  # what of the place the caller is shown
    in_parts: bool = False  # who may do something to some of them only enters too; `only` and `columns` narrow it

    def may(self, verb: str) -> str:
        """The permission for a verb."""
        return f"{self.resource or self.noun}:{verb}"

    def parent(self, names: authorise.Names) -> authorise.Names:
        """The place a document of this kind lies in."""
        above = authorise.Names(names.tenant if self.level > 0 else "", names.project if self.level > 1 else "", names.name)
        return msgspec.structs.replace(above, app=names.app) if self.in_parts else above

    def where(self, place: authorise.Place) -> rows.Where:
        """The columns that name the place; tenants and clusters have none."""
        found = place.where() if "tenant_id" in self.shelf.table.c else {}
        return found | {"project_id": None} if self.above else found


class Written(msgspec.Struct, frozen=True):
    """What a write came to; `change` is None when there was nothing to do."""

    document: Any
    change: Change | None = None

    @property
    def created(self) -> bool:
        """Whether the document was not there before."""
        return self.change is not None and self.change.before is None


def page(plane: context.Plane, caller: authorise.Caller, kind: Kind, names: authorise.Names, query: rest.PageQuery) -> rest.Page[Any]:
    """One page by name."""
    with authorise.enter(plane, caller, kind.parent(names), kind.may("get"), parts=kind.in_parts) as place:
        return shown(kind, place, query, kind.only(place))


def shown(kind: Kind, place: authorise.Place, query: rest.PageQuery, only: rows.Conditions) -> rest.Page[Any]:
    """One page by name of what of a place meets the conditions."""
    asked, where = wanted(query, only), kind.where(place)
    found = rows.page(place.tx, kind.shelf, where, asked)
    total = rows.total(place.tx, kind.shelf, where, asked) if query.total else msgspec.UNSET
    return rest.page([kind.read(row, place.names) for row in found], query.limit, key=lambda each: each.metadata.name, total=total)


def wanted(query: rest.PageQuery, only: rows.Conditions = ()) -> rows.Wanted:
    """What a page's query asks the store for: one row more than it shows."""
    return rows.Wanted(rest.after(query), query.limit + 1, rest.selector(query), only)


def get(plane: context.Plane, caller: authorise.Caller, kind: Kind, names: authorise.Names) -> Any:
    """One document; NotFound."""
    with authorise.enter(plane, caller, kind.parent(names), kind.may("get")) as place:
        return kind.read(existing(kind, place), names)


def create(plane: context.Plane, caller: authorise.Caller, kind: Kind, names: authorise.Names, wish: Any) -> Any:
    """A new document; Conflict when the name is taken."""
    names = named(kind, names, wish)
    with authorise.enter(plane, caller, kind.parent(names), kind.may("create"), parts=kind.in_parts) as place:
        if rows.find(place.tx, kind.shelf, kind.where(place), names.name):
            message = f"{kind.noun} {names.name!r} exists already; change that one, or choose another name"
            raise errors.Conflict(message)
        written = _create(plane, kind, place, wish)
        place.done(written.document, status=201)
    return _finish(kind, written).document


def replace(
    plane: context.Plane, caller: authorise.Caller, kind: Kind, names: authorise.Names, wish: Any, *, version: int | None = None
) -> Written:
    """Make the document be as wished, also when it is not there yet; an equal wish changes nothing.

    Raises:
        VersionMismatch: `version` is given and is not the stored one.
    """
    named(kind, names, wish)
    with authorise.enter(plane, caller, kind.parent(names), kind.may("update")) as place:
        before = rows.lock(place.tx, kind.shelf, kind.where(place), names.name)
        check_version(before.version if before else 0, version)
        if not before:
            authorise.check_may(place, kind.may("create"))
            authorise.check_second(plane, caller, place, kind.may("create"))
        written = _update(plane, kind, place, wish, before) if before else _create(plane, kind, place, wish)
        place.done(written.document, status=201 if written.created else 200)
    return _finish(kind, written)


def delete(
    plane: context.Plane, caller: authorise.Caller, kind: Kind, names: authorise.Names, *, version: int | None = None
) -> rest.Deleted:
    """Remove the document; Conflict while something depends on it."""
    with authorise.enter(plane, caller, kind.parent(names), kind.may("delete")) as place:
        before = existing(kind, place, lock=True)
        check_version(before.version, version)
        change = Change(plane, place, before.id, None, before)
        kind.release(change)
        rows.remove(place.tx, kind.shelf, kind.where(place), before.id)
        append(kind, change, None, "deleted")
        answer = place.done(rest.Deleted(name=names.name))
    kind.afterwards(change)
    return answer


class VersionMismatch(errors.Conflict):
    """If-Match named another version than the stored one."""

    code = "version-mismatch"


def named(kind: Kind, names: authorise.Names, wish: Any) -> authorise.Names:
    """The names of a wish; Invalid when they contradict the path, or when it carries a status."""
    meta, problems = wish.metadata, {}
    for field, here, level in (("tenant", names.tenant, 1), ("project", names.project, 2)):
        said = getattr(meta, field)
        if said and kind.level < level:
            problems[f"metadata.{field}"] = f"a {kind.type.__name__} does not belong to a {field}; remove it"
        elif said and said != here:
            problems[f"metadata.{field}"] = f"says {said} but the address says {here}"
    if names.name and meta.name != names.name:
        problems["metadata.name"] = f"says {meta.name} but the address says {names.name}; documents are not renamed"
    if wish.status is not None:
        problems["status"] = "is written by the plane alone; remove it"
    if problems:
        raise errors.Invalid(problems)
    return authorise.Names(names.tenant, names.project, meta.name)


def existing(kind: Kind, place: authorise.Place, *, lock: bool = False) -> rows.Row:
    """The row the names speak of; NotFound."""
    find = rows.lock if lock else rows.find
    row = find(place.tx, kind.shelf, kind.where(place), place.names.name)
    if row is None:
        raise errors.NotFound(kind.noun, place.names.name)
    return row


def metadata(row: rows.Row, names: authorise.Names, *, level: int) -> documents.Metadata:
    """As answers show it."""
    return documents.Metadata(
        name=row.name, tenant=names.tenant if level > 0 else "", project=names.project if level > 1 else "", labels=row.labels
    )


def plain(struct: msgspec.Struct) -> dict[str, Any]:
    """As the database gives it back."""
    return msgspec.json.decode(msgspec.json.encode(struct), type=dict[str, Any])


def spec_only(change: Change) -> Columns:
    """For kinds whose wish is stored as it is."""
    return {"spec": plain(change.wish.spec)}


def common(row: rows.Row) -> dict[str, Any]:
    """The fields of documents.Status."""
    return {"id": row.id, "version": row.version, "created_at": facts.stamp(row.created_at), "updated_at": facts.stamp(row.updated_at)}


def append(kind: Kind, change: Change, after: rows.Row | None, verb: str) -> None:
    """The audit event of a write, with the public part of the document before and after, and fingerprints of the rest."""
    name = change.wish.metadata.name if change.wish else change.before.name  # type: ignore[union-attr]  # one of both is there
    record.append(
        change.plane,
        change.place.tx,
        change.place.scope,
        f"{kind.noun}.{verb}",
        project_id=change.place.project,
        target=f"{kind.noun}/{name}",
        details=_written(kind, change, after),
        project=change.place.names.project if kind.level > 1 else "",
    )


def _written(kind: Kind, change: Change, after: rows.Row | None) -> details.Written:
    before, wish = change.before and kind.read(change.before, change.place.names), change.wish
    labels = (dict(before.metadata.labels) if before else {}, dict(wish.metadata.labels) if wish else {})
    turned = labels if labels[0] != labels[1] else (None, None)
    return details.Written(
        before=before and plain(kind.public(before)),
        after=after and plain(kind.public(kind.read(after, change.place.names))),
        labels_before=turned[0],
        labels_after=turned[1],
        secrets=tuple(sorted(getattr(wish, "data", None) or ())),
        secrets_before=_fingerprints(change.before),
        secrets_after=_fingerprints(after),
    )


def _fingerprints(row: rows.Row | None) -> dict[str, str]:
    return getattr(row, "fingerprints", {})


def _create(plane: context.Plane, kind: Kind, place: authorise.Place, wish: Any) -> Written:
    change = Change(plane, place, plane.clock.id(), wish, None)
    values = {"id": change.id, "name": wish.metadata.name, "labels": wish.metadata.labels, **kind.columns(change)}
    if not rows.add(place.tx, kind.shelf, kind.where(place), values):
        message = f"{kind.noun} {wish.metadata.name!r}, or one that is the same but for its name, exists already"
        raise errors.Conflict(message)
    return _settle(kind, change, "created")


def _update(plane: context.Plane, kind: Kind, place: authorise.Place, wish: Any, before: rows.Row) -> Written:
    change = Change(plane, place, before.id, wish, before)
    values = {"labels": wish.metadata.labels, **kind.columns(change)}
    if all(name in before._mapping and before._mapping[name] == value for name, value in values.items()):  # noqa: SLF001 - SQLAlchemy's public name for it
        return Written(kind.read(before, place.names))
    rows.change(place.tx, kind.shelf, kind.where(place), before.id, values, now=plane.clock.now())
    return _settle(kind, change, "updated")


def _settle(kind: Kind, change: Change, verb: str) -> Written:
    kind.settle(change)
    row = rows.find(change.place.tx, kind.shelf, kind.where(change.place), change.wish.metadata.name)
    append(kind, change, row, verb)
    return Written(kind.read(row, change.place.names), change)  # type: ignore[arg-type]  # just written


def _finish(kind: Kind, written: Written) -> Written:
    if written.change:
        kind.afterwards(written.change)
    return written


def is_id(text: str) -> bool:
    """Whether a text from outside may stand where an id is compared."""
    return bool(_ID.fullmatch(text))


def check_version(stored: int, wanted: int | None) -> None:
    if wanted is not None and stored != wanted:
        message = f"it changed meanwhile: version {stored} is stored, If-Match names {wanted}; read it again and repeat the change"
        raise VersionMismatch(message)
