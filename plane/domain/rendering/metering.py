"""What renders take."""

import msgspec


class Spent(msgspec.Struct, frozen=True):
    """By one render with the programs it ran: processor time, and the most memory it held at once."""

    cpu_s: float
    peak_bytes: int


class Meter(msgspec.Struct):
    """What renders may take, and what they took; several threads share one."""

    memory_bytes: int | None = None  # of one render, below the pool's own bound
    spent: list[Spent] = msgspec.field(default_factory=list)

    def cpu_s(self) -> float:
        """Of all renders that have ended."""
        return sum(one.cpu_s for one in list(self.spent))  # a copy: other threads add to it
