"""What policy decided, and deciding it again from what was kept."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from plane.domain import errors, objects
from plane.domain.judging import decisions as domain
from plane.domain.judging import policy
from plane.server import authorise, context
from plane.server import documents as generic
from plane.server.delivering import judge
from plane.store.delivering import decisions, facts
from plane.store.engine import Row
from plane.wire import bundle, rest
from plane.wire import decisions as wire

MAY = "release:get"
Texts = dict[str, str]


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.DecisionQuery) -> rest.Page[wire.Decision]:
    """Records of a tenant's apps, those that the caller may read, newest first."""
    wanted = decisions.Wanted(query.project, query.app, query.verdict, _place(query), query.limit + 1)
    with authorise.enter(plane, caller, names, MAY, parts=True) as place:
        found = decisions.page(place.tx, place.scope.tenant, wanted, place.reach)
    shown = [(row.made_at.isoformat(), _shown(row)) for row in found]
    return _paged(shown, query.limit)


def _paged(shown: list[tuple[str, wire.Decision]], limit: int) -> rest.Page[wire.Decision]:
    at = {one.id: f"{made}|{one.id}" for made, one in shown}
    return rest.page([one for _, one in shown], limit, key=lambda one: at[one.id])


def _place(query: wire.DecisionQuery) -> tuple[str, str] | None:
    after = rest.after(query)
    made, _, identity = after.partition("|")
    try:
        if after and generic.is_id(identity):
            return dt.datetime.fromisoformat(made).isoformat(), identity
    except ValueError:
        pass
    if after:
        raise errors.Invalid({"cursor": "is not one that this plane gave; begin without it"})
    return None


def one(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, identity: str) -> wire.WholeDecision:
    """One record with every rule's outcome."""
    kept = load(plane, caller, names, identity)
    row, terms = kept.row, kept.terms or domain.Terms()
    verdict = msgspec.convert(row.verdict, policy.Verdict)
    return wire.WholeDecision(
        **msgspec.structs.asdict(_shown(row)),
        rules=domain.outcomes(terms, verdict),
        judged=verdict.judged,
        left_out=verdict.left_out,
        terms=row.terms,
        in_force=terms.bound,
        parameters={one.set: one.parameters for one in kept.questions},
        context_digest=domain.ground(msgspec.structs.replace(kept.context, now="")).digest,
        context=row.context,
        missing=missing(kept),
    )


def replay(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, identity: str) -> wire.DecisionReplay:
    """Ask the engine again what it was asked then, or say what is no longer there to ask with."""
    kept = load(plane, caller, names, identity)
    row = kept.row
    recorded = msgspec.convert(row.verdict, policy.Verdict)
    said = wire.DecisionReplay(id=row.id, identical=False, outcome=row.outcome, verdict=row.word, missing=missing(kept))
    if said.missing or kept.terms is None or kept.body is None:
        return said
    again = _verdict(plane, kept, kept.terms, kept.body)
    outcome = domain.outcome_digest(again)
    return msgspec.structs.replace(
        said,
        identical=outcome == row.outcome,
        replayed=outcome,
        replayed_verdict=domain.word(again),
        notes=tuple(_notes(plane, row, again)),
        differences=domain.differences(recorded, again),
    )


class Kept(msgspec.Struct, frozen=True):
    """A record with what is still there of what it rests on: terms, what questions said, texts of sets and the release's objects."""

    row: Row
    context: policy.PolicyContext
    questions: tuple[domain.Question, ...]
    grounds: Mapping[str, bytes]
    terms: domain.Terms | None
    body: bytes | None


def load(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, identity: str) -> Kept:
    """One record, of an app that the caller may read; NotFound."""
    with authorise.enter(plane, caller, names, MAY, parts=True) as place:
        row = decisions.find(place.tx, place.scope.tenant, identity, place.reach) if generic.is_id(identity) else None
        if row is None:
            raise errors.NotFound("decision", identity)
        questions = msgspec.convert(row.questions, tuple[domain.Question, ...])
        wanted = {row.terms, *(one.set for one in questions), *(digest for one in questions for digest in one.told.values())}
        grounds = decisions.grounds(place.tx, place.scope.tenant, sorted(wanted))
        body = decisions.body(place.tx, place.scope.tenant, row.release)
    terms = msgspec.json.decode(grounds[row.terms], type=domain.Terms) if row.terms in grounds else None
    return Kept(row, msgspec.convert(row.context, policy.PolicyContext), questions, grounds, terms, body)


