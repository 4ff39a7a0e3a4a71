"""Step 7 of the flow: one pure function from what is known to what to do, and the sentence that explains it."""

import datetime as dt
from typing import Literal

import msgspec

from plane.domain import apps, policy, retries, schedules, windows
from plane.domain import terms as told

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
]


class Problem(msgspec.Struct, frozen=True):
    """Why there is no usable release: an error's code and sentence, and since when (RFC 3339)."""

    code: str
    sentence: str
    since: str = ""


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
    approved: frozenset[str] = frozenset()  # release digests whose deletions a person approved
    out_of_sync: bool = False  # the agent reports drift
    options_digest: str = ""
    deleting: bool = False
    calendar: schedules.Calendar = schedules.Calendar()
    target: schedules.Target = schedules.Target("")


class Nothing(msgspec.Struct, frozen=True, tag="nothing"):
    """The cluster has, or is being given, what Git wants."""

    sentence: str


class Apply(msgspec.Struct, frozen=True, tag="apply"):
    """Dispatch this release."""

    digest: str
    prune: bool
    trigger: str
    sentence: str
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
    """What must stay the same for a decision to go on, rather than to be another one; its own times are no part of it."""
    kind = decision.__struct_config__.tag
    return f"{kind} {decision.code} {decision.sentence}" if isinstance(decision, Wait) else f"{kind} {decision.sentence}"


REMOVAL = "remove"  # stands where an attempt or an approval of a sync names its release
REMOVE_AGAIN = dt.timedelta(minutes=1)  # nobody pushes a fix for a removal: what stands in its way is in the cluster
FAILED = frozenset({"failed", "refused", "superseded"})  # an agent that said no would say it again, as fast as it is asked


def decide(now: Situation, *, at: dt.datetime) -> Decision:
    """What to do for one app. Order of the guards: destination, deletion, source, policy, request, automation, sync windows."""
    wish = _wish(now, at)
    return _in_time(now, wish, at) if isinstance(wish, Apply) and now.calendar != schedules.Calendar() else wish


def _wish(now: Situation, at: dt.datetime) -> Decision:
    blocked = _destination(now.destination)
    if blocked:
        return blocked
    if now.deleting:
        return _removal(now, at)
    if now.request and now.request.trigger == "rollback":
        return _apply(now, now.request.digest, trigger="rollback", sentence=f"rollback asked for by {now.request.actor}")
    if now.request and now.request.revision:
        return _revision(now, now.request)
    if now.wanted is None or now.problem:
        return _no_release(now.problem)
    refusal = refused(now.spec, now.wanted)
    if refusal:
        return refusal
    if now.request:
        some = " of chosen objects" if now.request.terms.selective() else ""
        return _apply(now, now.wanted.digest, trigger=now.request.trigger, sentence=f"sync{some} asked for by {now.request.actor}")
    return _automatic(now, now.wanted, at)


def _in_time(now: Situation, wish: Apply, at: dt.datetime) -> Decision:
    """Windows and freezes hold back what changes a cluster. What a person asked for is refused rather than done at a time nobody chose."""
    manual = now.request is not None
    ruling = windows.decide(now.calendar, now.target, now=at, manual=manual)
    if ruling.allowed or wish.dry_run:
        return wish
    if now.request:
        return Wait("request-refused", f"the sync that {now.request.actor} asked for may not start now: {ruling.reason}")
    opens = windows.next_change(now.calendar, now.target, now=at)
    until = _written(opens) if opens else ""
    end = f"syncs may start again at {until}" if until else "no end of that is in sight"
    return Wait("outside-window", f"{ruling.reason}; {end}", until=until)


def _revision(now: Situation, request: Request) -> Decision:
    if request.problem:
        return Wait("request-refused", f"the sync to {request.revision} that {request.actor} asked for cannot be: {request.problem}")
    if not request.digest:
        return Wait("source-failed", f"revision {request.revision}, which {request.actor} asked for, is being rendered")
    sentence = f"sync to {request.revision} ({request.commit[:12]}) asked for by {request.actor}"
    return _apply(now, request.digest, trigger=request.trigger, sentence=sentence)


def _destination(cluster: Destination) -> Wait | None:
    if not cluster.known:
        return Wait(
            "cluster-unknown",
            f"cluster {cluster.name} does not exist or is not granted to this tenant; name another, or ask the platform team",
        )
    if not cluster.joined:
        return Wait(
            "cluster-never-joined",
            f"no agent has ever joined from cluster {cluster.name}; run the command that `plane cluster join {cluster.name}` prints",
        )
    if cluster.revoked:
        return Wait(
            "cluster-revoked", f"the agent of cluster {cluster.name} was revoked; join it again with `plane cluster join {cluster.name}`"
        )
    return None


def _removal(now: Situation, at: dt.datetime) -> Decision:
    attempt, approved = now.attempt if now.attempt and now.attempt.digest == REMOVAL else None, REMOVAL in now.approved
    if attempt and not attempt.outcome:
        return Nothing("the agent is removing the app's objects")
    if attempt and attempt.outcome == "terminated":
        return _terminated(attempt, f"the removal of the app's objects was {attempt.message}. Delete the app again to go on")
    if attempt and attempt.needs_approval and not approved:
        ways = "Approve with `plane app approve`, or let its objects stay with `plane app delete --keep-objects`"
        return Wait("needs-approval", f"nothing is deleted yet: {'; '.join(attempt.needs_approval)}. {ways}", attempt.finished)
    if attempt and not attempt.needs_approval and attempt.outcome in FAILED:
        again = dt.datetime.fromisoformat(attempt.finished or "1970-01-01T00:00:00Z") + REMOVE_AGAIN
        if at < again:
            sentence = f"the removal of the app's objects failed: {attempt.message}. It is tried again at {_written(again)}"
            return Wait("attempt-failed", sentence, attempt.finished, until=_written(again))
    return Remove("the app was deleted; its objects go with it", approved)


