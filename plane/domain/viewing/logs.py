"""Lines of containers' logs: as the API server sends them with times, chosen by a text, merged by time."""

import re
from collections.abc import Iterable

import msgspec

from plane.domain import objects

LONGEST = 16 * 1024  # letters of a line; what is longer is cut
CUT = "… (cut)"
_TIMED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?(.*)", re.DOTALL)


class Source(msgspec.Struct, frozen=True, order=True):
    """A container of a Pod."""

    pod: objects.ObjectKey
    container: str


class Line(msgspec.Struct, frozen=True):
    """`time`: RFC 3339 as the node wrote it, padded so that it sorts as text; empty when there is none."""

    source: Source
    time: str
    text: str


class Choice(msgspec.Struct, frozen=True):
    """Which lines: those that hold the text, or with `!` in front those that do not."""

    text: str = ""

    def passes(self, line: str) -> bool:
        """Whether a line is chosen."""
        return self.text[1:] not in line if self.text.startswith("!") else self.text in line


def read(raw: bytes, source: Source) -> Line:
    """A line of a log that was asked for with times."""
    text = raw.decode("utf-8", "replace").rstrip("\r")
    if len(text) > LONGEST:
        text = text[:LONGEST] + CUT
    timed = _TIMED.fullmatch(text)
    return Line(source, _padded(timed[1]), timed[2]) if timed else Line(source, "", text)


def merged(lines: Iterable[Line]) -> list[Line]:
    """By time; lines of one container stay in their order."""
    latest: dict[Source, str] = {}
    timed: list[tuple[str, Line]] = []
    for line in lines:
        latest[line.source] = max(latest.get(line.source, ""), line.time)
        timed.append((latest[line.source], line))
    return [line for _, line in sorted(timed, key=lambda pair: pair[0])]


def containers(pod: dict[str, object], *, named: str = "", every: bool = False) -> tuple[str, ...]:
    """Containers of a Pod whose logs are meant: the one that is named, every one, or the one that kubectl would take; it may have none."""
    spec = pod.get("spec")
    parts = spec if isinstance(spec, dict) else {}
    groups = {part: [str(one["name"]) for one in parts.get(part) or ()] for part in ("initContainers", "containers", "ephemeralContainers")}
    if named:
        return (named,) if any(named in group for group in groups.values()) else ()
    if every:
        return tuple(name for group in groups.values() for name in group)
    meta = pod.get("metadata")
    annotations = (meta.get("annotations") or {}) if isinstance(meta, dict) else {}
    usual = annotations.get("kubectl.kubernetes.io/default-container", "")
    return (usual,) if usual in groups["containers"] else tuple(groups["containers"][:1])


def _padded(time: str) -> str:
    """Nine digits of a second: nodes leave out zeros at the end, which breaks the order as text."""
    if not time.endswith("Z"):
        return time
    whole, _, fraction = time[:-1].partition(".")
    return f"{whole}.{fraction:0<9}Z"
