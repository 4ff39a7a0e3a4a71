"""What the platform excludes is in no tree."""

from plane.domain import resource_rules
from plane.server.asking import views as use
from plane.wire import views


def node(kind: str, uid: str, *parents: str) -> views.Node:
    return views.Node(group="", kind=kind, namespace="shop", name=kind.lower(), uid=uid, parents=parents)


TREE = views.Tree(
    nodes=(node("Service", "s"), node("Widget", "w"), node("Part", "p", "w"), node("Pod", "o", "p", "s"), node("Bolt", "b", "p")),
    edges=(views.Edge(source="s", target="o"), views.Edge(source="s", target="p")),
)


def test_excluded_kinds_and_what_descends_from_them_alone_are_left_out() -> None:
    rules = resource_rules.together([resource_rules.RuleSpec(exclusions=(resource_rules.Filter(kinds=("Part",)),))])
    found = use.pruned(TREE, rules, cluster="east")
    assert [one.kind for one in found.nodes] == ["Service", "Widget", "Pod"]
    assert found.edges == (views.Edge(source="s", target="o"),)
    assert found.warnings == ("2 objects of kinds that the platform excludes, or below them, are left out",)


def test_without_rules_the_tree_stays() -> None:
    assert use.pruned(TREE, resource_rules.Rules(), cluster="east") is TREE