def _terminated(attempt: Attempt, sentence: str) -> Wait:
    """Neither a failure nor a reason to begin again: a person wanted it to stop."""
    return Wait("terminated", sentence, attempt.finished)


def _written(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _no_release(problem: Problem | None) -> Wait:
    if problem is None:
        return Wait("source-failed", "nothing has been rendered yet; the first look at the repository is on its way")
    return Wait("source-failed", problem.sentence, problem.since)


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


def full(last: Attempt | None) -> Attempt | None:
    """The last sync of all objects."""
    return last.before if last and last.terms.selective() else last


def deployed(last: Attempt | None, digest: str) -> bool:
    """Whether all of a release went to the cluster, and nothing of another one since."""
    whole = full(last)
    return whole is not None and (whole.digest, whole.outcome) == (digest, "succeeded")


def begun(last: Attempt | None, attempt: Attempt) -> Attempt:
    """An attempt that follows the last one."""
    before = full(last)
    stays = attempt.terms.selective() and before is not None and before.digest == attempt.digest and before.outcome
    return msgspec.structs.replace(attempt, before=before) if stays else attempt


def _counts(now: Situation, wanted: Wanted) -> Attempt | None:
    """What automation goes by: a sync of chosen objects counts while it is under way or waits for a person, and then no more."""
    last = now.attempt
    if last and last.digest == wanted.digest and (not last.outcome or last.needs_approval):
        return last
    return full(last)


def _automatic(now: Situation, wanted: Wanted, at: dt.datetime) -> Decision:
    attempt, automated = _counts(now, wanted), now.spec.automated()
    same = attempt is not None and attempt.digest == wanted.digest
    if attempt and same and not attempt.outcome:
        return Nothing("the agent has the task")
    if attempt and same and attempt.needs_approval:
        return _approval(now, attempt, wanted)
    if attempt and same and attempt.outcome == "terminated":
        again = "Begin it again with `plane app sync`, or push a commit"
        return _terminated(attempt, f"the sync of this release was {attempt.message}. {again}")
    if attempt and same and attempt.outcome in FAILED:
        return _failed(now, attempt, at)
    if attempt and same and attempt.outcome == "succeeded" and attempt.options_digest == now.options_digest:
        return _settled(now)
    if automated is None:
        return Wait("manual-sync", "Git and cluster differ and this app syncs by hand; look with `plane app diff`, then `plane app sync`")
    return _apply(now, wanted.digest, trigger="automated", sentence=f"automated sync to {wanted.commit[:12]}")


def _failed(now: Situation, attempt: Attempt, at: dt.datetime) -> Decision:
    """Tried again as long as the app says; a refusal is not, because the agent would say it again."""
    retry = retries.policy(now.spec)
    failed = dt.datetime.fromisoformat(attempt.finished) if attempt.finished else at
    again = retries.due(retry, tries=attempt.tries, failed=failed) if attempt.outcome == "failed" else None
    number = f"retry {attempt.tries + 1}{f' of {retry.limit}' if retry.limit > 0 else ''}"
    if again and at >= again:
        made = _apply(now, attempt.digest, trigger="retry", sentence=f"{number} of the sync that failed: {attempt.message}")
        return msgspec.structs.replace(made, prune=attempt.prune or made.prune, force=attempt.force, terms=attempt.terms)
    coming = f"; {number} comes at {_written(again)}" if again else ""
    way_out = "Mend the cause and run `plane app sync`, or push a fix"
    sentence = f"the last sync of this release failed: {attempt.message}. {way_out}{coming}"
    return Wait("attempt-failed", sentence, attempt.finished, until=_written(again) if again else "")


def _approval(now: Situation, attempt: Attempt, wanted: Wanted) -> Decision:
    """What waited for a person goes on as it was asked for: only a sync that prunes can need approval."""
    if wanted.digest not in now.approved:
        return Wait("needs-approval", f"{'; '.join(attempt.needs_approval)}. Approve with `plane app approve`", attempt.finished)
    approved = _apply(now, wanted.digest, trigger="approved", sentence="the deletions were approved")
    return msgspec.structs.replace(approved, prune=True, terms=attempt.terms)


def _settled(now: Situation) -> Decision:
    automated = now.spec.automated()
    if not now.out_of_sync:
        return Nothing("the cluster has what Git wants")
    if automated and automated.self_heal:
        return Nothing("the agent is healing drift")
    return Wait(
        "manual-sync",
        "somebody changed the cluster and self-heal is off; look with `plane app diff`, then `plane app sync`, "
        "or set syncPolicy.automated.selfHeal",
    )


def _apply(now: Situation, digest: str, *, trigger: str, sentence: str) -> Apply:
    request, automated = now.request, now.spec.automated()
    prune = request.prune if request else bool(automated and automated.prune)
    return Apply(
        digest=digest,
        prune=prune or bool(automated and automated.prune),
        trigger=trigger,
        sentence=sentence,
        force=bool(request and request.force),
        dry_run=bool(request and request.dry_run),
        approved=digest in now.approved,
        terms=request.terms if request else told.Terms(),
    )
