import textwrap

import pytest

from plane.cli import lines

TEXT = textwrap.dedent("""\
    apiVersion: gitops-plane.io/v1
    kind: App
    metadata: {name: web}
    spec:
      # where it comes from
      sources:
      - repoURL: https://git.example/a
        path: one
      - repoURL: https://git.example/b
        path: >-
          two
      destination:
        cluster: east
""")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("kind", 1),
        ("metadata.name", 2),
        ("spec.sources[0].path", 7),
        ("spec.sources[1]", 8),
        ("spec.sources[1].path", 9),
        ("spec.destination.cluster", 12),
        ("spec.destination.namespace", 11),  # not there: its parent is
        ("spec.sources[7].path", 5),
        ("nowhere", -1),
    ],
)
def test_a_field_is_found_on_its_line_or_its_nearest_parents(path: str, line: int) -> None:
    assert lines.locate(TEXT, path) == line


def test_json_has_lines_too() -> None:
    assert lines.locate('{"kind": "App",\n "spec": {"source":\n {"path": 7}}}', "spec.source.path") == 2
