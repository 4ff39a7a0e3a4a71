"""Readings from outside: processor time and memory of processes, requests an API server has answered."""

import collections
import os
import pathlib
import re
import ssl
import urllib.request

import msgspec

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")
REQUESTS = re.compile(r"^apiserver_request_total\{(?P<labels>[^}]*)\} (?P<count>\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


class Usage(msgspec.Struct, frozen=True):
    """A process and everything it started: CPU seconds since their start, resident bytes now."""

    cpu_s: float
    rss_bytes: int


def usage(pid: int) -> Usage:
    """Of a process and its descendants, those that ended and were waited for included in CPU."""
    members = [pid, *_descendants(pid)]
    fields = [stat for member in members if (stat := _stat(member))]
    ticks = sum(int(stat[at]) for stat in fields for at in (11, 12)) + sum(int(stat[at]) for stat in fields for at in (13, 14))
    return Usage(ticks / TICKS, sum(int(stat[21]) for stat in fields) * PAGE)


def _stat(pid: int) -> list[str]:
    """proc(5)'s fields from the third on; empty when the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _descendants(pid: int) -> list[int]:
    children = collections.defaultdict(list)
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        stat = _stat(int(path.name))
        if stat:
            children[int(stat[1])].append(int(path.name))
    found, rest = [], [pid]
    while rest:
        below = children[rest.pop()]
        found += below
        rest += below
    return found


class Requests:
    """Requests to an API server by (verb, resource), from its own metrics."""

    def __init__(self, server: str, folder: pathlib.Path) -> None:
        self._url = f"{server}/metrics"
        self._tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        self._tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")

    def read(self) -> collections.Counter[tuple[str, str]]:
        """Totals so far; subtract two readings."""
        with urllib.request.urlopen(self._url, context=self._tls) as answer:  # noqa: S310 always https
            text = answer.read().decode()
        totals: collections.Counter[tuple[str, str]] = collections.Counter()
        for found in REQUESTS.finditer(text):
            labels = dict(LABEL.findall(found["labels"]))
            totals[labels["verb"], labels["resource"]] += int(float(found["count"]))
        return totals
