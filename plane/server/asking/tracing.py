"""Why rules said what a decision records: evaluated again line by line, about the objects as they were judged."""

import itertools

import msgspec

from plane.domain import access
from plane.domain.judging import policy, traces
from plane.server import authorise, context
from plane.server.asking import decisions
from plane.store.delivering import policies
from plane.wire import decisions as wire

HIDDEN = "what the platform wrote in {name} is its own to read; ask somebody with policy:get there"


def explain(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, identity: str, query: wire.ExplanationQuery
) -> wire.DecisionExplanation:
    """The first few traces that answer; nothing is kept and nothing changes."""
    kept = decisions.load(plane, caller, names, identity)
    missing = decisions.missing(kept)
    if missing or kept.terms is None or kept.body is None:
        return wire.DecisionExplanation(id=kept.row.id, missing=missing)
    again = decisions.asked(kept, kept.terms, kept.body)
    bound = {one.policy.name: one for one in reversed(again.bound)}  # the first of each set: others ask the same lines
    verdict = msgspec.convert(kept.row.verdict, policy.Verdict)
    ask = traces.Ask(query.rule, query.object, query.library)
    sets = {name: traces.Asked(one.policy, plane.policies.rules(one.policy)) for name, one in bound.items()}
    keys = [str(one.key) for one in again.manifests]
    wanted = traces.chosen(ask, [one.violation for one in verdict.judged], sets, keys)
    made = [
        plane.policies.trace(sets[name].files, again.questions[bound[name].question()], wish)
        for name, wish in itertools.islice(wanted, traces.MOST)
    ]
    hidden = sorted({one.set for one in made if _hides(caller, one) and not all(each.shipped for each in one.definitions)})
    return wire.DecisionExplanation(
        id=kept.row.id,
        items=tuple(traces.without_texts(one) if one.set in hidden else one for one in made),
        left_out=sum(1 for _ in wanted),
        notes=tuple(HIDDEN.format(name=name) for name in hidden),
    )


def _hides(caller: authorise.Caller, made: traces.Trace) -> bool:
    of_platform = made.set.startswith(policies.PLATFORM)
    return of_platform and not access.allows(caller.actor, "policy:get", access.Target())
