"""Findings as answers of the API show them."""

from typing import Annotated, Literal

import msgspec

from plane.wire import rest

Mode = Literal["", "audit", "warn", "require-approval", "deny"]


class FindingQuery(rest.Paging, frozen=True, kw_only=True):
    """Which findings; empty: any. `over`: those that were mended in the last 90 days instead of those that are open."""

    project: rest.Text = ""
    app: rest.Text = ""
    policy: rest.Text = ""
    rule: rest.Text = ""
    mode: Mode = ""
    over: bool = False


class SumQuery(rest.Body, frozen=True, kw_only=True):
    """What to count findings by, and which to count."""

    by: Literal["policy", "rule", "project", "app"] = "rule"
    project: rest.Text = ""
    app: rest.Text = ""
    policy: rest.Text = ""
    rule: rest.Text = ""
    mode: Mode = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=rest.MAX_PAGE)] = 100


class Finding(rest.Answer, frozen=True, kw_only=True):
    """A rule that an object of an app breaks. `count`: how often; `firstSeen`: when it was first judged so; `closedAt`: since when not."""

    id: str
    project: str
    app: str
    policy: str
    rule: str
    object: str
    mode: str
    severity: str
    message: str
    by: str
    waiver: str
    count: int
    first_seen: str
    last_seen: str
    closed_at: str


class FindingSum(rest.Answer, frozen=True, kw_only=True):
    """How many findings are open, waived ones with them. `stopping`: of those, what stops releases; `opened`, `closed`: in 7 days."""

    name: str
    open: int
    waived: int
    stopping: int
    apps: int
    opened: int
    closed: int
    oldest: str
