"""A source's tree with the trees of its refs laid below `.refs/NAME`, so that a renderer needs to know nothing of them."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from plane import ports
from plane.domain import errors
from plane.domain.rendering import refs


class Laid(msgspec.Struct, frozen=True):
    """ports.Tree. A listing of the whole tree is the source's own; files below `.refs` are listed and read by their ref."""

    own: ports.Tree
    others: Mapping[str, ports.Tree]

    def files(self, folder: str) -> Sequence[ports.File]:
        """As the tree that the folder belongs to."""
        parts = folder.split("/", 2)
        if parts[0] != refs.FOLDER or len(parts) == 1 or parts[1] not in self.others:
            return self.own.files(folder)
        try:
            found = self.others[parts[1]].files(parts[2] if len(parts) > 2 else ".")  # noqa: PLR2004 - folder, ref, path
        except errors.SourceRefused:
            return ()
        return [msgspec.structs.replace(file, path=f"{refs.FOLDER}/{parts[1]}/{file.path}") for file in found]

    def read(self, files: Iterable[ports.File]) -> Mapping[str, bytes]:
        """Contents by path; one batch per tree."""
        batches: dict[str, list[ports.File]] = {}
        for file in files:
            ref = file.path.split("/", 2)[1] if file.path.startswith(f"{refs.FOLDER}/") else ""
            batches.setdefault(ref if ref in self.others else "", []).append(file)
        read: dict[str, bytes] = {}
        for ref, batch in batches.items():
            read |= self._read(ref, batch) if ref else self.own.read(batch)
        return read

    def _read(self, ref: str, batch: list[ports.File]) -> dict[str, bytes]:
        prefix = f"{refs.FOLDER}/{ref}/"
        plain = [msgspec.structs.replace(file, path=file.path.removeprefix(prefix)) for file in batch]
        return {prefix + path: content for path, content in self.others[ref].read(plain).items()}
