"""What renders take."""

from collections.abc import Callable

import msgspec

SHARE = 0.2  # processors that a tenant of weight 1 has all the time before it gives way: 24 pushes a second of one small app (8.3 ms)
AHEAD_S = 1.0  # processor time above that: a push that touches 120 of those, or a few large charts
REMEMBERED_S = 2.0  # so that a tenant with a long sync behind it waits five seconds at most, and is as good as any after ten


class Spent(msgspec.Struct, frozen=True):
    """By one render with the programs it ran: processor time, and the most memory it held at once."""

    cpu_s: float
    peak_bytes: int


def lately(used_s: float, *, weight: int, seconds: float) -> float:
    """What is left of a tenant's processor time after a while."""
    return max(0.0, min(used_s, REMEMBERED_S) - SHARE * weight * seconds)


def _unheard(_: float) -> None:
    """Of no tenant."""


class Meter(msgspec.Struct):
    """What renders may take, and what they took; several threads share one. `told`: the processor time of each."""

    memory_bytes: int | None = None  # of one render, below the pool's own bound
    spent: list[Spent] = msgspec.field(default_factory=list)
    told: Callable[[float], None] = _unheard

    def took(self, one: Spent) -> None:
        """A render has ended."""
        self.spent.append(one)
        self.told(one.cpu_s)

    def cpu_s(self) -> float:
        """Of all renders that have ended."""
        return sum(one.cpu_s for one in list(self.spent))  # a copy: other threads add to it
