"""Step 5 of the flow: what holds for an app at this moment, and what policy says of its objects."""

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from plane.domain import objects
from plane.domain.judging import bounds, policy, policy_bindings, waivers
from plane.domain.judging import surroundings as facts_of
from plane.server import context
from plane.server.delivering import surroundings
from plane.store.delivering import facts, policies

ENVIRONMENT = ("environment", "env")  # labels of a cluster that say which one it is part of


class Origin(msgspec.Struct, frozen=True):
    """Where what is judged comes from. `signature`: the kind that the commit carries; `written`: the objects as the source has them."""

    commit: str
    signature: str = ""
    written: tuple[objects.Manifest, ...] = ()
    source: facts_of.SourceFacts = facts_of.SourceFacts()


class Rules(msgspec.Struct, frozen=True):
    """What holds for one app, and what may be told of it; `given`: the waivers in force. `until`: when time alone changes that."""

    known: surroundings.Known
    bound: tuple[policy.Binding, ...] = ()
    given: tuple[waivers.Waiver, ...] = ()
    dangling: tuple[str, ...] = ()
    until: dt.datetime | None = None

    def key(self) -> list[Any]:
        """All of it that a verdict depends on, plain; the waivers only where there are any."""
        bound = [(one.policy.digest, one.mode, one.rules, one.parameters, one.name, one.namespaces) for one in self.bound]
        now = [[one.name for one in self.bound if one.at_once]] if any(one.at_once for one in self.bound) else []
        exceptions = [[(one.name, msgspec.to_builtins(one.spec)) for one in self.given]] if self.given else []
        return [bound, *self.dangling, *now, *exceptions, *surroundings.key(self.bound, self.known)]

    def reads(self) -> frozenset[str]:
        """What of the database its sets look at."""
        return surroundings.reads(self.bound)


def rules(known: surroundings.Known, standing: policies.Standing, *, at: dt.datetime) -> Rules:
    """Those that are about this app in this cluster, now."""
    app = known.app
    target = policy_bindings.Target(app.project, app.labels, known.cluster.labels)
    held, given = standing.of(app.project_id), standing.given.get(app.project_id, ())
    turns = [turn for turn in (policy_bindings.next_change(held, target, at=at), waivers.next_change(given, at=at)) if turn]
    return Rules(
        known,
        policy_bindings.in_force(held, target, at=at),
        tuple(one for one in given if waivers.state(one, at=at) == "in-force"),
        standing.dangling,
        min(turns, default=None),
    )


class Judgement(msgspec.Struct, frozen=True):
    """A verdict with what it rests on: every question to the engine, and how long all took."""

    verdict: policy.Verdict
    context: policy.PolicyContext
    asked: tuple[tuple[policy.Binding, policy.PolicyInput], ...] = ()
    took_s: float = 0.0


def judge(plane: context.Plane, held: Rules, manifests: tuple[objects.Manifest, ...], origin: Origin) -> Judgement:
    """Ask every policy set in force; an engine that fails is a denial with its own reason."""
    now, started = plane.clock.now(), time.perf_counter()
    told = _context(held.known, facts.stamp(now), origin)
    if held.dangling:
        return Judgement(policy.Verdict(tuple(one.policy.digest for one in held.bound), (), held.dangling[0]), told)
    asked = policy.PolicyInput(tuple(manifest.body for manifest in manifests), told)
    questions = {one.question(): (one, surroundings.told(asked, one, held.known)) for one in held.bound}
    place = Place(held.known.app.name, held.known.cluster.name, held.given, now)
    verdict = fold(plane, held.bound, {key: question for key, (_, question) in questions.items()}, manifests, place)
    return Judgement(verdict, told, tuple(questions.values()), time.perf_counter() - started)


Questions = Mapping[tuple[str, bytes], policy.PolicyInput]  # by `Binding.question`


class Place(msgspec.Struct, frozen=True):
    """Where and when exceptions are looked for: the names of app and cluster, the waivers in force."""

    app: str
    cluster: str
    given: tuple[waivers.Waiver, ...]
    at: dt.datetime


def fold(
    plane: context.Plane,
    bound: tuple[policy.Binding, ...],
    questions: Questions,
    manifests: tuple[objects.Manifest, ...],
    place: Place,
) -> policy.Verdict:
    """The engine's answers under the modes in force, with the waivers that make exceptions, as far as it is kept."""
    digests = tuple(one.policy.digest for one in bound)
    found: dict[tuple[str, bytes], tuple[policy.Violation, ...]] = {}
    try:
        for one in bound:
            if one.question() not in found:
                violations = bounds.shortened(plane.policies.violations(one.policy, questions[one.question()]))
                found[one.question()] = policy.located(violations, manifests)
    except policy.PolicyFailed as e:
        return policy.Verdict(digests, (), bounds.kept(str(e)))
    judged = policy.fold([(one, found[one.question()]) for one in bound])
    named = {one.violation.object for one in judged}
    subjects = {str(one.key): waivers.subject(one) for one in manifests if str(one.key) in named}
    waived = waivers.waive(judged, place.given, subjects, app=place.app, cluster=place.cluster, at=place.at)
    return bounds.bounded(policy.Verdict(digests, waived))


def _context(known: surroundings.Known, now: str, origin: Origin) -> policy.PolicyContext:
    app, cluster, request = known.app, known.cluster, known.app.request
    return policy.PolicyContext(
        tenant=app.tenant,
        project=app.project,
        app=app.name,
        cluster=cluster.name,
        now=now,
        namespace=app.spec.destination.namespace,
        cluster_labels=cluster.labels,
        kube_version=cluster.kube_version,
        repo=app.repositories[0].url if 0 in app.repositories else "",
        commit=origin.commit,
        revision=app.spec.all_sources()[0].target_revision,
        signature=_signature(app, origin),
        trigger=request.trigger if request else "automated",
        actor=request.actor if request else "",
        environment=next((cluster.labels[name] for name in ENVIRONMENT if name in cluster.labels), ""),
    )


def _signature(app: facts.App, origin: Origin) -> Literal["", "none", "unverified", "good"]:
    """Where the project has keys, a commit that none of them signed has been refused before (`permit.check_signed`)."""
    if origin.signature in {"", "none"}:
        return "none" if origin.signature else ""
    return "good" if app.rules.signature_keys else "unverified"
