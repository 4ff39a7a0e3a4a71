"""The tree of an app: its objects, what descends from them, and where traffic flows between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from plane.agent.answering import descent, judging, masking, question
from plane.agent.watching import state
from plane.domain import objects
from plane.domain.health import health
from plane.domain.viewing import network
from plane.domain.viewing import tree as domain
from plane.wire import agent, answers, views

Body = dict[str, Any]
MOST = 2_000  # nodes in an answer
MESSAGE = 1_000  # letters of a node's message


async def answer(asked: question.Asked) -> bytes:
    """What a `tree` question hears."""
    told = _told(asked)
    found = await descent.below(asked, await descent.roots(asked))
    shown, warnings = found.seen[:MOST], list(found.warnings)
    if len(found.seen) > MOST:
        warnings.append(f"the app has {len(found.seen)} objects with what descends from them; the first {MOST} are shown")
    veil = masking.veil(asked.there, asked.task.app_id)
    judges = judging.Judging(asked, veil)
    bodies = await descent.bodies(asked, [one for one in shown if _needed(one, judges, own=one.key in told)])
    uids = frozenset(one.uid for one in shown)
    judged = await judges.all([one for one in shown if one.key not in told], bodies, domain.roots(shown))
    judged |= {key: _said(one) for key, one in told.items()}
    veiled = {key: health.Health(one.status, veil.text(one.message)[:MESSAGE]) for key, one in judged.items()}
    sync = {key: one.sync for key, one in told.items()}
    nodes = [
        msgspec.structs.replace(_node(one, bodies.get(one.key), veiled.get(one.key)), sync=sync.get(one.key, ""), parents=_known(one, uids))
        for one in shown
    ]
    warnings += judges.warnings
    missing = [_missing(key, one) for key, one in sorted(told.items()) if key not in {one.key for one in shown}]
    tree = views.Tree(nodes=(*nodes, *missing[: MOST - len(nodes)]), edges=_edges(shown, bodies), warnings=tuple(warnings))
    return answers.encode(answers.Tree(tree=tree))


def _told(asked: question.Asked) -> Mapping[objects.ObjectKey, agent.ObjectState]:
    """What the plane hears of the app's own objects anyway."""
    held = asked.there.book.get(asked.task.app_id)
    return state.objects_of(held, asked.there.watches) if held else {}


def _needed(one: domain.Seen, judges: judging.Judging, *, own: bool) -> bool:
    """Whether more than its metadata is shown; the health of the app's own objects is known."""
    if one.kind in network.READ or one.kind == domain.POD:
        return True
    return not own and (one.kind not in domain.BARE or judges.scripted(one))


def _said(told: agent.ObjectState) -> health.Health:
    return health.Health(told.health, told.message)  # type: ignore[arg-type] # a status


def _node(one: domain.Seen, body: Body | None, judged: health.Health | None) -> views.Node:
    node = views.Node(
        group=one.key.group,
        kind=one.key.kind,
        namespace=one.key.namespace,
        name=one.key.name,
        uid=one.uid,
        health=judged.status if judged else "",
        message=judged.message if judged else "",
        created=one.created,
    )
    if one.kind != domain.POD or body is None:
        return node
    pod = domain.pod(body)
    return msgspec.structs.replace(node, images=pod.images, ready=pod.ready, restarts=pod.restarts)


def _known(one: domain.Seen, uids: frozenset[str]) -> tuple[str, ...]:
    return tuple(uid for uid in one.owners if uid in uids)


def _missing(key: objects.ObjectKey, told: agent.ObjectState) -> views.Node:
    return views.Node(
        group=key.group,
        kind=key.kind,
        namespace=key.namespace,
        name=key.name,
        sync=told.sync,
        health=told.health,
        message=told.message[:MESSAGE],
    )


def _edges(shown: Sequence[domain.Seen], bodies: Mapping[objects.ObjectKey, Body]) -> tuple[views.Edge, ...]:
    uids = {one.key: one.uid for one in shown}
    read = {key: body for key, body in bodies.items() if (key.group, key.kind) in network.READ}
    pods = [one for one in shown if one.kind == domain.POD]
    pairs = network.edges(read, pods)
    return tuple(views.Edge(source=uids[one], target=uids[other]) for one, other in pairs if one in uids and other in uids)
