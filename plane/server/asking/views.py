"""Looking at live objects of an app: manifest, tree and events, asked of its agent and passed on."""

from collections.abc import Callable
from typing import TypeVar

from plane.domain import errors, objects, resource_rules
from plane.server import authorise, context
from plane.server.asking import questions
from plane.store.delivering import resource_rules as rules
from plane.store.showing import apps as store
from plane.wire import answers, views
from plane.wire import questions as terms

T = TypeVar("T", bound=answers.Answer)
Shown = TypeVar("Shown")
Answer = Callable[[context.Plane, authorise.Caller, authorise.Names, questions.Asked], Shown | None]


def ask_live(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: views.SubjectQuery) -> questions.Asked:
    """Ask for one live object or for all of the app."""
    return questions.ask(plane, caller, names, questions.Question("manifests", terms=subject(query)))


def ask_tree(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> questions.Asked:
    """Ask for all objects and what descends from them."""
    return questions.ask(plane, caller, names, questions.Question("tree"))


def ask_events(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: views.SubjectQuery) -> questions.Asked:
    """Ask for what Kubernetes says of one object or of all."""
    return questions.ask(plane, caller, names, questions.Question("events", terms=subject(query)))


def subject(query: views.SubjectQuery) -> terms.Subject:
    """Invalid when only half of it is said."""
    if bool(query.kind) != bool(query.name):
        raise errors.Invalid({"name" if query.kind else "kind": "must be given too: both say which object, neither means all of the app"})
    return terms.Subject(kind=query.kind, name=query.name, group=query.group, namespace=query.namespace)


def _hear(kind: type[T], shown: Callable[[T], Shown]) -> Answer[Shown]:
    """The use case that waits for an answer of this kind."""

    def answer(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> Shown | None:
        with authorise.enter(plane, caller, names, "app:get") as place:
            found = questions.heard(place, asked, kind)
            if found:
                store.forget(place.tx, place.scope.tenant, asked.task)
        return shown(found) if found else None

    return answer


live: Answer[views.Live] = _hear(answers.Manifests, lambda found: found.live)
_tree: Answer[views.Tree] = _hear(answers.Tree, lambda found: found.tree)
events: Answer[views.KubeEvents] = _hear(answers.Events, lambda found: found.events)


def tree(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> views.Tree | None:
    """The tree without the kinds that the platform excludes, and without what descends from those alone."""
    found = _tree(plane, caller, names, asked)
    if found is None:
        return None
    with authorise.enter(plane, caller, names, "app:get") as place:
        excluded = rules.load(place.tx)
    return pruned(found, excluded, cluster=asked.cluster)


def pruned(tree: views.Tree, excluded: resource_rules.Rules, *, cluster: str) -> views.Tree:
    """Nodes come with their parents first."""
    gone, kept = set[str](), list[views.Node]()
    for node in tree.nodes:
        key = objects.ObjectKey(node.group, node.kind, node.namespace, node.name)
        below = bool(node.parents) and gone.issuperset(node.parents)
        if below or excluded.excludes(key, cluster):
            gone.add(node.uid)
        else:
            kept.append(node)
    if not gone:
        return tree
    edges = tuple(edge for edge in tree.edges if not gone & {edge.source, edge.target})
    hidden = len(tree.nodes) - len(kept)
    warning = f"{hidden} object{'s' if hidden > 1 else ''} of kinds that the platform excludes, or below them, are left out"
    return views.Tree(nodes=tuple(kept), edges=edges, warnings=(*tree.warnings, warning))
