"""A commit's files without a repository, for what only asks which files there are."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from plane import ports
from plane.domain import errors


class Files:
    """ports.Tree over a mapping; content ids as Git's are: equal content, equal id."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._contents = {path: text.encode() for path, text in files.items()}
        self._files = tuple(sorted(ports.File(path, hashlib.sha1(text).hexdigest(), len(text)) for path, text in self._contents.items()))  # noqa: S324

    def files(self, folder: str) -> Sequence[ports.File]:
        found = tuple(file for file in self._files if folder == "." or file.path.startswith(f"{folder}/"))
        if not found:
            raise errors.SourceRefused(f"source.path {folder!r} does not exist")
        return found

    def read(self, files: Iterable[ports.File]) -> Mapping[str, bytes]:
        return {file.path: self._contents[file.path] for file in files}
