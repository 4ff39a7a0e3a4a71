"""Sync and compare options: both levels, both prefixes, what is refused and what is warned about."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import annotations, errors, objects, options
from plane.domain.reading import manifests
from tests.support import cases


def full(words: dict[str, str]) -> dict[str, str]:
    return {name.replace("argo/", annotations.ARGO).replace("ours/", annotations.OURS): text for name, text in words.items()}


def manifest(words: dict[str, str]) -> objects.Manifest:
    meta = {"name": "web", "namespace": "shop", "annotations": full(words)}
    return manifests.of({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}, position=objects.Position("app.yaml", 7))


def told(found: msgspec.Struct) -> dict[str, Any]:
    usual = type(found)()
    return {name: value for name, value in msgspec.structs.asdict(found).items() if value != getattr(usual, name)}


def table(file: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases.load(f"options/{file}.yaml")]


@pytest.mark.parametrize("case", table("app"))
def test_an_apps_list_is_read_as_the_table_says(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(errors.Invalid) as refusal:
            options.app(case["words"])
        assert case["refused"] in str(refusal.value)
    else:
        assert told(options.app(case["words"])) == case["expected"]
        assert list(options.app_warnings(case["words"])) == case.get("warnings", [])


@pytest.mark.parametrize("case", table("object"))
def test_what_holds_for_an_object_is_as_the_table_says(case: dict[str, Any]) -> None:
    one = manifest(case["annotations"])
    if "refused" in case:
        with pytest.raises(annotations.BadAnnotation) as refusal:
            options.own(one)
        assert case["refused"] in str(refusal.value)
    else:
        assert told(options.merged(options.app(case.get("app", [])), options.own(one))) == case["expected"]
        assert list(options.warnings(one)) == case.get("warnings", [])


@pytest.mark.parametrize("case", table("live"))
def test_a_live_object_is_read_with_care(case: dict[str, Any]) -> None:
    assert told(options.seen(full(case["annotations"]))) == case["expected"]


WORDS = st.lists(
    st.one_of(
        st.sampled_from(["Prune=false", "Prune=confirm", "Prune=true", "Delete=false", "Replace=true", "PruneLast=true", "=", "a=b=c", ""]),
        st.text(max_size=12),
    ),
    max_size=5,
).map(",".join)


@given(WORDS, WORDS)
def test_what_may_be_desired_is_read_alike_when_it_is_live(argo: str, ours: str) -> None:
    one = manifest({"argo/sync-options": argo, "ours/sync-options": ours})
    try:
        wanted = options.own(one)
    except annotations.BadAnnotation:
        return
    assert options.seen(annotations.of(one.body)) == wanted


@given(WORDS, WORDS)
def test_reading_a_live_object_never_fails(argo: str, ours: str) -> None:
    options.seen(full({"argo/sync-options": argo, "ours/compare-options": ours}))
