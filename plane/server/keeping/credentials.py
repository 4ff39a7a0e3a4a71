"""Credentials: what is public lies in `spec`, what is secret goes under the master key at once and is never given back."""

from typing import Any

import msgspec

from plane.domain import errors, tenancy
from plane.domain.rendering import secrets
from plane.server import authorise, keys
from plane.server import documents as generic
from plane.server.keeping import fingerprints
from plane.store import documents as rows
from plane.store.delivering import duties, repositories
from plane.wire import documents


def read(row: rows.Row, names: authorise.Names) -> documents.Credential:
    """From a row."""
    return documents.Credential(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=2),
        spec=msgspec.convert(row.spec, tenancy.CredentialSpec),
        status=documents.Status(**generic.common(row)),
    )


def _columns(change: generic.Change) -> generic.Columns:
    """The stored secret stays only while kind and address stay: it must not be sent to a place it was not meant for."""
    spec, data, before = change.wish.spec, change.wish.data, change.before
    problems = tenancy.check_credential(spec, data)
    if data is None and (before is None or (before.spec["kind"], before.spec.get("address", "")) != (spec.kind, spec.address)):
        problems["data"] = "is required: a new credential, another kind or another address needs its secret"
    if problems:
        raise errors.Invalid(problems)
    stored = {name: value for name, value in generic.plain(spec).items() if value}
    return {"spec": stored, **_wrapped(change, data)} if data is not None else {"spec": stored}


def _wrapped(change: generic.Change, data: dict[str, str]) -> dict[str, Any]:
    place = change.place
    bound = keys.wrapping_context(place.scope.tenant, place.project, change.wish.metadata.name)
    wrapped = change.plane.envelope.wrap(secrets.Secret(msgspec.json.encode(data)), context=bound)
    return {"wrapped": wrapped, "fingerprints": fingerprints.of(change, data)}


def _settle(change: generic.Change) -> None:
    place, now = change.place, change.plane.clock.now()
    repositories.look_again(place.tx, place.scope.tenant, place.project, change.wish.metadata.name, now)
    duties.all_of_project(place.tx, place.scope.tenant, place.project, now)


def _release(change: generic.Change) -> None:
    place = change.place
    used = repositories.naming(place.tx, place.scope.tenant, place.project, place.names.name)
    if used:
        message = f"credential {place.names.name!r} is used by {', '.join(used)}; give those repositories another one first"
        raise errors.Conflict(message)


KIND = generic.Kind(
    type=documents.Credential,
    noun="credential",
    plural="credentials",
    level=2,
    shelf=rows.CREDENTIALS,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
)
