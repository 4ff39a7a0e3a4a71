"""What a policy would do to what apps are now: asked step by step, so that whoever waits sees how far it is and may go on later."""

import concurrent.futures
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from plane.domain import access, errors, objects
from plane.domain.auditing import policy_details
from plane.domain.judging import decisions, policy, policy_bindings
from plane.domain.judging import previews as domain
from plane.domain.judging import surroundings as domain_facts
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.server.delivering import beside, judge, surroundings
from plane.store import documents as rows
from plane.store import engine
from plane.store.delivering import facts, policies, previews, releases
from plane.store.people import tenants
from plane.wire import agent, documents, rest
from plane.wire import previews as wire

MAY_LOOK, MAY_ASK = "policy:get", "policy:create"
CHUNK = 100  # apps that are loaded together
STEP_S = 4.0  # a step ends with the chunk that passes it; a proxy waits longer
SIDE_BY_SIDE = 4  # questions at once: the engine's other places are for what is delivered
MOST = 1000  # differences that anybody reads
OUTSIDE = "outside"
UNTOLD = "untold"  # of the apps that were asked about: those whose release was made before it was kept what its render tells


def begin(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, wish: wire.NewPreview) -> wire.Preview:
    """Keep what is to be asked; nothing is evaluated yet."""
    with authorise.enter(plane, caller, names, MAY_ASK) as place:
        made, files = _asked(plane, place, wish)
        total = sum(_count(plane, tenant) for tenant in _tenants(plane, place))
        kept = previews.New(caller.actor.name, plane.clock.now(), msgspec.to_builtins(made), files, total)
        number = previews.add(place.tx, place.scope.tenant, kept)
        told = policy_details.Previewed(set=made.set, digest=made.digest, binding=generic.plain(made.spec), apps=total)
        record.append(plane, place.tx, place.scope, "policy.preview.begun", target=f"preview/{number}", details=told)
        return place.done(_shown(_find(place, number)), status=201)


def listed(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> rest.Page[wire.Preview]:
    """Newest first; one page holds them all."""
    with authorise.enter(plane, caller, names, MAY_LOOK) as place:
        return rest.Page(items=tuple(_shown(row) for row in previews.entries(place.tx, place.scope.tenant)))


def get(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, number: str) -> wire.Preview:
    """One with its sums."""
    with authorise.enter(plane, caller, names, MAY_LOOK) as place:
        return _whole(place, _find(place, number))


def apps(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, number: str, query: rest.Paging
) -> rest.Page[wire.PreviewApp]:
    """Apps of which something was found."""
    after = rest.after(query)
    if after and not generic.is_id(after):
        raise errors.Invalid({"cursor": "is not one that this plane gave; begin without it"})
    with authorise.enter(plane, caller, names, MAY_LOOK) as place:
        row = _find(place, number)
        found = previews.results(place.tx, place.scope.tenant, row.number, after=after, limit=query.limit + 1)
    page = rest.page(found, query.limit, key=lambda each: each.app_id)
    return rest.Page(items=tuple(map(_app, page.items)), next=page.next)


def compare(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, number: str, query: wire.ComparisonQuery
) -> wire.PreviewComparison:
    """An earlier preview beside this one."""
    with authorise.enter(plane, caller, names, MAY_LOOK) as place:
        was, now = _find(place, query.to), _find(place, number)
        found = previews.differences(place.tx, place.scope.tenant, was.number, now.number, limit=MOST)
    fields = wire.PreviewDifference.__struct_fields__
    differences = tuple(wire.PreviewDifference(**{name: getattr(row, name) for name in fields}) for row in found)
    return wire.PreviewComparison(was=_shown(was), now=_shown(now), differences=differences)


def step(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, number: str) -> wire.Preview:
    """Ask about some more apps; whoever calls it goes on until `endedAt` is there. Conflict when somebody else does at the same time."""
    with authorise.enter(plane, caller, names, MAY_ASK) as place:
        row = _find(place, number)
        left = _tenants(plane, place)
    if row.ended_at is not None:
        return get(plane, caller, names, number)
    scope = place.scope
    made = _step(plane, row, left)
    with authorise.enter(plane, caller, names, MAY_ASK) as place:
        if not previews.advance(place.tx, scope.tenant, row.number, made):
            raise domain.NoPreview(f"preview {row.number} is being made by somebody else; look at it with `plane policy previews`")
        if made.ended_at is not None:
            _tell_ended(plane, place, row, made)
        return place.done(_whole(place, _find(place, number)))


def _step(plane: context.Plane, row: engine.Row, everyone: Sequence[str]) -> previews.Step:
    """From where it stands, chunk by chunk, until the time is over or nothing is left; the next chunk is loaded while one is judged."""
    asked = msgspec.convert(row.asked, domain.Asked)
    held, ends = domain.held(asked, row.files), time.monotonic() + STEP_S
    counts, results, done, last = Counter[str](row.counts), list[Mapping[str, object]](), row.done, (row.last_tenant, row.last_app)
    chunks = _chunks(plane, held, sorted(everyone), last)
    with (
        concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE, "preview") as threads,
        concurrent.futures.ThreadPoolExecutor(1, "preview-ahead") as loader,
    ):
        coming = loader.submit(next, chunks, None)
        while chunk := coming.result():
            coming = loader.submit(next, chunks, None)
            found = list(threads.map(lambda one: _judged(plane, held, chunk, one), chunk.apps))
            counts.update(word for word, _ in found)
            counts[UNTOLD] += sum(one.rendered is None for one in chunk.told.values())
            results += [result for _, result in found if result]
            done, last = done + len(chunk.ids), chunk.last
            if time.monotonic() > ends:
                break
    ended = None if chunk else plane.clock.now()
    return previews.Step(row.done, done, dict(counts), last, results, ended)


