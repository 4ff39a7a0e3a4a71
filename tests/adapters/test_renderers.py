"""What sources render to, and what is refused in which words; case tables under tests/cases/render."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from plane import config, ports
from plane.adapters.renderers import globs, helm, kustomize, plain
from plane.adapters.sandbox import pool
from plane.domain import apps, errors, objects
from tests.adapters import trees
from tests.support import cases

OBJECTS, REFUSALS = cases.load("render/objects.yaml"), cases.load("render/refusals.yaml")

Renderers = dict[str, ports.Renderer]


@pytest.fixture(scope="module")
def renderers() -> Renderers:
    made = (helm.Helm(config.program("helm")), kustomize.Kustomize(config.program("kustomize")), plain.Plain())
    return {one.name: one for one in made}


@pytest.fixture(scope="module")
def sandbox(renderers: Renderers) -> Iterator[pool.Pool]:
    with pool.Pool(renderers, size=2) as made:
        yield made


def source(case: dict[str, Any]) -> apps.Source:
    return msgspec.convert({"repoURL": "https://git.example/shop", **case["source"]}, apps.Source)


def render(case: dict[str, Any], renderers: Renderers, sandbox: pool.Pool) -> tuple[objects.Manifest, ...]:
    """The whole way of a source: detect, inputs, sandbox."""
    wanted, tree = source(case), trees.Files(case["files"])
    renderer = next(one for one in renderers.values() if one.detects(tree.files(wanted.path), wanted))
    files = renderer.inputs(tree, wanted)
    assert [file.path for file in files] == case.get("inputs", [file.path for file in files])
    assert sorted(renderer.roots(tree, wanted)) == case.get("roots", sorted(renderer.roots(tree, wanted)))
    job = ports.RenderJob("p", wanted, tree.read(files), "shop", "team", "1.34.0")
    return sandbox.render(renderer.name, job)


@pytest.mark.parametrize("case", OBJECTS, ids=lambda case: case["name"])
def test_a_source_renders(case: dict[str, Any], renderers: Renderers, sandbox: pool.Pool) -> None:
    made = render(case, renderers, sandbox)
    named = [f"{one.key.kind} {one.key.namespace}/{one.key.name} @ {one.position}".replace(" /", " ") for one in made]
    assert sorted(named) == sorted(case["objects"])
    bodies = objects.canonical([one.body for one in made]).decode()
    assert [text for text in case.get("contains", ()) if text not in bodies] == []


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case["name"])
def test_a_source_is_refused(case: dict[str, Any], renderers: Renderers, sandbox: pool.Pool) -> None:
    with pytest.raises(errors.RenderFailed) as caught:
        render(case, renderers, sandbox)
    said, expected = str(caught.value), case["sentence"]
    assert said.startswith(expected.removesuffix("…")) if expected.endswith("…") else said == expected
    assert "plane-render-" not in said
    assert "\n" not in said
    assert case.get("without", "\0") not in said


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.yaml", "a.yaml", True),
        ("*.yaml", "deep/a.yaml", True),
        ("*.yaml", "a.yml", False),
        ("{a,b}.yaml", "b.yaml", True),
        ("{a,{b,c}}*", "c.yaml", True),
        ("a,b", "a,b", True),
        ("[!a]?.yaml", "bc.yaml", True),
        ("[!a]?.yaml", "ac.yaml", False),
        ("[a-c].yaml", "b.yaml", True),
        (r"\*.yaml", "*.yaml", True),
        (r"\*.yaml", "a.yaml", False),
        ("{a", "{a", True),
        ("a.c", "abc", False),
        ("config/**", "config/x/y.yaml", True),
        ("(a|b)+", "a", False),
    ],
)
def test_globs_are_argo_cds(pattern: str, path: str, fits: bool) -> None:  # noqa: FBT001  # the claim
    assert globs.matches(pattern, path) is fits


def test_a_chart_is_found_before_a_kustomization_and_both_before_manifests(renderers: Renderers) -> None:
    found = trees.Files({"a/Chart.yaml": "", "a/kustomization.yaml": "", "b/Kustomization": "", "c/deep/Chart.yaml": "", "c/x.yaml": ""})
    wanted = {path: apps.Source("https://git.example/shop", path) for path in "abc"}
    detected = {path: next(name for name, one in renderers.items() if one.detects(found.files(path), wanted[path])) for path in "abc"}
    assert detected == {"a": "helm", "b": "kustomize", "c": "plain"}


def test_versions_name_the_programs(renderers: Renderers) -> None:
    assert [one.version().split("/")[0] for one in renderers.values()] == ["helm", "kustomize", "plain"]
    assert all(len(one.version()) > len("plain/") for one in renderers.values())
