"""What apps break is kept when they are judged, and told to the log where nobody would look otherwise."""

from collections.abc import Mapping, Sequence

import msgspec

from plane.domain import access
from plane.domain.auditing import policy_details
from plane.domain.judging import findings as domain
from plane.domain.judging import policy
from plane.server import context, record
from plane.store.delivering import facts, findings, releases
from plane.store.engine import Tx

Judged = tuple[facts.App, releases.New]


def settle(plane: context.Plane, tx: Tx, scope: access.Scope, judged: Sequence[Judged]) -> None:
    """Open and close findings of apps whose newest release was judged; nothing for those that break nothing and broke nothing."""
    said = [(app, new, domain.of(new.verdict)) for app, new in judged if not new.verdict.error]
    turned = [(app, new, found) for app, new, found in said if found or _before(app).judged]
    if not turned:
        return
    rows = [_row(plane, app, one) for app, _, found in turned for one in found]
    findings.settle(tx, scope.tenant, [app.id for app, _, _ in turned], rows, plane.clock.now())
    for app, new, found in turned:
        _tell(plane, tx, scope, (app, new), domain.stopping(found))


def _row(plane: context.Plane, app: facts.App, one: domain.Finding) -> dict[str, object]:
    return {"id": plane.clock.id(), "project_id": app.project_id, "app_id": app.id, **msgspec.structs.asdict(one)}


def _before(app: facts.App) -> policy.Verdict:
    return app.current.verdict if app.current else policy.Verdict()


def _tell(plane: context.Plane, tx: Tx, scope: access.Scope, judged: Judged, now: Mapping[str, domain.Finding]) -> None:
    """Only of what the same objects came to by other policies: what a push brings is told by the refusal of its sync."""
    app, new = judged
    if app.current is None or app.current.digest != new.digest or app.current.verdict.error:
        return
    was = domain.stopping(domain.of(app.current.verdict))
    opened = [one for key, one in now.items() if key not in was]
    kind, found = ("policy.finding.opened", opened) if opened else ("policy.finding.closed", [] if now else list(was.values()))
    if found:
        rules = tuple(sorted({f"{one.policy}/{one.rule}" for one in found}))
        told = policy_details.Found(rules=rules, objects=len({one.object for one in found}))
        verb = "would be stopped by" if opened else "is stopped no more by"
        message = f"app {app.name} {verb} {', '.join(rules[:3])}{f' and {len(rules) - 3} more' if len(rules) > 3 else ''}"  # noqa: PLR2004 - a line's worth
        about = record.Facts(project=app.project, target=f"app/{app.name}", release=new.digest, decision=new.id(), message=message)
        record.append(plane, tx, scope, kind, project_id=app.project_id, details=told, **about)
