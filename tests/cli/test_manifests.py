import pathlib
import textwrap

import pytest

from plane.cli import failures, manifests


def write(folder: pathlib.Path, name: str, text: str) -> str:
    file = folder / name
    file.write_text(textwrap.dedent(text))
    return str(file)


def document(kind: str, name: str) -> str:
    return f"apiVersion: gitops-plane.io/v1\nkind: {kind}\nmetadata:\n  name: {name}\nspec: {{}}\n"


def test_what_others_need_goes_first_and_the_rest_keeps_its_order(tmp_path: pathlib.Path) -> None:
    order = ["App", "Repository", "Tenant", "PolicySet", "App", "Project", "Credential", "Cluster"]
    file = write(tmp_path, "all.yaml", "---\n".join(document(kind, f"n{at}") for at, kind in enumerate(order)))
    assert [each.label() for each in manifests.read([file])] == [
        "tenant/n2", "cluster/n7", "project/n5", "credential/n6", "repo/n1", "policy/n3", "app/n0", "app/n4",
    ]  # fmt: skip


def test_a_folder_is_read_by_name_without_the_folders_below(tmp_path: pathlib.Path) -> None:
    (tmp_path / "below").mkdir()
    write(tmp_path / "below", "c.yaml", document("App", "c"))
    for name in ("b.yml", "a.yaml"):
        write(tmp_path, name, document("App", name[0]))
    write(tmp_path, "readme.md", "not a document")
    assert [each.name for each in manifests.read([str(tmp_path)])] == ["a", "b"]


def test_a_field_is_found_in_the_second_document_of_a_file(tmp_path: pathlib.Path) -> None:
    file = write(tmp_path, "two.yaml", document("Tenant", "acme") + "---\n# the app\n" + document("App", "web"))
    assert manifests.read([file])[1].where("metadata.name") == f"{file}:11"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", r"f\.yaml:2: this is not YAML"),
        ("- a", r"f\.yaml:1: a document is a mapping"),
        ("apiVersion: apps/v1\nkind: Deployment", r"f\.yaml:1: apiVersion is 'apps/v1'.*Git repository that an App names"),
        (
            "\n\napiVersion: gitops-plane.io/v1\nkind: Apps",
            r"f\.yaml:3: kind 'Apps' is unknown \(did you mean 'App'\?\); known kinds: App, Cluster",
        ),
        ("apiVersion: gitops-plane.io/v1\nkind: App\nmetadata: {}", r"f\.yaml:1: metadata\.name is missing"),
        (document("App", "web") + "---\n" + document("App", "web"), r"f\.yaml:7: app/web is already in .*f\.yaml:1; keep one"),
        ("# nothing", r"no documents in .*f\.yaml"),
    ],
)
def test_a_bad_file_gets_one_sentence_with_its_line(tmp_path: pathlib.Path, text: str, sentence: str) -> None:
    with pytest.raises(failures.WrongUse, match=sentence):
        manifests.read([write(tmp_path, "f.yaml", text)])


def test_every_bad_document_is_told_at_once(tmp_path: pathlib.Path) -> None:
    file = write(tmp_path, "f.yaml", "- a\n---\nkind: App\n")
    with pytest.raises(failures.WrongUse, match="2 documents cannot be used") as refused:
        manifests.read([file])
    assert [line.removeprefix(f"{file}:")[:2] for line in refused.value.details] == ["1:", "3:"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(failures.WrongUse, match=r"nowhere\.yaml: cannot be read \(No such file or directory\)"):
        manifests.read(["nowhere.yaml"])


def test_a_folder_without_documents_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(failures.WrongUse, match=r"no \.yaml, \.yml or \.json file"):
        manifests.read([str(tmp_path)])
