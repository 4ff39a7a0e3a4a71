"""How much may be asked: budgets that fill up again steadily, and how a caller is told what is left of one."""

import datetime as dt
import math
from typing import Literal

import msgspec

from plane.domain import errors

Who = Literal["token", "tenant", "address", "agent"]
WINDOW_S = 20  # of the steady rate may be asked at once


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Requests per second; 0: as many as come. `token`: and each session; `address`: of whoever has shown nothing that holds."""

    token: int = 200
    tenant: int = 1000
    address: int = 50
    agent: int = 100

    def of(self, who: Who) -> int:
        """Of one kind of caller."""
        return int(getattr(self, who))


class Standing(msgspec.Struct, frozen=True):
    """A budget after a request. `used`: what has not filled up again."""

    who: Who
    rate: int
    used: float

    @property
    def most(self) -> int:
        """At once."""
        return self.rate * WINDOW_S

    @property
    def left(self) -> int:
        """Whole requests."""
        return max(0, math.floor(self.most - self.used))


def drained(used: float, *, rate: int, seconds: float) -> float:
    """What is still used after a while."""
    return max(0.0, used - rate * seconds)


class Spent(errors.TooMany):
    """There is no budget for a request."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        pause = dt.timedelta(seconds=max(0.0, standing.used + 1 - standing.most) / standing.rate)
        super().__init__(f"more than {standing.rate} requests per second of one {standing.who}", retry_after=pause)


def headers(standings: tuple[Standing, ...]) -> dict[str, str]:
    """RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers-10 writes them."""
    if not standings:
        return {}
    policies = ", ".join(f'"{one.who}";q={one.most};w={WINDOW_S}' for one in standings)
    left = ", ".join(f'"{one.who}";r={one.left};t={math.ceil(one.used / one.rate)}' for one in standings)
    return {"RateLimit-Policy": policies, "RateLimit": left}