def missing(kept: Kept) -> tuple[str, ...]:
    """Sentences on what is gone, or was never there to ask with."""
    sets = {one.digest: one.set for one in kept.terms.bound} if kept.terms else {}
    found = ["the objects of the release are no longer kept"] if kept.body is None else []
    found += [] if kept.terms else ["the bindings and waivers that were in force are no longer kept"]
    found += [
        f"policy set {sets.get(one.set, '')} ({one.set[:19]}) was removed, and its text is no longer kept"
        for one in kept.questions
        if one.set not in kept.grounds
    ]
    told = {field: digest for one in kept.questions for field, digest in one.told.items()}
    found += [
        f"what rules were told as input.{field} is no longer kept" for field, digest in sorted(told.items()) if digest not in kept.grounds
    ]
    if not kept.questions:
        found.append("no policy engine was asked: a binding named a policy set that was not there")
    return tuple(found)


class Again(msgspec.Struct, frozen=True):
    """What was asked then, put together again from what was kept."""

    bound: tuple[policy.Binding, ...]
    questions: dict[tuple[str, bytes], policy.PolicyInput]  # by `Binding.question`
    manifests: tuple[objects.Manifest, ...]


def asked(kept: Kept, terms: domain.Terms, packed: bytes) -> Again:
    """The questions of a decision of which nothing is missing."""
    bodies = [msgspec.json.decode(one) for one in bundle.unpack(kept.row.release, packed)]
    manifests = tuple(objects.Manifest(objects.key_of(one), str(one.get("apiVersion", "")), one) for one in bodies)
    texts = {one.set: msgspec.json.decode(kept.grounds[one.set], type=Texts) for one in kept.questions}
    bound = tuple(domain.binding(one, texts[one.digest]) for one in terms.bound)
    told = {(one.set, one.parameters): one.told for one in kept.questions}
    questions = {}
    for each in bound:
        fields = told[each.policy.digest, domain.ground(each.parameters).digest]
        said = {field: msgspec.json.decode(kept.grounds[digest]) for field, digest in fields.items()}
        questions[each.question()] = domain.asked(bodies, kept.context, each.parameters, said)
    return Again(bound, questions, manifests)


def _verdict(plane: context.Plane, kept: Kept, terms: domain.Terms, packed: bytes) -> policy.Verdict:
    again, at = asked(kept, terms, packed), dt.datetime.fromisoformat(kept.context.now)
    place = judge.Place(kept.context.app, kept.context.cluster, terms.given, at)
    return judge.fold(plane, again.bound, again.questions, again.manifests, place)


def _notes(plane: context.Plane, row: Row, again: policy.Verdict) -> list[str]:
    engine, found = plane.policies.version(), []
    if engine != row.engine:
        found.append(f"the engine was {row.engine} and is {engine}")
    if row.word == "error" and not again.error:
        found.append("no engine answered then; one does now")
    if again.error and row.word != "error":
        found.append(f"no engine answers now: {again.error}")
    return found


def _shown(row: Row) -> wire.Decision:
    verdict = msgspec.convert(row.verdict, policy.Verdict)
    return wire.Decision(
        id=row.id,
        time=facts.stamp(row.made_at),
        project=row.project,
        app=row.app,
        cluster=row.cluster,
        release=row.release,
        commit=row.commit,
        signature=row.signature,
        verdict=row.word,
        sentence=policy.sentence(verdict),
        violations=len(verdict.judged) + sum(verdict.left_out.values()),
        sets=verdict.policies,
        waivers=domain.waived_by(verdict),
        input=row.input,
        outcome=row.outcome,
        engine=row.engine,
        duration_ms=row.duration_us / 1000,
        actor=row.actor,
        on_behalf_of=row.on_behalf_of,
        trigger=row.trigger,
        previous=row.previous or "",
    )
