"""A folder of this machine as a commit's tree: the same rules about paths and links as in the plane."""

import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from plane import ports
from plane.domain import errors


def repository(place: pathlib.Path) -> pathlib.Path:
    """The working copy that a file or folder belongs to; without one, the folder itself."""
    here = place.resolve()
    folder = here if here.is_dir() else here.parent
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)


class Folder:
    """ports.Tree. Files are named from the root; links and `.git` are left out."""

    def __init__(self, root: pathlib.Path) -> None:
        self._root = root
        self._known: dict[str, tuple[ports.File, ...]] = {}

    def files(self, folder: str) -> Sequence[ports.File]:
        """All files below the folder, sorted by path; SourceRefused when there is no such folder."""
        if folder not in self._known:
            self._known[folder] = tuple(sorted(self._walk(self._checked(folder))))
        return self._known[folder]

    def read(self, files: Iterable[ports.File]) -> Mapping[str, bytes]:
        """Contents by path."""
        try:
            return {file.path: (self._root / file.path).read_bytes() for file in files}
        except OSError as error:
            raise errors.SourceRefused(f"{error.filename}: cannot be read ({error.strerror})") from error

    def _checked(self, folder: str) -> pathlib.Path:
        place = pathlib.Path(os.path.normpath(self._root / folder))
        if not place.is_relative_to(self._root):
            raise errors.SourceRefused(f"source.path {folder!r} leaves the repository {self._root}")
        if place.resolve() != place:
            raise errors.SourceRefused(f"source.path {folder!r} goes through a symbolic link; links are never followed")
        if not place.is_dir():
            raise errors.SourceRefused(f"source.path {folder!r} is no folder of {self._root}")
        return place

    def _walk(self, place: pathlib.Path) -> Iterator[ports.File]:
        for above, folders, names in os.walk(place):
            folders[:] = [name for name in folders if name != ".git"]
            for name in names:
                path = pathlib.Path(above, name)
                if path.is_file() and not path.is_symlink():
                    yield ports.File(path.relative_to(self._root).as_posix(), "", path.stat().st_size)
