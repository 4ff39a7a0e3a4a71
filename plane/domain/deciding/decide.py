"""What the decision about an app looks at, and what may come of it; `next_step` decides."""

from typing import Literal

import msgspec

from plane.domain import apps
from plane.domain.deciding import approvals
from plane.domain.judging import policy
from plane.domain.planning import terms as told
from plane.domain.timing import rollbacks, schedules

WaitCode = Literal[
    "source-failed",
    "policy-refused",
    "cluster-unknown",
    "cluster-never-joined",
    "cluster-revoked",
    "manual-sync",
    "attempt-failed",
    "terminated",
    "needs-approval",
    "empty-render",
    "request-refused",
    "outside-window",
    "deleting",
    "degraded",
    "rolled-back",
    "no-account",
    "suspended",
    "quota",
]


class Problem(msgspec.Struct, frozen=True):
    """Why there is no usable release: an error's code and sentence, since when, and until when if it goes by itself (RFC 3339)."""

    code: str
    sentence: str
    since: str = ""
    until: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """The newest release."""

    digest: str
    commit: str
    verdict: policy.Verdict
    objects: int


class Attempt(msgspec.Struct, frozen=True):
    """The last task of the app. `outcome` empty: still queued or running.

    `before`: where `terms` choose some objects, the last sync of all of them, if it was of the same release and came to its end.
    """

    digest: str
    generation: int
    outcome: str = ""
    message: str = ""
    finished: str = ""
    needs_approval: tuple[str, ...] = ()
    options_digest: str = ""
    prune: bool = False  # as it was asked for; a retry asks the same
    force: bool = False
    tries: int = 0  # how many of these were retries
    fence: int = 0  # refused for its generation: the one the cluster has already seen
    trigger: str = ""
    commit: str = ""
    manual: bool = False  # a person asked for it
    started: str = ""  # when it was queued
    since: str = ""  # of a retry: when the first try ended
    unhealthy: bool = False  # it failed because something did not become healthy
    pauses: tuple[tuple[int, int], ...] = ()  # when its agent does not heal, as it was last told; Unix seconds, 0: no end
    terms: told.Terms = told.Terms()
    before: "Attempt | None" = None


class Request(msgspec.Struct, frozen=True):
    """A sync that a person or a client asked for and nobody has dispatched yet."""

    actor: str
    trigger: Literal["manual", "rollback", "orphan"] = "manual"  # orphan: the app goes, its objects stay
    prune: bool = False
    dry_run: bool = False
    force: bool = False
    digest: str = ""  # a rollback's release, or the one that `revision` gave; both empty: the newest
    commit: str = ""  # of that release
    revision: str = ""  # what to sync to, instead of the source's own
    problem: str = ""  # why `revision` gives no release that may be applied
    terms: told.Terms = told.Terms()
    on_behalf_of: str = ""  # as domain.access.Actor has it
    agreed: tuple[approvals.Approval, ...] = ()  # to the order, where the tenant wants two people for it


class Destination(msgspec.Struct, frozen=True):
    """The cluster as far as dispatch cares."""

    name: str
    known: bool = True
    joined: bool = True
    revoked: bool = False
    last_seen: str = ""


class Situation(msgspec.Struct, frozen=True):
    """All that the decision looks at. `options_digest`: what the next task's options would be; a change of it alone is worth a task."""

    spec: apps.AppSpec
    destination: Destination
    wanted: Wanted | None = None
    problem: Problem | None = None
    attempt: Attempt | None = None
    request: Request | None = None
    approved: frozenset[str] = frozenset()  # release digests whose deletions a person approved, and `policy.approval`s
    out_of_sync: bool = False  # the agent reports drift
    options_digest: str = ""
    deleting: bool = False
    calendar: schedules.Calendar = schedules.Calendar()
    target: schedules.Target = schedules.Target("")
    ill: rollbacks.Illness | None = None  # what the agent says of the last sync's objects
    good: rollbacks.Entry | None = None  # the last release but this one that was Synced and Healthy, where it matters
    rolled_back: rollbacks.Mark | None = None  # the last automatic rollback


class Nothing(msgspec.Struct, frozen=True, tag="nothing"):
    """The cluster has, or is being given, what Git wants."""

    sentence: str


class Apply(msgspec.Struct, frozen=True, tag="apply"):
    """Dispatch this release. `mark`: it is an automatic rollback."""

    digest: str
    prune: bool
    trigger: str
    sentence: str
    commit: str = ""  # of a release that is not the newest
    mark: rollbacks.Mark | None = None
    force: bool = False
    dry_run: bool = False
    approved: bool = False
    terms: told.Terms = told.Terms()


class Remove(msgspec.Struct, frozen=True, tag="remove"):
    """Dispatch the removal of everything the app owns."""

    sentence: str
    approved: bool = False


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Something must change first; the sentence says what. `until`: when time alone may change it (RFC 3339)."""

    code: WaitCode
    sentence: str
    since: str = ""
    until: str = ""


Decision = Nothing | Apply | Remove | Wait


def reason(decision: Decision) -> str:
    """Identifies a decision: while this stays the same, the decision (and its `since`) does, whatever its times."""
    kind = decision.__struct_config__.tag
    return f"{kind} {decision.code} {decision.sentence}" if isinstance(decision, Wait) else f"{kind} {decision.sentence}"


REMOVAL = "remove"  # stands where an attempt or an approval of a sync names its release
FAILED = frozenset({"failed", "refused", "superseded"})  # an agent that said no would say it again, as fast as it is asked


def refused(spec: apps.AppSpec, wanted: Wanted) -> Wait | None:
    """Why a release may not be applied, whoever asks; None when it may."""
    if not wanted.verdict.allowed():
        return Wait("policy-refused", policy.sentence(wanted.verdict))
    automated = spec.automated()
    if not wanted.objects and not (automated and automated.allow_empty):
        return Wait(
            "empty-render",
            "the source renders to no objects at all, which is never applied; check spec.source.path, "
            "or allow it with syncPolicy.automated.allowEmpty",
        )
    return None


def standing(now: Situation, wanted: Wanted) -> bool:
    """Whether policy would stop what is in the cluster already: that stays as it is, and is found and told, until the app changes."""
    verdict = wanted.verdict
    return not verdict.error and not verdict.at_once() and deployed(now.attempt, wanted.digest)


def unapproved(wanted: Wanted, approved: frozenset[str]) -> Wait | None:
    """Why a release waits for the approval that policy requires; None when it needs none, or has it."""
    asked = policy.approval(wanted.digest, wanted.verdict)
    if not asked or asked in approved:
        return None
    return Wait("needs-approval", f"{policy.to_approve_sentence(wanted.verdict)}. Approve with `plane app approve`, or push a fix")


def full(last: Attempt | None) -> Attempt | None:
    """The last sync of all objects."""
    return last.before if last and last.terms.selective() else last


def deployed(last: Attempt | None, digest: str) -> bool:
    """Whether all of a release was applied, and nothing of another one since."""
    whole = full(last)
    return whole is not None and (whole.digest, whole.outcome) == (digest, "succeeded")


def begun(last: Attempt | None, attempt: Attempt) -> Attempt:
    """An attempt that follows the last one."""
    before = full(last)
    stays = attempt.terms.selective() and before is not None and before.digest == attempt.digest and before.outcome
    return msgspec.structs.replace(attempt, before=before) if stays else attempt
