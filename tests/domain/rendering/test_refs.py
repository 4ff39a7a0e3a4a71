"""`$ref/path`: where a renderer finds the file, and whose change it is."""

from plane.domain import apps
from plane.domain.rendering import refs

SOURCE = apps.Source("https://git.example/charts", "web", helm=apps.Helm(value_files=("$values/a/../b.yaml", "own.yaml", "/root.yaml")))


def test_a_reference_becomes_a_path_below_a_folder_of_its_own() -> None:
    assert refs.used(SOURCE) == {"values"}
    found = refs.replaced(SOURCE).helm
    assert found is not None
    assert found.value_files == ("/.refs/values/b.yaml", "own.yaml", "/root.yaml")
    assert [refs.shown(name) for name in found.value_files] == ["$values/b.yaml", "own.yaml", "/root.yaml"]


def test_a_source_without_references_stays_as_it_is() -> None:
    plain = apps.Source("https://git.example/charts", "web")
    assert refs.replaced(plain) is plain


def test_what_is_read_is_told_apart_by_repository() -> None:
    assert refs.split({"web", ".refs/values/b.yaml", ".refs/values/a/c.yaml", ".refs"}) == (
        (".refs", "web"),
        {"values": ("a/c.yaml", "b.yaml")},
    )
