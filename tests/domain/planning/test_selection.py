"""What a selective sync is about: names, labels, exclusions."""

import pytest

from plane.domain import errors, labels, objects
from plane.domain.planning import selection

WEB = objects.ObjectKey("apps", "Deployment", "shop", "web")
CONFIG = objects.ObjectKey("", "ConfigMap", "shop", "web")
ROLE = objects.ObjectKey("rbac.authorization.k8s.io", "ClusterRole", "", "web")


@pytest.mark.parametrize(
    ("words", "key", "chosen"),
    [
        ([], WEB, True),
        (["apps:Deployment:web"], WEB, True),
        (["apps:Deployment:shop/web"], WEB, True),
        (["apps:Deployment:other/web"], WEB, False),
        (["apps:Deployment:api"], WEB, False),
        ([":Deployment:web"], WEB, False),
        (["*:Deployment:*"], WEB, True),
        (["*:*:shop/*"], WEB, True),
        (["apps:*:w*"], WEB, True),
        ([":ConfigMap:web"], CONFIG, True),
        (["rbac.authorization.k8s.io:ClusterRole:web"], ROLE, True),
        (["*:*:*/web"], ROLE, True),
        (["*:*:shop/web"], ROLE, False),
        (["!apps:Deployment:web"], WEB, False),
        (["!apps:Deployment:web"], CONFIG, True),
        (["!:Secret:*", "*:Deployment:*"], WEB, True),
        (["!:Secret:*", "*:Deployment:*"], CONFIG, False),
        (["*:*:web", "!*:*:web"], WEB, False),
        (["apps:deployment:web"], WEB, False),
    ],
)
def test_objects_are_chosen_by_name(words: list[str], key: objects.ObjectKey, chosen: bool) -> None:  # noqa: FBT001
    assert selection.names(selection.parse(words), key) is chosen


@pytest.mark.parametrize("word", ["web", "Deployment:web", "a:b:c:d", "apps::web", "apps:Deployment:", "!", ""])
def test_a_word_that_names_no_object_is_refused(word: str) -> None:
    with pytest.raises(errors.Invalid, match="names no object; write group:kind:name"):
        selection.parse([word])


@pytest.mark.parametrize(
    ("text", "found", "holds"),
    [
        ("", {}, True),
        ("a=1", {"a": "1"}, True),
        ("a==1", {"a": "1"}, True),
        ("a = 1", {"a": "1"}, True),
        ("a=1", {"a": "2"}, False),
        ("a=1", {}, False),
        ("a=", {"a": ""}, True),
        ("a!=1", {"a": "2"}, True),
        ("a!=1", {}, True),
        ("a!=1", {"a": "1"}, False),
        ("a", {"a": "x"}, True),
        ("a", {}, False),
        ("!a", {}, True),
        ("!a", {"a": "x"}, False),
        ("a in (1,2)", {"a": "2"}, True),
        ("a in (1, 2)", {"a": "3"}, False),
        ("a notin (1,2)", {"a": "3"}, True),
        ("a notin (1,2)", {}, True),
        ("a notin (1,2)", {"a": "1"}, False),
        ("a=1,b=2", {"a": "1", "b": "2"}, True),
        ("a=1,b=2", {"a": "1"}, False),
        ("a in (1,2),!b,c!=3", {"a": "1"}, True),
        ("app.kubernetes.io/name=web", {"app.kubernetes.io/name": "web"}, True),
    ],
)
def test_a_selector_holds_as_in_kubernetes(text: str, found: dict[str, str], holds: bool) -> None:  # noqa: FBT001
    assert labels.matches(labels.parse(text), found) is holds


@pytest.mark.parametrize("text", ["a in b", "a in", "=1", "!a=1", "a b", "a>1 2"])
def test_a_condition_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(errors.Invalid, match="is no condition; write key=value"):
        labels.parse(text)
