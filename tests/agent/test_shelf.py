"""The agent's disk: what it must hold, and what it may swallow when it is full."""

import contextlib
import pathlib
import resource
from collections.abc import Iterator

import pytest

from plane.agent.kept import shelf
from plane.domain import objects
from plane.domain.comparing import fights
from plane.wire import agent


@contextlib.contextmanager
def full(folder: pathlib.Path) -> Iterator[None]:
    """No file may grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / "releases").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def signed(payload: bytes, digest: str, body: bytes = b"") -> agent.SignedTask:
    return agent.SignedTask(payload=payload, signature=b"", bundle=agent.ReleaseBundle(digest=digest, body=body))


@pytest.fixture
def kept(tmp_path: pathlib.Path) -> Iterator[shelf.Shelf]:
    found = shelf.Shelf(tmp_path)
    found.keep({"web": signed(b"first", "one")})
    yield found
    found.close()


def test_a_task_that_finds_no_room_is_refused_with_the_folder_and_the_one_before_stays(kept: shelf.Shelf, tmp_path: pathlib.Path) -> None:
    next_one = {"web": signed(b"second", "two", b"x" * 9000)}
    with full(tmp_path), pytest.raises(OSError, match=r"make room in the agent's state folder.*releases"):
        kept.keep(next_one)
    found = kept.read("web")
    assert found is not None
    assert found.bundle is not None
    assert found.bundle.digest == "one"
    kept.keep(next_one)
    assert kept.bundle("two") is not None


def test_last_words_that_find_no_room_are_known_all_the_same(kept: shelf.Shelf, tmp_path: pathlib.Path) -> None:
    with full(tmp_path):
        kept.finish("web")
        assert kept.holds() == ()
        kept.drop(["web"])
        assert kept.apps() == ()


def test_what_is_left_alone_outlives_the_process_and_ends_with_the_next_task(tmp_path: pathlib.Path) -> None:
    left = {objects.ObjectKey("", "ConfigMap", "shop", "web"): fights.Left("gone", "it is deleted each time")}
    first = shelf.Shelf(tmp_path)
    first.keep({"web": signed(b"first", "one"), "other": signed(b"other", "two")})
    first.fought("web", left)
    first.finish("web")
    first.close()
    second = shelf.Shelf(tmp_path)
    assert (second.fights("web"), second.fights("other")) == (left, {})
    second.fought("web", {})
    assert second.fights("web") == {}
    second.fought("web", left)
    second.keep({"web": signed(b"second", "three")})
    assert second.fights("web") == {}
    second.close()


def test_what_is_left_alone_outlives_a_rewrite(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = {objects.ObjectKey("", "ConfigMap", "shop", "web"): fights.Left("field", "two change it in turn")}
    monkeypatch.setattr(shelf, "COMPACT_BYTES", 100)
    first = shelf.Shelf(tmp_path)
    first.keep({"web": signed(b"first", "one")})
    first.fought("web", left)
    size = (tmp_path / "releases").stat().st_size
    for _ in range(20):
        first.keep({"other": signed(b"other", "two", b"x" * 100)})
    assert (tmp_path / "releases").stat().st_size < size + 20 * 100
    first.close()
    second = shelf.Shelf(tmp_path)
    assert second.fights("web") == left
    second.close()


def test_a_rewrite_that_finds_no_room_leaves_every_task_where_it_is(kept: shelf.Shelf, tmp_path: pathlib.Path) -> None:
    kept.drop(["web"])
    kept.keep({app: signed(app.encode(), app, b"x" * 1000) for app in ("api", "worker")})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, limits[1]))  # the first of both finds room
    try:
        with contextlib.suppress(OSError):
            kept._compact()  # noqa: SLF001 - otherwise only after megabytes
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [kept.bundle(app) is not None for app in ("api", "worker")] == [True, True]
    assert not (tmp_path / "releases.new").exists()
