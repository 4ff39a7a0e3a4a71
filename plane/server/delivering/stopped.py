"""A release that policy stops is told to the log, once: no sync follows that could tell it."""

from collections.abc import Iterator, Sequence

from plane.domain import access
from plane.domain.auditing import audit, policy_details
from plane.domain.judging import policy
from plane.server import context, record
from plane.store.auditing import audit as log
from plane.store.delivering import facts, releases
from plane.store.engine import Tx

Judged = tuple[facts.App, releases.New]


def tell(plane: context.Plane, tx: Tx, scope: access.Scope, judged: Sequence[Judged]) -> None:
    """One statement for all; nothing for what goes on. What the same objects come to by other policies is a finding's to tell."""
    made = [(app.project_id, event) for app, new in judged if not _known(app, new) for event in _events(plane, scope, app, new)]
    if made:
        events = record.in_order([event for _, event in made])
        log.append(tx, events, project_ids={event.id: project for event, (project, _) in zip(events, made, strict=True)})


def _known(app: facts.App, new: releases.New) -> bool:
    before = app.current
    return before is not None and (before.digest, before.verdict.error) == (new.digest, new.verdict.error)


def _events(plane: context.Plane, scope: access.Scope, app: facts.App, new: releases.New) -> Iterator[audit.Event]:
    about = record.Facts(project=app.project, target=f"app/{app.name}", cluster=app.spec.destination.cluster)
    about |= record.Facts(release=new.digest, commit=new.commit, decision=new.id() if new.decision else "")
    if not new.verdict.allowed():
        about |= record.Facts(outcome="denied", message=policy.sentence(new.verdict))
        yield record.event(plane, scope, "app.release.refused", details=_told(new.verdict.blocking()), **about)
    elif broken := new.verdict.to_approve():
        about |= record.Facts(message=policy.to_approve_sentence(new.verdict))
        yield record.event(plane, scope, "app.release.held", details=_told(broken), **about)


def _told(broken: Sequence[policy.Violation]) -> policy_details.Found:
    rules = sorted({f"{one.policy}/{one.rule}" for one in broken})
    return policy_details.Found(rules=tuple(rules), objects=len({one.object for one in broken}))
