"""What a release is made from, as one text: while it stays the same, so does the release."""

import msgspec

from plane.domain import objects, release
from plane.domain.judging import surroundings as facts_of
from plane.server.delivering import judge, permit, surroundings
from plane.store.delivering import facts

OVER, BESIDE = " over ", " beside "


class Base(msgspec.Struct, frozen=True):
    """All that is known before the render. `reads`: what of the database the sets in force look at."""

    key: str
    reads: frozenset[str]


def base(app: facts.App, cluster: facts.Cluster, held: judge.Rules, renders: list[str], left_out: list[object]) -> Base:
    """From renders, destination, grant, and the policies with their modes. Not from the secrets' values."""
    place = (
        cluster.id,
        cluster.grant.namespaces,
        cluster.grant.cluster_kinds,
        app.spec.destination.namespace,
        cluster.labels,
        app.rules.destinations,
    )
    owner = release.Owner(app.id, app.tenant, app.project, app.name)
    made = [renders, place, held.key(), str(owner), *msgspec.to_builtins(left_out), *permit.release_key(app)]
    return Base(objects.digest(objects.canonical(made)), held.reads())


def whole(known: Base, beside: surroundings.Beside) -> str:
    """With what the rules were told of the database."""
    over = f"{OVER}{beside.base}" if "changes" in known.reads else ""
    if "inventory" not in known.reads:
        return f"{known.key}{over}"
    told = facts_of.narrowed(beside.inventory, known.reads)
    return f"{known.key}{over}{BESIDE}{objects.digest(objects.canonical(msgspec.to_builtins(told)))}"


def still_right(app: facts.App, cluster: facts.Cluster, known: Base, beside: surroundings.Beside) -> bool:
    """Whether the release there is, is still the one to make."""
    current = app.current
    if current is None or app.problem or app.hard or current.volatile or current.verdict.error:
        return False
    # Once the cluster keeps it, it is judged by what it changed, and changes nothing any more.
    judged_over = msgspec.structs.replace(beside, base=_base(current.key)) if app.reported == current.digest else beside
    return current.key == whole(known, judged_over) and (not current.sealed_for or cluster.agent_key_id in current.sealed_for)


def _base(key: str) -> str:
    return key.partition(OVER)[2].partition(BESIDE)[0]
