"""What projects permit: as Argo CD decides, and where the plane is safer."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from plane.domain import objects, tenancy
from plane.domain.permitting import argo_projects, globs, projects
from tests.support import cases

SOURCES, DESTINATIONS, KINDS, HOMES = (cases.load(f"projects/{name}.yaml") for name in ("sources", "destinations", "kinds", "homes"))
LISTS = {field.encode_name for field in msgspec.structs.fields(projects.Rules)}


def names(table: list[dict[str, Any]]) -> list[str]:
    return [case["name"] for case in table]


def argo_place(said: dict[str, str]) -> argo_projects.Place:
    return msgspec.convert(said, argo_projects.Place)


def key(text: str) -> objects.ObjectKey:
    kind, place = text.split()
    return objects.ObjectKey(*kind.split("/"), *place.split("/"))


@pytest.mark.parametrize("case", SOURCES, ids=names(SOURCES))
def test_sources_are_permitted_as_argo_cd_does(case: dict[str, Any]) -> None:
    spec = argo_projects.Spec(source_repos=tuple(case["repos"]))
    assert (argo_projects.source(spec, case["repo"], name="p") == "") is case["argo"]
    assert (argo_projects.source(spec, case["repo"], name="p", lone=False) == "") is case.get("safe", case["argo"])
    assert (projects.source(projects.Rules(source_repos=tuple(case["repos"])), case["repo"], name="p") == "") is case.get(
        "here", case["argo"]
    )


@pytest.mark.parametrize("case", DESTINATIONS, ids=names(DESTINATIONS))
def test_places_are_permitted_as_argo_cd_does(case: dict[str, Any]) -> None:
    spec, where = argo_projects.Spec(destinations=tuple(map(argo_place, case["destinations"]))), argo_place(case["destination"])
    assert (argo_projects.place(spec, where, name="p") == "") is case["argo"]
    assert (argo_projects.place(spec, where, name="p", lone=False) == "") is case.get("safe", case["argo"])


HERE = [case for case in DESTINATIONS if "here" in case]


@pytest.mark.parametrize("case", HERE, ids=names(HERE))
def test_a_projects_own_destinations_take_away_with_an_exclamation_mark(case: dict[str, Any]) -> None:
    listed = tuple(projects.Place(one.get("name", "*"), one.get("namespace", "")) for one in case["destinations"])
    where = projects.Where(case["destination"]["name"], case["destination"].get("namespace", ""))
    assert (projects.place(projects.Rules(destinations=listed), where, name="p") == "") is case["here"]


@pytest.mark.parametrize("case", KINDS, ids=names(KINDS))
def test_kinds_are_permitted_as_argo_cd_does(case: dict[str, Any]) -> None:
    lists, asked = {name: value for name, value in case.items() if name in LISTS}, key(case["object"])
    assert (argo_projects.kind(msgspec.convert(lists, argo_projects.Spec), asked, name="p") == "") is case["argo"]
    assert (projects.kind(msgspec.convert(lists, projects.Rules), asked, name="p") == "") is case.get("here", case["argo"])


@pytest.mark.parametrize("case", HOMES, ids=str)
def test_applications_live_where_argo_cd_lets_them(case: dict[str, Any]) -> None:
    spec = argo_projects.Spec(source_namespaces=tuple(case["listed"]))
    assert (argo_projects.home(spec, case["namespace"], name="p") == "") is case["argo"]


def test_a_selector_narrows_an_entry_to_clusters_with_its_labels() -> None:
    rules = projects.Rules(destinations=(projects.Place(namespace="shop", selector="env=prod"), projects.Place("dev-*")))
    asked = [("east", {"env": "prod"}), ("east", {"env": "test"}), ("dev-1", {})]
    assert [not projects.place(rules, projects.Where(name, "shop", labels), name="p") for name, labels in asked] == [True, False, True]


def test_a_namespace_is_inside_itself() -> None:
    rules = projects.Rules(destinations=(projects.Place(namespace="shop-*"),))
    where = projects.Where("east")
    assert projects.object_(rules, key("/Namespace /shop-dev"), where, name="p") == ""
    assert "is not among the destinations of project p (*/shop-*)" in projects.object_(rules, key("/Namespace /api"), where, name="p")


def test_the_first_account_that_matches_counts() -> None:
    listed = (projects.Account("ops:deployer", "*", "kube-*"), projects.Account("deployer", "east"), projects.Account("never", "*", "!x"))
    rules = projects.Rules(destination_service_accounts=listed)
    asked = [projects.Where("west", "kube-public"), projects.Where("east", "shop"), projects.Where("west", "shop")]
    assert [projects.account(rules, where) for where in asked] == ["ops:deployer", "shop:deployer", ""]


def test_a_project_goes_on_with_the_lists_of_those_that_hand_theirs_down() -> None:
    above = tenancy.ProjectSpec(inherited_by="tier=shop", destinations=(projects.Place("!prod"),), cluster_resource_whitelist=())
    other = tenancy.ProjectSpec(inherited_by="tier=bank", source_repos=("*",))
    mine = tenancy.effective(tenancy.ProjectSpec(destinations=(projects.Place("*"),)), {"tier": "shop"}, [above, other])
    assert (mine.destinations, mine.source_repos) == ((projects.Place("*"), projects.Place("!prod")), ())
    assert mine.cluster_resource_whitelist == ()


@pytest.mark.parametrize(
    ("spec", "path", "rule"),
    [
        ({"sourceRepos": ["https://git.example/[a"]}, "sourceRepos[0]", "ends inside brackets"),
        ({"destinations": [{"namespace": "[c-a]"}]}, "destinations[0].namespace", "[a-z]"),
        ({"destinations": [{"cluster": "!a", "namespace": "!b"}]}, "destinations[0].namespace", "leave out one thing per entry"),
        ({"destinations": [{"cluster": "!*"}]}, "destinations[0].cluster", "leaves out everything"),
        ({"destinations": [{"selector": "a=b=c"}]}, "destinations[0].selector", "is no condition"),
        (
            {"destinationServiceAccounts": [{"defaultServiceAccount": "a/b"}]},
            "destinationServiceAccounts[0].defaultServiceAccount",
            "must be",
        ),
        (
            {"destinationServiceAccounts": [{"defaultServiceAccount": "a", "cluster": "!x"}]},
            "destinationServiceAccounts[0].cluster",
            "first",
        ),
        ({"inheritedBy": "a=b=c"}, "inheritedBy", "is no condition"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_by_its_place(spec: dict[str, Any], path: str, rule: str) -> None:
    assert rule in tenancy.check_project(msgspec.convert(spec, tenancy.ProjectSpec))[f"spec.{path}"]


@pytest.mark.parametrize(
    ("glob", "text", "matched"),
    [
        ("**", "a/b", True), ("*", "a/b", False), ("a\\*", "a*", True), ("a\\*", "ab", False), ("{a,b*}", "b/c", False),
        ("{a,{b,c}}d", "cd", True), ("{,a}b", "b", True), ("{a,ab}c*", "abcd", True), ("a\\", "a", True),
        ("{*a,b}*c", "xxa-c", True), ("*", "", True),
        ("[!a]", "b", True), ("[a-c]", "d", False), ("[ac]", "c", True), ("x" * 2000, "x", False),
    ],
)  # fmt: skip
def test_a_glob_reads_as_argo_cds(glob: str, text: str, matched: bool) -> None:  # noqa: FBT001 a case
    assert globs.matches(glob, text, stop="/") is matched


@pytest.mark.parametrize("matches", [globs.matches, globs.matches_name])
def test_no_text_takes_a_glob_long(matches: Callable[[str, str], bool]) -> None:
    assert [matches("*a" * 300 + end, "a" * 400) for end in ("", "c", "*")] == [True, False, True]


def test_argo_cd_derives_an_account_of_the_destination() -> None:
    listed = [
        {"server": "https://prod.*", "namespace": "shop", "defaultServiceAccount": "deployer"},
        {"server": "*", "defaultServiceAccount": "x"},
    ]
    spec = msgspec.convert({"destinationServiceAccounts": listed}, argo_projects.Spec)
    asked = [argo_projects.Place("https://prod.example", "prod", "shop"), argo_projects.Place("https://prod.example", "prod", "api")]
    assert [argo_projects.account(spec, where) for where in asked] == ["system:serviceaccount:shop:deployer", ""]