class _Chunk(msgspec.Struct, frozen=True):
    """Apps of one tenant with all that asking about them needs. `last`: where the next begins; `beside`: by app, where the set reads it."""

    ids: Sequence[str]
    last: tuple[str, str]
    apps: tuple[facts.App, ...]
    given: policies.Standing
    bodies: Mapping[str, tuple[objects.Manifest, ...]]
    known: Mapping[str, set[str]]
    told: Mapping[str, releases.Told]
    beside: Mapping[str, surroundings.Beside]


def _chunks(
    plane: context.Plane, held: policy_bindings.Held, everyone: Sequence[str], last: tuple[str | None, str | None]
) -> Iterator[_Chunk]:
    """All there are after the last one, tenant by tenant."""
    tenant, app = last
    for one in (each for each in everyone if tenant is None or each >= tenant):
        after, full = (app if one == tenant else None) or policies.NIL, True
        while full:
            chunk = _load(plane, access.Scope(one, access.SYSTEM), held, after=after)
            after, full = chunk.last[1], len(chunk.ids) == CHUNK
            if chunk.ids:
                yield chunk


def _load(plane: context.Plane, scope: access.Scope, held: policy_bindings.Held, *, after: str) -> _Chunk:
    with engine.begin(plane.engine, scope) as tx:
        ids = previews.apps(tx, scope.tenant, after=after, limit=CHUNK)
        found = facts.load(tx, scope.tenant, ids)
        projects = {app.project_id: app.project for app in found}
        standing = policies.load(tx, scope.tenant, named=found[0].tenant if found else "", projects=projects)
        bodies = releases.manifests(tx, scope.tenant, {app.current.digest for app in found if app.current})
        known = previews.known(tx, scope.tenant, ids)
        told = releases.told(tx, scope.tenant, {app.current.id for app in found if app.current})
    last = (scope.tenant, ids[-1] if ids else after)
    return _Chunk(ids, last, found, standing, bodies, known, told, _beside(plane, scope, held, found, bodies))


