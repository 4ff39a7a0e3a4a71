"""Health checks: how users want kinds judged; tried before they are kept, and handed to the agents that need them."""

import hashlib
import itertools

import msgspec

from plane.domain import access, errors
from plane.domain.acting import action_scripts
from plane.domain.health import health_scripts
from plane.server import authorise, claim, context
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store import engine
from plane.store.attending import health_checks
from plane.wire import agent, documents, scripted, signing

MOST = 200  # of one tenant: every agent of the tenant holds them all in memory


def read(row: rows.Row, names: authorise.Names) -> documents.HealthCheck:
    """From a row."""
    return documents.HealthCheck(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=2 if row.project_id else 1),
        spec=msgspec.convert(row.spec, health_scripts.CheckSpec),
        status=documents.Status(**generic.common(row)),
    )


def _columns(change: generic.Change) -> generic.Columns:
    spec: health_scripts.CheckSpec = change.wish.spec
    problems = health_scripts.problems(spec)
    if spec.cluster and not health_checks.clusters(change.place.tx, [spec.cluster]):
        problems["spec.cluster"] = f"there is no cluster {spec.cluster!r} here; leave it out for a check that holds in every cluster"
    if not problems and spec.actions is not None:
        problems |= change.plane.scripts.check_actions(action_scripts.of(spec.actions, spec.group, spec.kind))
    if not problems and spec.judges():
        reason = change.plane.scripts.check(spec.lua if spec.cel is None else spec.cel)
        problems = {f"spec.{'lua' if spec.cel is None else 'cel'}": reason} if reason else {}
    if problems:
        raise errors.Invalid(problems)
    if change.before is None and rows.count(change.place.tx, health_checks.CHECKS, {"tenant_id": change.place.scope.tenant}) >= MOST:
        raise errors.Conflict(f"there are {MOST} health checks already, the most of one tenant; let a script judge several kinds")
    digest = hashlib.sha256(msgspec.msgpack.encode(spec)).hexdigest()
    return {"spec": generic.plain(spec), "cluster": spec.cluster, "digest": digest}


def _settle(change: generic.Change) -> None:
    health_checks.wake_agents(change.place.tx, change.place.scope.tenant)


KIND = generic.Kind(
    type=documents.HealthCheck,
    noun="healthcheck",
    plural="healthchecks",
    level=1,
    shelf=health_checks.SHELF,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_settle,
    above=True,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0)
PROJECT_KIND = msgspec.structs.replace(KIND, level=2, above=False)


def news(plane: context.Plane, who: claim.AgentIdentity, asked: agent.Claim) -> scripted.SignedChecks | None:
    """All checks of the agent's cluster, when it holds others; none for an agent that does not know of checks.

    One that does not know of projects' is not told of them: it would judge the whole tenant by them.
    """
    if asked.checks is None:
        return None
    with engine.dispatch(plane.engine) as tx:
        marks = health_checks.marks(tx, who.cluster_id, projects=asked.projects)
    if _digest(marks) == asked.checks:
        return None
    found: list[health_checks.Check] = []
    for tenant, group in itertools.groupby(marks, key=lambda mark: mark.tenant):
        with engine.begin(plane.engine, who.scope(tenant)) as tx:
            found += health_checks.load(tx, tenant, [mark.id for mark in group])
    digest = _digest(tuple(sorted(check.mark for check in found)))
    checks = tuple(_wired(check) for check in found if check.spec.judges())
    actions = tuple(_acting(check, check.spec.actions) for check in found if check.spec.actions)
    payload = agent.encode(scripted.Checks(cluster_id=who.cluster_id, digest=digest, checks=checks, actions=actions))
    return scripted.SignedChecks(payload=payload, signature=plane.signer.sign(signing.CHECKS_CONTEXT, payload))


def _digest(marks: tuple[health_checks.Mark, ...]) -> str:
    """Names a set of checks; empty for none."""
    return hashlib.sha256(msgspec.msgpack.encode(marks)).hexdigest() if marks else ""


def _acting(check: health_checks.Check, spec: action_scripts.ActionsSpec) -> scripted.ActionScripts:
    return scripted.ActionScripts(
        name=check.name,
        tenant=_tenant(check),
        project=check.project,
        local=bool(check.spec.cluster),
        group=health_scripts.pattern(check.spec.group),
        kind=health_scripts.pattern(check.spec.kind),
        discovery=spec.discovery,
        definitions=spec.definitions,
        merge=spec.merge_builtin_actions,
    )


def _tenant(check: health_checks.Check) -> str:
    return "" if check.mark.tenant == access.PLATFORM_TENANT else check.tenant


def _wired(check: health_checks.Check) -> scripted.Check:
    spec, cel = check.spec, check.spec.cel or health_scripts.Expressions()
    return scripted.Check(
        name=check.name,
        tenant=_tenant(check),
        project=check.project,
        local=bool(spec.cluster),
        group=health_scripts.pattern(spec.group),
        kind=health_scripts.pattern(spec.kind),
        lua=spec.lua,
        current=cel.current,
        in_progress=cel.in_progress,
        failed=cel.failed,
    )
