"""Which change makes a new render."""

import msgspec
import pytest

from plane import ports
from plane.domain import apps
from plane.domain.rendering import render

SOURCE = apps.Source("https://git.example/shop", "web", "main", helm=apps.Helm(values="a: 1"))
JOB = ports.RenderJob("p", SOURCE, {}, "web", "shop", "1.36.0", ("v1", "apps/v1"))
FILES = (ports.File("web/Chart.yaml", "1" * 40, 10), ports.File("web/values.yaml", "2" * 40, 20))


class Named:
    def __init__(self, name: str, version: str = "1") -> None:
        self.name, self._version = name, version

    def version(self) -> str:
        return self._version


HELM, PLAIN = Named("helm"), Named("plain")


def key(job: ports.RenderJob = JOB, files: tuple[ports.File, ...] = FILES, renderer: Named = HELM) -> str:
    return render.render_key(renderer, job, files)


def changed(**what: object) -> ports.RenderJob:
    return msgspec.structs.replace(JOB, **what)


def test_the_same_work_has_the_same_key_in_any_order() -> None:
    assert key(files=FILES[::-1], job=changed(api_versions=("apps/v1", "v1"))) == key()


@pytest.mark.parametrize(
    "other",
    [
        key(files=FILES[:1]),
        key(files=(FILES[0], msgspec.structs.replace(FILES[1], blob="3" * 40))),
        key(files=(FILES[0], msgspec.structs.replace(FILES[1], path="web/other.yaml"))),
        key(changed(source=msgspec.structs.replace(SOURCE, helm=apps.Helm(values="a: 2")))),
        key(changed(source=msgspec.structs.replace(SOURCE, path="api"))),
        key(renderer=Named("helm", "2")),
        key(renderer=PLAIN),
        key(changed(app="api")),
        key(changed(namespace="other")),
        key(changed(kube_version="1.37.0")),
        key(changed(api_versions=("v1",))),
    ],
)
def test_everything_a_render_can_read_is_in_the_key(other: str) -> None:
    assert other != key()


def test_a_push_elsewhere_and_a_moved_repository_keep_the_key() -> None:
    moved = msgspec.structs.replace(SOURCE, repo_url="https://other.example/shop", target_revision="v2")
    assert key(changed(source=moved)) == key()


def test_a_cluster_upgrade_renders_only_what_can_read_it() -> None:
    upgraded = changed(kube_version="1.37.0", api_versions=())
    assert key(upgraded, renderer=PLAIN) == key(renderer=PLAIN)