def _beside(
    plane: context.Plane,
    scope: access.Scope,
    held: policy_bindings.Held,
    found: Sequence[facts.App],
    bodies: Mapping[str, tuple[objects.Manifest, ...]],
) -> Mapping[str, surroundings.Beside]:
    """What a release would change, and who else has what it names, as a delivery has it judged."""
    reads = surroundings.reads((held.binding,))
    subjects = [beside.Subject(app, bodies[app.current.digest], reads) for app in found if app.current and app.current.digest in bodies]
    return {one.app.id: told for one, told in zip(subjects, beside.of(plane, scope, subjects), strict=True)}


def _judged(plane: context.Plane, held: policy_bindings.Held, chunk: _Chunk, app: facts.App) -> tuple[str, Mapping[str, object] | None]:
    """The verdict's word, and what to keep of it where it is not simply `allowed`."""
    manifests = chunk.bodies.get(app.current.digest) if app.current else None
    if app.cluster is None or app.current is None or manifests is None:
        return OUTSIDE, None
    served = msgspec.msgpack.decode(app.cluster.capabilities, type=agent.Capabilities) if app.cluster.capabilities else None
    alone = policies.Standing((held,), given={app.project_id: chunk.given.given.get(app.project_id, ())})
    told = chunk.told[app.current.id]
    rendered = told.rendered or domain_facts.Rendered()
    known = surroundings.Known(app, app.cluster, served, source=rendered.source, beside=chunk.beside[app.id], clear=rendered.clear)
    rules = judge.rules(known, alone, at=plane.clock.now())
    if not rules.bound:
        return OUTSIDE, None
    verdict = judge.judge(plane, rules, manifests, judge.Origin(app.current.commit, told.signature)).verdict
    word = decisions.word(verdict)
    if word == "allowed" and not verdict.judged:
        return word, None
    found = domain.found(verdict, chunk.known.get(app.id, ()))
    owner = app.labels.get("owner") or app.labels.get("team") or app.project
    names = {"tenant": app.tenant, "project": app.project, "app": app.name, "cluster": app.cluster.name, "owner": owner}
    said = [msgspec.to_builtins(one) for one in found] or [{"rule": "", "object": "", "mode": "error", "message": verdict.error}]
    return word, {"app_id": app.id, **names, "word": word, "found": said}


def _asked(plane: context.Plane, place: authorise.Place, wish: wire.NewPreview) -> tuple[domain.Asked, dict[str, str]]:
    spec = _spec(place, wish)
    of = _given(plane, place, wish.set) if wish.set else _kept(place, spec.policy_set)
    if problems := policy_bindings.problems(msgspec.structs.replace(spec, policy_set=of.policy.name)):
        raise errors.Invalid({path.replace("spec.", "binding.", 1): said for path, said in problems.items()})
    return domain.asked(of, spec, mode=wish.mode or None), of.policy.files


def _spec(place: authorise.Place, wish: wire.NewPreview) -> policy_bindings.BindingSpec:
    if wish.binding is not None and wish.binding_name:
        raise errors.Invalid({"bindingName": "is of a binding that is kept, and another is given; leave one of them out"})
    if wish.binding_name:
        where = {"tenant_id": place.scope.tenant, "project_id": None}
        row = rows.find(place.tx, policies.BINDING_SHELF, where, wish.binding_name)
        if row is None:
            raise errors.Invalid({"bindingName": f"there is no policy binding {wish.binding_name!r} here"})
        return msgspec.convert(row.spec, policy_bindings.BindingSpec)
    if wish.binding is None and wish.set is None:
        raise errors.Invalid({"set": "give a policy set, a binding that names one, or the name of a binding"})
    return wish.binding or policy_bindings.BindingSpec()


