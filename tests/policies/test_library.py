"""All rules that come with the plane, together: no input makes their query fail, none costs more the more objects there are."""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import pytest

from plane import config
from plane.adapters.judging import opa, opa_files
from plane.domain.judging import library, policy
from tests.support import cases

Json = dict[str, Any]
SHIPPED = opa_files.shipped()
STRICT = library.binding("strict", SHIPPED.profiles, SHIPPED.texts)
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z", kube_version="v1.33.1")
WRONG: tuple[object, ...] = (None, "text", 7, True, [], [7], {}, {"a": 7})


@pytest.fixture(scope="module")
def engine() -> Iterator[opa.Opa]:
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=60)) as found:
        yield found


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths to everything in a value but itself."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield (*path, step)
        yield from places(one, (*path, step))


def spoilt(manifest: Json) -> Iterator[Json]:
    """The object with something of another type at each of its places but those the reader of files has seen to."""
    identity = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}
    for number, path in enumerate(path for path in places(manifest) if path not in identity):
        body = copy.deepcopy(manifest)
        at: Any = body
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = WRONG[number % len(WRONG)]
        yield body


@pytest.mark.parametrize("manifest", cases.load("policies/objects.yaml"), ids=lambda one: one["kind"])
def test_an_object_of_wrong_types_is_judged_all_the_same(engine: opa.Opa, manifest: Json) -> None:
    asked = tuple(spoilt(manifest))
    engine.violations(STRICT.policy, policy.PolicyInput(asked, CONTEXT, STRICT.parameters))
