"""In what order tests run in parallel: what takes long begins first, beside what else needs the same installation.

pytest-xdist gives each process an equal number of tests in a row, and whoever is done takes from the end of another's row. So each row
begins with its share of the slow ones, whole files together, and ends with quick ones that anybody can take.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence

import pytest

# What a test of a room takes on a busy machine, about; those of the other rooms take no time to speak of.
SECONDS = {
    "faults": 10.0, "security": 4.0, "run": 1.2, "agent": 1.2, "e2e": 0.6,
    "adapters": 0.25, "api": 0.25, "cli": 0.25, "server": 0.25, "packaging": 0.25, "architecture": 0.3, "store": 0.1,
}  # fmt: skip
SHARING = frozenset({"faults", "e2e", "architecture"})  # rooms that a process has one installation for, or has read the whole tree for


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The same order in each of the processes."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        items[:] = ordered(items, processes)


def ordered(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """A row for each process, one after another: its slow files, then quick ones until the rows are equally long."""
    groups: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        groups[_group(item)].append(item)
    rows: list[list[pytest.Item]] = [[] for _ in range(processes)]
    spent = [0.0] * processes
    quick: list[pytest.Item] = []
    for group in sorted(groups.values(), key=_cost, reverse=True):
        if _cost(group):
            least = spent.index(min(spent))
            rows[least] += group
            spent[least] += _cost(group)
        else:
            quick += group
    return _filled(rows, quick, len(items))


def _filled(rows: Iterable[list[pytest.Item]], quick: list[pytest.Item], total: int) -> list[pytest.Item]:
    rows = list(rows)
    found: list[pytest.Item] = []
    for number, row in enumerate(rows, 1):
        missing = max(0, total * number // len(rows) - len(found) - len(row))
        found += row + quick[:missing]
        quick = quick[missing:]
    return found + quick


def _cost(group: Sequence[pytest.Item]) -> float:
    return SECONDS.get(_room(group[0]), 0.0) * len(group)


def _group(item: pytest.Item) -> str:
    return _room(item) if _room(item) in SHARING else item.nodeid.partition("::")[0]


def _room(item: pytest.Item) -> str:
    return item.nodeid.split("/")[1] if item.nodeid.count("/") > 1 else ""