def _given(plane: context.Plane, place: authorise.Place, wish: wire.SetWish) -> policy.Binding:
    """A set that is not kept, compiled as if it were."""
    if not wish.files or sum(map(len, wish.files.values())) > documents.MAX_POLICY_BYTES:
        raise errors.Invalid({"set.files": f"a policy set has files, of at most {documents.MAX_POLICY_BYTES:,} characters together"})
    name = wish.name if place.names.tenant else f"{policies.PLATFORM}{wish.name}"
    files = policy.policy_files(name, wish.files, wish.spec.style)
    plane.policies.check(files)
    return policy.Binding(files, wish.spec.mode, wish.spec.rules, wish.spec.parameters)


def _kept(place: authorise.Place, name: str) -> policy.Binding:
    standing = policies.load(place.tx, place.scope.tenant, named=place.names.tenant, projects={})
    wanted = name if place.names.tenant else f"{policies.PLATFORM}{name}"
    found = next((one.binding for one in standing.everywhere if one.binding.policy.name == wanted), None)
    if found is None:
        whose = "the platform's as platform/NAME" if place.names.tenant else "those of the platform alone"
        raise errors.Invalid({"binding.policySet": f"there is no policy set {name!r}; name one of your own, or {whose}"})
    return found


def _tenants(plane: context.Plane, place: authorise.Place) -> Sequence[str]:
    if place.names.tenant:
        return (place.scope.tenant,)
    with engine.dispatch(plane.engine) as tx:
        return tenants.ids(tx)


def _count(plane: context.Plane, tenant: str) -> int:
    with engine.begin(plane.engine, access.Scope(tenant, access.SYSTEM)) as tx:
        return previews.count(tx, tenant)


def _find(place: authorise.Place, number: str | int) -> engine.Row:
    found = previews.find(place.tx, place.scope.tenant, int(number)) if str(number).isdecimal() and len(str(number)) < 18 else None  # noqa: PLR2004 - digits of a bigint
    if found is None:
        raise errors.NotFound("preview", str(number))
    return found


def _tell_ended(plane: context.Plane, place: authorise.Place, row: engine.Row, made: previews.Step) -> None:
    asked = msgspec.convert(row.asked, domain.Asked)
    told = policy_details.Previewed(
        set=asked.set,
        digest=asked.digest,
        binding=generic.plain(asked.spec),
        apps=made.done,
        counts={word: number for word, number in made.counts.items() if word != UNTOLD},
    )
    record.append(plane, place.tx, place.scope, "policy.preview.ended", target=f"preview/{row.number}", details=told)


def _shown(row: engine.Row) -> wire.Preview:
    asked, counts = msgspec.convert(row.asked, domain.Asked), {word: number for word, number in row.counts.items() if word != UNTOLD}
    return wire.Preview(
        number=row.number,
        set=asked.set,
        digest=asked.digest,
        mode=asked.mode,
        made_by=row.actor,
        made_at=facts.stamp(row.made_at),
        ended_at=facts.stamp(row.ended_at),
        total=row.total,
        done=row.done,
        outside=counts.pop(OUTSIDE, 0),
        counts=counts,
    )


def _whole(place: authorise.Place, row: engine.Row) -> wire.Preview:
    sums = previews.sums(place.tx, place.scope.tenant, row.number)
    by = {
        f"by_{name}": tuple(wire.Sum(name=one.name, word=one.word, count=one.number, new=getattr(one, "new", 0)) for one in found)
        for name, found in sums.items()
    }
    asked = msgspec.convert(row.asked, domain.Asked)
    untold = row.counts.get(UNTOLD, 0)
    notes = domain.unasked(domain.held(asked, row.files).binding.policy, untold) if untold else ()
    return msgspec.structs.replace(_shown(row), notes=notes, **by)


def _app(row: engine.Row) -> wire.PreviewApp:
    names = {name: getattr(row, name) for name in ("tenant", "project", "app", "cluster", "owner")}
    return wire.PreviewApp(**names, verdict=row.word, found=msgspec.convert(row.found, tuple[domain.Found, ...]))
