"""Step 7 of the flow: one pure function from what is known to what to do, and the sentence that explains it."""

import datetime as dt

import msgspec

from plane.domain.deciding import decide
from plane.domain.planning import terms as told
from plane.domain.timing import retries, rollbacks, schedules, windows

REMOVE_AGAIN = dt.timedelta(minutes=1)  # nobody pushes a fix for a removal: what stands in its way is in the cluster


def of(now: decide.Situation, *, at: dt.datetime) -> decide.Decision:
    """What to do for one app.

    Order of the guards: destination, deletion, source, policy, request, automation, automatic rollback, sync windows.
    """
    wish = _wish(now, at)
    return _in_time(now, wish, at) if isinstance(wish, decide.Apply) and now.calendar != schedules.Calendar() else wish


def _wish(now: decide.Situation, at: dt.datetime) -> decide.Decision:
    blocked = _withdrawn(now) or _destination(now.destination)
    if blocked:
        return blocked
    if now.deleting:
        return _removal(now, at)
    return _asked(now, now.request) if now.request else _watched(now, _unasked(now, at), at)


def _asked(now: decide.Situation, request: decide.Request) -> decide.Decision:
    if request.trigger == "rollback":
        made = _apply(now, request.digest, trigger="rollback", sentence=f"rollback asked for by {request.actor}")
        return msgspec.structs.replace(made, commit=request.commit)
    if request.revision:
        return _revision(now, request)
    if now.wanted is None or now.problem:
        return _no_release(now.problem)
    refusal = decide.refused(now.spec, now.wanted) or decide.unapproved(now.wanted, now.approved)
    some = " of chosen objects" if request.terms.selective() else ""
    return refusal or _apply(now, now.wanted.digest, trigger=request.trigger, sentence=f"sync{some} asked for by {request.actor}")


def _unasked(now: decide.Situation, at: dt.datetime) -> decide.Decision:
    back = _rolling_back(now, at) or _stopped_rollback(now)
    if back:
        return back
    if now.wanted is None or now.problem:
        return _no_release(now.problem)
    refusal = decide.refused(now.spec, now.wanted) or decide.unapproved(now.wanted, now.approved)
    if refusal is None:
        return _automatic(now, now.wanted, at)
    return _standing(now, now.wanted, refusal, at) if decide.standing(now, now.wanted) else refusal


def _standing(now: decide.Situation, wanted: decide.Wanted, refusal: decide.Wait, at: dt.datetime) -> decide.Decision:
    """Policy refuses what is already in the cluster: it keeps running until something new would have to be sent."""
    made = _automatic(now, wanted, at)
    if isinstance(made, decide.Nothing):
        return decide.Nothing(f"{made.sentence}. Its next change will not go out as it is: {refusal.sentence}")
    return refusal


def _in_time(now: decide.Situation, wish: decide.Apply, at: dt.datetime) -> decide.Decision:
    """Sync windows and freezes delay an automated sync; a manual one is refused instead, so that it does not run at a time nobody chose."""
    manual = now.request is not None
    ruling = windows.decide(now.calendar, now.target, now=at, manual=manual)
    if ruling.allowed or wish.dry_run:
        return wish
    if now.request:
        return decide.Wait("request-refused", f"the sync that {now.request.actor} asked for may not start now: {ruling.reason}")
    return _closed(now, ruling.reason, at)


def _closed(now: decide.Situation, reason: str, at: dt.datetime) -> decide.Wait:
    opens = windows.next_change(now.calendar, now.target, now=at)
    until = _written(opens) if opens else ""
    end = f"syncs may start again at {until}" if until else "no end of that is in sight"
    return decide.Wait("outside-window", f"{reason}; {end}", until=until)


def _revision(now: decide.Situation, request: decide.Request) -> decide.Decision:
    if request.problem:
        return decide.Wait("request-refused", f"the sync to {request.revision} that {request.actor} asked for cannot be: {request.problem}")
    if not request.digest:
        return decide.Wait("source-failed", f"revision {request.revision}, which {request.actor} asked for, is being rendered")
    what = request.revision if request.commit == request.revision else f"{request.revision} ({request.commit[:12]})"  # equal: local files
    sentence = f"sync to {what} asked for by {request.actor}"
    return msgspec.structs.replace(_apply(now, request.digest, trigger=request.trigger, sentence=sentence), commit=request.commit)


