"""Case tables: YAML files under tests/cases, read by the plane's own reader."""

from pathlib import Path
from typing import Any

from plane.domain.reading import yaml_text

ROOT = Path(__file__).parent.parent / "cases"


def load(file: str) -> Any:  # noqa: ANN401 whatever the table holds
    """The content of one table, `area/name.yaml`."""
    return yaml_text.parse((ROOT / file).read_bytes()).value


def named(area: str) -> list[tuple[str, dict[str, Any]]]:
    """(file: name, case) of every case in an area; each file is a list of mappings with a `name`."""
    files = sorted((ROOT / area).glob("*.yaml"))
    return [(f"{file.stem}: {case['name']}", case) for file in files for case in load(f"{area}/{file.name}")]
