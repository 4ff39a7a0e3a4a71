"""Files of a folder on this disk, as a sync or a diff sends them."""

import base64
import pathlib
import re

import click

from plane.cli import client, failures
from plane.wire import local

_HELP = (
    "Use the files of this folder instead of the app's path in Git, once; refused for a sync of an automated app. Of an app with "
    "several sources: SOURCE=DIR with the source's position, from 1, or its ref; repeatable."
)
_SOURCE = re.compile(r"(?P<word>[A-Za-z0-9_-]{1,63})=(?P<folder>.+)")
option = click.option("--local", "folders", multiple=True, metavar="[SOURCE=]DIR", help=_HELP)


def body(folders: tuple[str, ...]) -> client.Json:
    """The folders as fields of the request; none for none."""
    named = {found["word"]: found["folder"] for one in folders if (found := _SOURCE.fullmatch(one)) and not pathlib.Path(one).exists()}
    if len(folders) == 1 and not named:
        return {"files": files(folders[0])}
    if len(named) != len(folders):
        raise failures.WrongUse("several folders take the place of several sources; write each as --local SOURCE=DIR, each SOURCE once")
    return {"sources": {word: files(folder) for word, folder in named.items()}} if named else {}


def files(folder: str) -> dict[str, str]:
    """Path below the folder → contents, base64. `.git`, and what is no plain file, stays here."""
    root = pathlib.Path(folder)
    if not root.is_dir():
        raise failures.WrongUse(f"{folder}: is no folder")
    found = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()}
    wanted = {str(name): path for name, path in found.items() if ".git" not in name.parts}
    size = sum(path.stat().st_size for path in wanted.values())
    if not wanted:
        raise failures.WrongUse(f"{folder}: holds no file")
    if size > local.MOST_BYTES or len(wanted) > local.MOST_FILES:
        most = f"{local.MOST_FILES} files and {local.MOST_BYTES} bytes"
        raise failures.WrongUse(f"{folder}: holds {len(wanted)} files of {size} bytes; at most {most} are sent")
    return {name: base64.b64encode(path.read_bytes()).decode() for name, path in wanted.items()}


def refuse_revision(given: client.Json, folders: tuple[str, ...]) -> None:
    """Files and a revision of Git say two things."""
    if folders and given.get("revision"):
        raise failures.WrongUse("--local and --revision both say what to sync; leave one of them out")
