"""What events about policies hold."""

import msgspec

from plane.domain.auditing.details import Details, Plain


class ReleaseApproved(Details, frozen=True, kw_only=True, omit_defaults=True):
    """The violations that policy wanted looked at."""

    violations: tuple[Plain, ...]


class Waived(Details, frozen=True, kw_only=True, omit_defaults=True):
    """What is waived, where, why and until when."""

    waiver: Plain


class Found(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Rules as set/rule, and how many objects break them."""

    rules: tuple[str, ...]
    objects: int


class Sourced(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Digests of a set before and after; `files`: name → text of what is in force now, where that changed."""

    before: str
    after: str
    files: Plain = msgspec.field(default_factory=dict)


class Previewed(Details, frozen=True, kw_only=True, omit_defaults=True):
    """What was tried on how many apps, and how many of them it would refuse, warn of and let through."""

    set: str
    digest: str
    binding: Plain
    apps: int
    counts: Plain = msgspec.field(default_factory=dict)
