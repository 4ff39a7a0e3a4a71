"""Addresses of repositories in the form in which two spellings of one are equal, also inside globs."""

import re
from urllib.parse import quote, unquote

_SSH = re.compile(r"(ssh://)?([^/:]*?)@[^@]+")
_PARTS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*:)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?P<more>.*)", re.DOTALL)
_AUTHORITY = re.compile(r"([\w.~!$&'()*+,;=:%@-]*@)?(\[[0-9a-f:.%*]+\]|[\w.~!$&'()*+,;=<>\"*-]*)(:\d*)?", re.ASCII)
_AS_IT_CAME = "/!$&'()*+,;=:@[]%-._~"
_ESCAPED_ANEW = "/$&+,:;=@-._~"
_BROKEN_ESCAPE = re.compile(r"%(?![0-9a-f]{2})")


def plain(url: str) -> str:
    """Lower case, `git@host:path` as `git@host/path`, no `ssh://` in front, no `.git` and no `/` behind."""
    return _spelled(url).removeprefix("ssh://").rstrip("/")


def normal(url: str) -> str:
    """As Argo CD compares them: empty when it is no address, and escaped, so that a path with braces is no glob."""
    said = _spelled(url)
    found = _PARTS.fullmatch(said)
    if found is None or any(ord(char) < 0x20 or ord(char) == 0x7F for char in said):  # noqa: PLR2004 ASCII
        return ""
    scheme, authority, path = found["scheme"] or "", found["authority"], found["path"]
    opaque = bool(scheme) and authority is None and not path.startswith("/")
    if not _readable(authority, "" if opaque else path) or (not scheme and authority is None and ":" in path.partition("/")[0]):
        return ""
    host = "" if authority is None else f"//{authority}"
    return f"{scheme}{host}{path if opaque else _escaped(path)}{found['more']}".removeprefix("ssh://")


def _spelled(url: str) -> str:
    said = url.strip().lower()
    if _SSH.fullmatch(said) and not said.startswith("ssh://"):
        said = f"ssh://{said.replace(':', '/', 1)}"
    return said.removesuffix(".git")


def _readable(authority: str | None, path: str) -> bool:
    return _AUTHORITY.fullmatch(authority or "") is not None and not _BROKEN_ESCAPE.search(path)


def _escaped(path: str) -> str:
    """As it came when all of it may stand in a path; else with everything escaped that need be."""
    return path if quote(path, safe=_AS_IT_CAME) == path else quote(unquote(path), safe=_ESCAPED_ANEW)
