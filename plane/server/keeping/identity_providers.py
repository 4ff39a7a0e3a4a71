"""Identity providers: the platform's, and tenants' own. Whoever writes one decides who is whom there, so they must hold all of it."""

import msgspec

from plane.domain import access, errors
from plane.domain.auditing import people_details
from plane.domain.granting import login
from plane.domain.granting import providers as domain
from plane.domain.rendering import secrets
from plane.server import authorise, context, providers, record
from plane.server import documents as generic
from plane.server.keeping import fingerprints, people
from plane.store import documents as rows
from plane.store.people import holding
from plane.store.people import providers as store
from plane.wire import documents, rest
from plane.wire import login as shapes

MOST = 20  # of one tenant, and of the platform: each is a line of the page where people log in


def read(row: rows.Row, names: authorise.Names) -> documents.IdentityProvider:
    """From a row."""
    return documents.IdentityProvider(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=msgspec.convert(row.spec, domain.ProviderSpec),
        status=documents.ProviderStatus(**generic.common(row), called=domain.called(names.tenant, row.name)),
    )


def page(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery
) -> rest.Page[documents.IdentityProvider]:
    """The platform's by name, with those of the operator's file among them."""
    everything = rest.PageQuery(limit=rest.MAX_PAGE, labels=query.labels)
    stored = generic.page(plane, caller, PLATFORM_KIND, names, everything).items
    found = (*stored, *(() if query.labels else (_of_file(one) for one in plane.logins.providers)))
    left = sorted((one for one in found if one.metadata.name > rest.after(query)), key=lambda each: each.metadata.name)
    total = len(found) if query.total else msgspec.UNSET
    return rest.page(left[: query.limit + 1], query.limit, key=lambda each: each.metadata.name, total=total)


def get(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.IdentityProvider:
    """One of the platform's, or of the operator's file; NotFound."""
    own = next((one for one in plane.logins.providers if one.name == names.name), None)
    if own is None:
        return generic.get(plane, caller, PLATFORM_KIND, names)  # type: ignore[no-any-return]  # as the kind reads it
    with authorise.enter(plane, caller, authorise.Names(), PLATFORM_KIND.may("get")):
        return _of_file(own)


def _of_file(one: login.Provider) -> documents.IdentityProvider:
    """As a document, which nobody changes here."""
    told = {field: getattr(one, field) for field in login.Client.__struct_fields__}
    status = documents.ProviderStatus(id="", version=0, created_at="", updated_at="", called=one.name, source="file", tenant=one.tenant)
    meta = documents.Metadata(name=one.name)
    return documents.IdentityProvider(api_version=documents.API_VERSION, metadata=meta, spec=domain.ProviderSpec(**told), status=status)


def test(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> shapes.ProviderTested:
    """Reach the provider now, past what is kept of it; what is wrong is a sentence."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant, "", names.name), KIND.may("test")) as place:
        row = store.load(place.tx, place.scope.tenant, names.name)
    own = next((one for one in plane.logins.providers if one.name == names.name and not names.tenant), None)
    if own is None and row is None:
        raise errors.NotFound(KIND.noun, names.name)
    provider = own or providers.opened(plane, row, names.tenant)  # type: ignore[arg-type]  # one of both is there
    try:
        seen = plane.identities.look(provider)
    except errors.BackendDown as e:
        return shapes.ProviderTested(ok=False, problems=(str(e),))
    nowhere = () if plane.logins.url else ("the operator's file of log-ins names no url, so that no browser would come back here",)
    problems = (*domain.unfit(provider, seen), *nowhere)
    back = f"{plane.logins.url.rstrip('/')}/api/v1/login/{provider.name}/callback"
    return shapes.ProviderTested(
        ok=not problems,
        problems=problems,
        redirect="" if nowhere else back,
        keys=seen.keys,
        device=bool(seen.device_authorization_endpoint),
    )


def _columns(change: generic.Change) -> generic.Columns:
    """The stored secret stays only while issuer and client stay: it must not be sent where it was not meant for."""
    spec, data, before, name = change.wish.spec, change.wish.data, change.before, change.wish.metadata.name
    problems = domain.check(spec, data, name=name)
    if not change.place.names.tenant and any(one.name == name for one in change.plane.logins.providers):
        problems["metadata.name"] = f"{name} is in the operator's file of log-ins, which is changed there"
    moved = before is not None and _client(_spec(before)) != _client(spec)
    if data is None and before is not None and moved and before.fingerprints:
        problems[f"data.{domain.FIELD}"] = "is required: another issuer or client has its own secret; `data: {}`: it has none"
    if before is None and rows.count(change.place.tx, store.PROVIDERS, change.place.where()) >= MOST:
        problems["spec"] = f"there are {MOST} identity providers here, the most there may be; delete one first"
    if problems:
        raise errors.Invalid(problems)
    _check_above(change)
    return {"spec": generic.plain(spec), **_wrapped(change, data)}


def _wrapped(change: generic.Change, data: dict[str, str] | None) -> generic.Columns:
    if data is None:
        return {}
    bound = providers.wrapping_context(change.place.scope.tenant, change.wish.metadata.name)
    wrapped = change.plane.envelope.wrap(secrets.Secret(msgspec.json.encode(data)), context=bound) if data else None
    return {"wrapped": wrapped, "fingerprints": fingerprints.of(change, data)}


def _check_above(change: generic.Change) -> None:
    """A provider can say that anybody is in any group: the writer must hold what the place's groups, and its owner, hold."""
    place = change.place
    owner = access.Grant("tenant-owner" if place.names.tenant else "platform-admin", people.tenant(place))
    people.check_above(place.scope.actor, (owner, *holding.of_groups(place.tx, place.scope.tenant)))


def _settle(change: generic.Change) -> None:
    if change.before and not domain.same_trust(_spec(change.before), change.wish.spec):
        _end(change)


def _release(change: generic.Change) -> None:
    _check_above(change)
    _end(change)


def _end(change: generic.Change) -> None:
    """Nobody stays in on the word of a provider that is another one now, or none."""
    place, name = change.place, change.place.names.name or change.wish.metadata.name
    ended = store.end(place.tx, place.scope.tenant, domain.called(place.names.tenant, name), change.plane.clock.now())
    people.check_admin_left(place)
    told = people_details.LoginsEnded(tokens=ended.tokens, people=ended.people)
    record.append(change.plane, place.tx, place.scope, "access.logins.ended", target=f"identityprovider/{name}", details=told)


def _spec(row: rows.Row) -> domain.ProviderSpec:
    return msgspec.convert(row.spec, domain.ProviderSpec)


def _client(spec: domain.ProviderSpec) -> tuple[str, str]:
    return spec.issuer, spec.client_id


KIND = generic.Kind(
    type=documents.IdentityProvider,
    noun="identityprovider",
    plural="identityproviders",
    level=1,
    shelf=store.SHELF,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0)
