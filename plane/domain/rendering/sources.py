"""Revisions and paths: what a remote's refs say, and which folders a change touches."""

from collections.abc import Iterable, Mapping


def commit_of(refs: Mapping[str, str], revision: str) -> str:
    """What the remote says a revision is: HEAD, branch, tag (peeled) or full ref; empty when it names no ref."""
    for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}"):
        if name in refs:
            return refs[name]
    return ""


def touches(roots: Iterable[str], changed: frozenset[str]) -> bool:
    """Whether any changed path is a root or lies below one (`.` is above all)."""
    wanted = frozenset(roots)
    return "." in wanted or any(path in wanted or any(part in wanted for part in _folders(path)) for path in changed)


def _folders(path: str) -> Iterable[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[: n + 1]) for n in range(len(parts)))