def _withdrawn(now: decide.Situation) -> decide.Wait | None:
    """The tenant lost its grant on the cluster; what the app has there is left alone."""
    if now.destination.known or now.attempt is None:
        return None
    gone = f"cluster {now.destination.name} does not exist or is not granted to this tenant any more"
    stays = "what the app has there stays, and nothing of it is changed or pruned"
    ways = "leave its objects with `plane app delete --keep-objects`" if now.deleting else "name another cluster"
    return decide.Wait("cluster-unknown", f"{gone}: {stays}; ask the platform team for the grant, or {ways}")


def _destination(cluster: decide.Destination) -> decide.Wait | None:
    if not cluster.known:
        return decide.Wait(
            "cluster-unknown",
            f"cluster {cluster.name} does not exist or is not granted to this tenant; name another, or ask the platform team",
        )
    if not cluster.joined:
        return decide.Wait(
            "cluster-never-joined",
            f"no agent has ever joined from cluster {cluster.name}; run the command that `plane cluster join {cluster.name}` prints",
        )
    if cluster.revoked:
        return decide.Wait(
            "cluster-revoked", f"the agent of cluster {cluster.name} was revoked; join it again with `plane cluster join {cluster.name}`"
        )
    return None


def _removal(now: decide.Situation, at: dt.datetime) -> decide.Decision:
    attempt, approved = now.attempt if now.attempt and now.attempt.digest == decide.REMOVAL else None, decide.REMOVAL in now.approved
    if attempt and not attempt.outcome:
        return decide.Nothing("the agent is removing the app's objects")
    if attempt and attempt.outcome == "terminated":
        return _terminated(attempt, f"the removal of the app's objects was {attempt.message}. Delete the app again to go on")
    if attempt and attempt.needs_approval and not approved:
        ways = "Approve with `plane app approve`, or let its objects stay with `plane app delete --keep-objects`"
        return decide.Wait("needs-approval", f"nothing is deleted yet: {'; '.join(attempt.needs_approval)}. {ways}", attempt.finished)
    if attempt and not attempt.needs_approval and attempt.outcome in decide.FAILED:
        again = dt.datetime.fromisoformat(attempt.finished or "1970-01-01T00:00:00Z") + REMOVE_AGAIN
        if at < again:
            sentence = f"the removal of the app's objects failed: {attempt.message}. It is tried again at {_written(again)}"
            return decide.Wait("attempt-failed", sentence, attempt.finished, until=_written(again))
    return decide.Remove("the app was deleted; its objects go with it", approved)


def _terminated(attempt: decide.Attempt, sentence: str) -> decide.Wait:
    """A person stopped it: that is no failure, and no reason to start again."""
    return decide.Wait("terminated", sentence, attempt.finished)


