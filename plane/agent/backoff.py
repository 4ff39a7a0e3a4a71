"""Pauses between attempts that have no end. Not stamina: it gives up after a number or a time, and an agent must not."""

import random


class Backoff:
    """Doubles from `first_s` to `most_s` with full jitter above the first; a wish of the other side (Retry-After) is a lower bound."""

    def __init__(self, *, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._failures = 0

    def reset(self) -> None:
        """It went well."""
        self._failures = 0

    def next_s(self, *, at_least_s: float = 0.0) -> float:
        """The next pause."""
        ceiling: float = min(self._most_s, self._first_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return max(at_least_s, self._first_s + random.random() * (ceiling - self._first_s))  # noqa: S311 - spreads load, guards nothing
