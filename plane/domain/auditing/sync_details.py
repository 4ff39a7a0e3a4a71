"""What `details` of syncs and removals hold: why they begin, what came of them."""

import msgspec

from plane.domain.auditing import details
from plane.domain.deciding import approvals as given


class Moved(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """What the revisions were before, and when that was looked at last: the push lies between then and the event's time."""

    revisions: tuple[str, ...]
    before: str
    looked_at: str = ""


class SyncStarted(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """Why a release goes to a cluster, who asked, and where it comes from.

    `signature`: the kind that the commit carries, none, openpgp, ssh or x509. `verification`: whether one of the project's keys made it,
    valid or why not; not_checked where the project names no keys; `signed_by`: the key, an OpenPGP fingerprint or `SHA256:…`.
    `approved`: somebody allowed deletions; `approvals`: whoever said yes to this release, or to this sync.
    `on_behalf_of`: as the actor of an event has it; `run_as`: NAMESPACE:NAME of the service account that the agent writes as.
    `rolled_back` and `number`: the release that it leaves by itself, and the line of the history it goes to.
    """

    trigger: str
    generation: int
    why: str
    asked_by: str
    on_behalf_of: str = ""
    run_as: str = ""
    author: str = ""
    committer: str = ""
    committed_at: str = ""
    signature: str = ""
    verification: str = ""
    signed_by: str = ""
    released_at: str = ""  # when it was fetched, rendered and judged
    approved: bool = False
    approvals: tuple[given.Approval, ...] = ()
    dry_run: bool = False
    rolled_back: str = ""
    number: int = 0


class ObjectOutcome(msgspec.Struct, frozen=True):
    """What was done to an object."""

    object: str
    result: str


class SyncCompleted(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """What came of it. `counts`: objects by result; `objects`: those that were changed, at most 100; `failed`: at most 50."""

    trigger: str
    asked_by: str
    generation: int
    counts: dict[str, int]
    duration_s: float
    objects: tuple[ObjectOutcome, ...] = ()
    failed: tuple[details.FailedObject, ...] = ()
    needs_approval: tuple[str, ...] = ()
    partial: bool = False  # it succeeded as a dry run, or for some of the objects alone
