"""Health scripts in a folder, laid out as Argo CD's: `group/Kind/health.lua`, `_` for any; `health.yaml` holds Flux's expressions."""

import pathlib

import msgspec

from plane.domain import errors
from plane.domain.health import health_scripts
from plane.domain.reading import documents

LAYOUT = "lay scripts out as GROUP/KIND/health.lua or GROUP/KIND/health.yaml, with _ for any group or kind"


def read(folder: str) -> tuple[health_scripts.Script, ...]:
    """The scripts below a folder, sorted by path; tests beside them are passed over.

    Raises:
        Invalid: a script that lies in no kind's folder, cannot be read, or holds other fields; or no script at all.
    """
    root = pathlib.Path(folder)
    paths = sorted(path for name in health_scripts.FILES for path in root.rglob(name))
    if not paths:
        raise errors.Invalid({folder: f"holds no script; {LAYOUT}"})
    return tuple(_script(root, path) for path in paths)


def _script(root: pathlib.Path, path: pathlib.Path) -> health_scripts.Script:
    kind = health_scripts.placed(path.relative_to(root).parts[:-1])
    if kind is None:
        raise errors.Invalid({str(path): LAYOUT})
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as e:
        raise errors.Invalid({str(path): "cannot be read as text"}) from e
    return health_scripts.Script(*kind, text if path.suffix == ".lua" else _expressions(path, text), str(path))


def _expressions(path: pathlib.Path, text: str) -> health_scripts.Expressions:
    try:
        found = [document.value for document in documents.read(text.encode(), file=str(path)) if document.value is not None]
        return msgspec.convert(found[0] if found else {}, health_scripts.Expressions)
    except msgspec.ValidationError as e:
        raise errors.Invalid({str(path): f"{e}; use current, inProgress and failed"}) from e