def _written(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _no_release(problem: decide.Problem | None) -> decide.Wait:
    if problem is None:
        return decide.Wait("source-failed", "nothing has been rendered yet; the first look at the repository is on its way")
    return decide.Wait("quota" if problem.until else "source-failed", problem.sentence, problem.since, problem.until)


def _counts(now: decide.Situation, wanted: decide.Wanted) -> decide.Attempt | None:
    """The attempt that automation looks at: a selective sync counts only while it is running or waits for approval."""
    last = now.attempt
    if last and last.digest == wanted.digest and (not last.outcome or last.needs_approval):
        return last
    return decide.full(last)


def _automatic(now: decide.Situation, wanted: decide.Wanted, at: dt.datetime) -> decide.Decision:
    attempt, automated = _counts(now, wanted), now.spec.automated()
    tried = _tried(now, attempt, at) if attempt and attempt.digest == wanted.digest else None
    if tried:
        return tried
    if now.rolled_back and now.rolled_back.digest == wanted.digest:
        return decide.Wait("rolled-back", rollbacks.sentence(now.rolled_back), now.rolled_back.at)
    if automated is None:
        ways = "look with `plane app diff`, then `plane app sync`"
        return decide.Wait("manual-sync", f"Git and cluster differ and this app syncs by hand; {ways}")
    return _apply(now, wanted.digest, trigger="automated", sentence=f"automated sync to {wanted.commit[:12]}")


def _tried(now: decide.Situation, attempt: decide.Attempt, at: dt.datetime) -> decide.Decision | None:
    """What to do about a release that was attempted already; None: send it once more."""
    if not attempt.outcome:
        return decide.Nothing("the agent has the task")
    if attempt.needs_approval:
        return _approval(now, attempt)
    if attempt.outcome == "terminated" or (attempt.outcome == "halted" and now.spec.automated() is None):
        again = "Begin it again with `plane app sync`, or push a commit"
        return _terminated(attempt, f"the sync of this release was {attempt.message}. {again}")
    if attempt.outcome in decide.FAILED:
        return _failed(now, attempt, at)
    settled = attempt.outcome == "succeeded" and attempt.options_digest == now.options_digest
    return _settled(now, at) if settled else None


def _failed(now: decide.Situation, attempt: decide.Attempt, at: dt.datetime) -> decide.Decision:
    """Retry as `syncPolicy.retry` says; not after a refusal, which the agent would only repeat."""
    retry = retries.policy(now.spec)
    failed = dt.datetime.fromisoformat(attempt.finished) if attempt.finished else at
    again = retries.due(retry, tries=attempt.tries, failed=failed) if attempt.outcome == "failed" else None
    number = f"retry {attempt.tries + 1}{f' of {retry.limit}' if retry.limit > 0 else ''}"
    if again and at >= again:
        return _once_more(now, attempt, trigger="retry", sentence=f"{number} of the sync that failed: {attempt.message}")
    coming = f"; {number} comes at {_written(again)}" if again else ""
    way_out = "Mend the cause and run `plane app sync`, or push a fix"
    sentence = f"the last sync of this release failed: {attempt.message}. {way_out}{coming}"
    return decide.Wait("attempt-failed", sentence, attempt.finished, until=_written(again) if again else "")


def _once_more(now: decide.Situation, attempt: decide.Attempt, *, trigger: str, sentence: str) -> decide.Apply:
    """The same sync with the same terms, but no longer bound to a saved plan, which is partly done or was approved."""
    made = _apply(now, attempt.digest, trigger=trigger, sentence=sentence)
    as_asked = {"force": attempt.force, "terms": msgspec.structs.replace(attempt.terms, plan=""), "commit": attempt.commit}
    return msgspec.structs.replace(made, prune=attempt.prune or made.prune, **as_asked)


def _approval(now: decide.Situation, attempt: decide.Attempt) -> decide.Decision:
    """Continue an approved sync with its own terms; only one that prunes can have needed approval."""
    if attempt.digest not in now.approved:
        return decide.Wait("needs-approval", f"{'; '.join(attempt.needs_approval)}. Approve with `plane app approve`", attempt.finished)
    approved = _once_more(now, attempt, trigger="approved", sentence="the deletions were approved")
    return msgspec.structs.replace(approved, prune=True)


def _settled(now: decide.Situation, at: dt.datetime) -> decide.Decision:
    automated = now.spec.automated()
    if not now.out_of_sync:
        return decide.Nothing("the cluster has what Git wants")
    if automated and automated.self_heal:
        ruling = windows.decide(now.calendar, now.target, now=at)
        closed = f"somebody changed the cluster, and the agent does not heal it now: {ruling.reason}"
        return decide.Nothing("the agent is healing drift") if ruling.allowed else _closed(now, closed, at)
    return decide.Wait(
        "manual-sync",
        "somebody changed the cluster and self-heal is off; look with `plane app diff`, then `plane app sync`, "
        "or set syncPolicy.automated.selfHeal",
    )


def _apply(now: decide.Situation, digest: str, *, trigger: str, sentence: str) -> decide.Apply:
    request, automated = now.request, now.spec.automated()
    prune = request.prune if request else bool(automated and automated.prune)
    return decide.Apply(
        digest=digest,
        prune=prune or bool(automated and automated.prune),
        trigger=trigger,
        sentence=sentence,
        force=bool(request and request.force),
        dry_run=bool(request and request.dry_run),
        approved=digest in now.approved,
        terms=request.terms if request else told.Terms(),
    )


def _rolling_back(now: decide.Situation, at: dt.datetime) -> decide.Decision | None:
    """Continue an unfinished automatic rollback, unless a newer release replaces it."""
    mark, attempt = now.rolled_back, now.attempt
    superseded = mark and now.wanted and now.wanted.digest != mark.digest
    if mark is None or attempt is None or superseded or (attempt.digest, attempt.trigger) != (mark.to.digest, "rollback"):
        return None
    if not attempt.outcome:
        return decide.Nothing(f"the agent is going back to entry {mark.to.number} of the history, because {mark.why}")
    if attempt.needs_approval:
        return _approval(now, attempt)
    if attempt.outcome == "halted":
        return _back(now, mark)
    return _failed(now, attempt, at) if attempt.outcome in decide.FAILED else None


def _stopped_rollback(now: decide.Situation) -> decide.Decision | None:
    """Continue a manual rollback that waits for approval; the newest release has no say in it."""
    attempt, by_hand = now.attempt, now.spec.automated() is None
    waits = attempt is not None and attempt.trigger in {"rollback", "approved"} and bool(attempt.needs_approval)
    other = now.wanted is not None and attempt is not None and attempt.digest != now.wanted.digest
    return _approval(now, attempt) if attempt and waits and other and by_hand else None


def _watched(now: decide.Situation, made: decide.Decision, at: dt.datetime) -> decide.Decision:
    """The decision, unless an automatic rollback is due, or its time has yet to come: then that, or a wait for it."""
    when, last, policy = _due(now), decide.full(now.attempt), now.spec.sync_policy.rollback
    if when is None or now.good is None or last is None or policy is None:
        return made
    message, since = (now.ill.message, now.ill.since) if now.ill else (last.message, last.finished)
    if at >= when:
        why = f"it left the app Degraded for {policy.on_degraded}: {message}" if now.ill else f"its sync failed: {message}"
        return _back(now, rollbacks.Mark(last.digest, now.good, _written(at), why))
    if isinstance(made, decide.Apply):
        return made  # a retry may yet help
    until = min(_written(when), getattr(made, "until", "") or _written(when))
    hope = f"since the last sync; it is rolled back to entry {now.good.number} of the history at {_written(when)}, unless it recovers"
    return decide.Wait("degraded", f"{message}, {hope}", since, until)


def _due(now: decide.Situation) -> dt.datetime | None:
    """When the last sync is to be rolled back, if at all: once per release, and never a rollback itself."""
    policy, last = now.spec.sync_policy.rollback, decide.full(now.attempt)
    if policy is None or now.good is None or last is None or last.trigger == "rollback" or last.outcome not in {"succeeded", "failed"}:
        return None
    if _replaced(now, last) or (now.rolled_back and now.rolled_back.digest == last.digest) or not last.finished:
        return None
    unhealthy = last.outcome == "failed" and last.unhealthy
    return rollbacks.due(policy, ended=last.since or last.finished, ill=now.ill, unhealthy=unhealthy)


def _replaced(now: decide.Situation, last: decide.Attempt) -> bool:
    """Whether a newer release goes out automatically: it may be the fix."""
    newer = now.wanted is not None and now.problem is None and now.wanted.digest != last.digest
    return bool(newer and now.wanted and now.spec.automated() and decide.refused(now.spec, now.wanted) is None)


def _back(now: decide.Situation, mark: rollbacks.Mark) -> decide.Apply:
    made = _apply(
        now, mark.to.digest, trigger="rollback", sentence=f"automatic rollback to entry {mark.to.number} of the history: {mark.why}"
    )
    return msgspec.structs.replace(made, commit=mark.to.commit, mark=mark)


def overrun(now: decide.Situation, *, at: dt.datetime) -> str:
    """Why the running sync must stop: the grant was withdrawn, the window closed, the app is held. Empty while it may continue."""
    last = now.attempt
    if last is None or last.outcome or not last.started or last.digest == decide.REMOVAL:
        return ""
    if not now.destination.known:
        return f"cluster {now.destination.name} is not granted to this tenant any more"
    if now.calendar == schedules.Calendar():
        return ""
    started = dt.datetime.fromisoformat(last.started)
    ruling = windows.may_continue(now.calendar, now.target, started=started, now=at, manual=last.manual)
    return "" if ruling.allowed else ruling.reason
