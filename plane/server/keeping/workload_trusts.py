"""Trust rules for machines: the platform's, and tenants' own. Nobody lets a machine in as more than they are themselves."""

import msgspec

from plane.domain import access, errors
from plane.domain.auditing import people_details
from plane.domain.granting import conditions, providers, workloads
from plane.server import authorise, record
from plane.server import documents as generic
from plane.server.keeping import people
from plane.store import documents as rows
from plane.store.people import holding, logins
from plane.store.people import trusts as store
from plane.wire import documents

MOST = 100  # of one tenant, and of the platform


def read(row: rows.Row, names: authorise.Names) -> documents.WorkloadTrust:
    """From a row."""
    spec = msgspec.convert(row.spec, workloads.TrustSpec)
    return documents.WorkloadTrust(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=spec,
        status=documents.TrustStatus(**generic.common(row), called=providers.called(names.tenant, row.name), advice=workloads.advice(spec)),
    )


def _columns(change: generic.Change) -> generic.Columns:
    spec, name, place = change.wish.spec, change.wish.metadata.name, change.place
    problems = workloads.check(spec)
    if not place.names.tenant and any(one.name == name for one in change.plane.logins.trust):
        problems["metadata.name"] = f"{name} is in the operator's file of log-ins, which is changed there"
    if not problems and not conditions.confined(spec.networks, place.scope.actor.networks):
        problems["spec.networks"] = f"your own token is good from {', '.join(place.scope.actor.networks)} only; name networks inside"
    if change.before is None and rows.count(place.tx, store.TRUSTS, place.where()) >= MOST:
        problems["spec"] = f"there are {MOST} trust rules here, the most there may be; delete one first"
    service = logins.named(place.tx, place.scope.tenant, spec.service, "service")
    if service is None:
        problems["spec.service"] = f"there is no service {spec.service!r} here; make it with `plane user create {spec.service} --service`"
    if problems or service is None:
        raise errors.Invalid(problems)
    held = holding.giving(place.tx, place.scope.tenant, service.principal)
    people.check_above(place.scope.actor, access.narrowed(held, frozenset(spec.scopes)))
    return {"spec": generic.plain(spec), "makers": _makers(change)}


def _makers(change: generic.Change) -> list[str]:
    """All in whose hands it is which machine comes in; who writes what is there already decides nothing."""
    before = change.before
    if before and before.spec == generic.plain(change.wish.spec):
        return list(before.makers)
    return sorted({*(before.makers if before else ()), *change.place.scope.actor.hands})


def _settle(change: generic.Change) -> None:
    before = change.before and msgspec.convert(change.before.spec, workloads.TrustSpec)
    if before and not workloads.same_trust(before, change.wish.spec):
        _end(change)


def _end(change: generic.Change) -> None:
    """No machine stays in by a rule that is another one now, or none."""
    place, name = change.place, change.place.names.name or change.wish.metadata.name
    rule = providers.called(place.names.tenant, name)
    ended = store.end(place.tx, place.scope.tenant, workloads.kept_as(rule), change.plane.clock.now())
    told = people_details.LoginsEnded(tokens=ended, people=0)
    record.append(change.plane, place.tx, place.scope, "access.logins.ended", target=f"workloadtrust/{name}", details=told)


KIND = generic.Kind(
    type=documents.WorkloadTrust,
    noun="workloadtrust",
    plural="workloadtrusts",
    level=1,
    shelf=store.SHELF,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_end,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0)
