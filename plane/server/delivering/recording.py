"""What is kept of a judgement, so that anybody can ask why, and judge again."""

import functools

from plane.domain.judging import decisions as domain
from plane.domain.judging import policy
from plane.server import context
from plane.server.delivering import judge
from plane.store.delivering import decisions, facts


def record(plane: context.Plane, held: judge.Rules, made: judge.Judgement, *, release: str) -> decisions.New | None:
    """The record of a judgement about a release; None where nothing is in force."""
    if not held.bound and not held.dangling:
        return None
    app, told = held.known.app, [(binding, domain.told(asked)) for binding, asked in made.asked]
    questions = tuple(_question(binding, fields) for binding, fields in told)
    rules = {one.policy.digest: _rules(tuple(one.policy.files.items())) for one in held.bound}
    terms = domain.ground(domain.Terms(tuple(map(domain.in_force, held.bound)), held.given, rules))
    grounds = {one.digest: one for one in (terms, *(one for _, fields in told for one in fields.values()))}
    return decisions.New(
        project_id=app.project_id,
        made_at=plane.clock.now(),
        cluster=held.known.cluster.name,
        word=domain.word(made.verdict),
        verdict=made.verdict,
        outcome=domain.outcome_digest(made.verdict),
        input=domain.input_digest(release, made.context, questions),
        context=made.context,
        terms=terms.digest,
        questions=questions,
        engine=plane.policies.version(),
        duration_us=round(made.took_s * 1_000_000),
        actor=app.request.actor if app.request else "plane",
        trigger=_trigger(app, made.context.commit),
        previous=app.current.id if app.current else None,
        sets=tuple(rules),
        grounds=tuple(grounds.values()),
    )


def _question(binding: policy.Binding, fields: dict[str, domain.Ground]) -> domain.Question:
    said = {field: one.digest for field, one in fields.items()}
    return domain.Question(binding.policy.digest, domain.ground(binding.parameters).digest, said)


def _trigger(app: facts.App, commit: str) -> str:
    """Why the app was looked at, as far as it shows."""
    if app.request:
        return app.request.trigger
    if app.current is None:
        return "created"
    return "commit" if app.current.commit != commit else "change"


@functools.lru_cache(maxsize=64)  # a batch asks about the same few sets for each of its apps
def _rules(texts: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return domain.rule_ids(dict(texts))
