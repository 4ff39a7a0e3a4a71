"""Which files of a folder are sent."""

import base64
import pathlib

import pytest

from plane.cli import failures
from plane.cli.running import local


def test_plain_files_are_sent_by_their_path_below_the_folder(tmp_path: pathlib.Path) -> None:
    (tmp_path / "base" / ".git").mkdir(parents=True)
    (tmp_path / "web.yaml").write_bytes(b"kind: A")
    (tmp_path / "base" / "api.yaml").write_bytes(b"kind: B")
    (tmp_path / "base" / ".git" / "config").write_bytes(b"secret")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "web.yaml")
    sent = {name: base64.b64decode(text) for name, text in local.files(str(tmp_path)).items()}
    assert sent == {"web.yaml": b"kind: A", "base/api.yaml": b"kind: B"}


def test_an_empty_folder_and_no_folder_are_wrong_use(tmp_path: pathlib.Path) -> None:
    with pytest.raises(failures.WrongUse, match="holds no file"):
        local.files(str(tmp_path))
    with pytest.raises(failures.WrongUse, match="is no folder"):
        local.files(str(tmp_path / "absent"))


def test_a_folder_that_is_too_large_stays_here(tmp_path: pathlib.Path) -> None:
    (tmp_path / "big.yaml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(failures.WrongUse, match="at most 2000 files"):
        local.files(str(tmp_path))


def test_folders_stand_in_for_sources_by_their_word(tmp_path: pathlib.Path) -> None:
    for name in ("chart", "values"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_bytes(b"a: b")
    sent = local.body((f"1={tmp_path / 'chart'}", f"values={tmp_path / 'values'}"))
    assert {word: list(files) for word, files in sent["sources"].items()} == {"1": ["a.yaml"], "values": ["a.yaml"]}
    assert list(local.body((str(tmp_path / "chart"),))["files"]) == ["a.yaml"]
    assert local.body(()) == {}
    with pytest.raises(failures.WrongUse, match="write each as --local SOURCE=DIR"):
        local.body((str(tmp_path / "chart"), str(tmp_path / "values")))
