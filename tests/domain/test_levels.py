"""Which of several scripts for one kind is asked."""

import pytest

from plane.domain import levels
from plane.domain.health import health_scripts


@pytest.mark.parametrize(
    ("group", "kind", "wanted"),
    [
        ("a.x.example", "Widget", "exact"),
        ("a.x.example", "Other", "any kind"),
        ("b.x.example", "Widget", "any group"),
        ("b.x.example", "Other", "any of them"),
        ("y.example", "Widget", None),
    ],
)
def test_the_script_that_names_most_of_a_kind_wins(group: str, kind: str, wanted: str | None) -> None:
    scripts = [
        health_scripts.Script("*.x.example", "*", "any of them"),
        health_scripts.Script("*.x.example", "Widget", "any group"),
        health_scripts.Script("a.x.example", "*", "any kind"),
        health_scripts.Script("a.x.example", "Widget", "exact"),
    ]
    found = levels.find(scripts, group, kind)
    assert (found.source if found else None) == wanted


SHOP = levels.Whose("acme", "shop")


def widget(source: str, tenant: str = "", project: str = "", *, local: bool = False) -> health_scripts.Script:
    return health_scripts.Script("x.example", "Widget", source, tenant=tenant, project=project, local=local)


PLATFORM = widget("the platform's")
HERE = widget("the platform's for this cluster", local=True)
TENANT = widget("the tenant's", "acme")
TENANT_HERE = widget("the tenant's for this cluster", "acme", local=True)
PROJECT = widget("the project's", "acme", "shop")


@pytest.mark.parametrize("level", range(5))
def test_the_inner_level_wins_and_within_it_the_cluster(level: int) -> None:
    order = (PROJECT, TENANT_HERE, TENANT, HERE, PLATFORM)
    assert levels.find(reversed(order[level:]), "x.example", "Widget", SHOP) == order[level]


@pytest.mark.parametrize("theirs", [widget("", "globex"), widget("", "acme", "hall"), widget("", "globex", "shop")])
def test_what_is_somebody_elses_is_never_asked(theirs: health_scripts.Script) -> None:
    assert levels.find([theirs], "x.example", "Widget", SHOP) is None
