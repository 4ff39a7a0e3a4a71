"""One apply or remove task, from plan to last word. It waits for the cluster only in futures: a thousand waiting tasks cost nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from itertools import groupby

import msgspec
import structlog

from plane.adapters.cluster import kube
from plane.agent.applying import apply, asking, guard, hooks, leaving, outcome, planning, rehearsal, template
from plane.agent.kept import fence, records, releases, writing
from plane.agent.watching import cluster, waits
from plane.domain import errors, kinds, objects
from plane.domain.planning import plan, waves
from plane.wire import agent

WAVE_S = 600.0  # a wave that is not healthy by then fails the task
BEGUN = "plan"  # beside the hooks that ended: the task was found to do what its plan says, and is under way
MOVED = (
    "Git or the cluster moved since the plan was kept, so a sync would do something else now, and nothing was done; "
    "`plane app plan --compare` shows what, keep a new plan with `plane app plan --save`"
)

log = structlog.get_logger()


class Tools(msgspec.Struct, frozen=True):
    """What every task works with."""

    there: cluster.Cluster
    applier: apply.Applier
    fence: fence.Fence
    progress: Callable[[agent.Progress], None]
    touch: Callable[[str], None]
    foresee: Callable[[planning.Work], Awaitable[str]]  # names what a task would do, as a kept plan does


Work = planning.Work


class _Stopped(errors.PlaneError):
    """A wave failed; the results say why."""

    code = "wave-failed"


class Sync:
    """The run of one task."""

    def __init__(self, tools: Tools, work: Work) -> None:
        self._own = tools.applier.own
        self._tools = msgspec.structs.replace(tools, applier=tools.applier.acting_as(work.task.options.run_as))
        self._there = tools.there
        self._work = work
        self._task = work.task
        self._options = planning.options(work.task)
        self._removing = work.task.kind == "remove"
        self._results: list[agent.ObjectResult] = []
        self._sent = 0
        self._unhealthy = False
        self._started = time.time()

    async def run(self) -> agent.Final:
        """Run to the final report. Every refusal becomes part of it; only cancellation is raised."""
        try:
            await self._as_planned()
            planned = await planning.make(self._there, self._work)
            reasons = plan.confirmations(planned) if self._removing else planning.radius(self._there, self._work, planned)
            if reasons:
                return self._final("refused", "; ".join(reasons), needs_approval=reasons)
            await self._phases(planned)
        except guard.TaskRefused as e:
            return self._final("refused", str(e))
        except _Stopped:
            return self._final("failed", outcome.sentence(self._results))
        except errors.PlaneError as e:
            return self._final("failed", str(e))
        else:
            return self._final("succeeded", outcome.sentence(self._results), needs_approval=plan.confirmations(planned))

    async def _as_planned(self) -> None:
        """TaskRefused when the sync is bound to a saved plan and would do something else; one that has started continues."""
        wanted = self._task.options.once.plan
        if not wanted or BEGUN in self._tools.fence.ended(self._task.app_id, task=self._task.id):
            return
        if await self._tools.foresee(self._work) != wanted:
            raise guard.TaskRefused(MOVED)
        await self._tools.fence.note(self._task.app_id, task=self._task.id, hook=BEGUN, failed="")

    def _settled(self, key: objects.ObjectKey, index: int) -> records.Record | None:
        return planning.settled(self._there, self._work, key, index)

    async def _rehearse(self, planned: plan.Plan) -> None:
        if self._options.dry_run:
            return
        dry = rehearsal.Rehearsal(self._there, self._tools.applier, self._work.release, self._options, self._settled)
        refused = await dry.run(planned)
        for step, phase, wave, sentence in refused:
            self._note(step, phase, wave, _worst(step), f"{sentence} (found by a dry run, before anything was changed)")
        if refused:
            raise _Stopped("the dry run was refused")

    async def _phases(self, planned: plan.Plan) -> None:
        asking.LISTENER.set(self._telling("PreSync", 0))
        namespace = planning.namespace(self._work)
        if namespace and not self._options.dry_run:
            await self._tools.applier.create_namespace(namespace, app=self._task.app_id)
            await template.lay(self._own, namespace.name, self._options.namespace_template)
        await self._rehearse(planned)
        work = [(phase, wave) for phase in planned.phases if phase.name != "SyncFail" for wave in phase.waves]
        try:
            for phase, wave in work:
                last = (phase, wave) == work[-1]
                await self._wave(phase, wave, wait=not last or any(step.action == "hook" for step in wave.steps) or self._removing)
        except _Stopped:
            await self._on_failure(planned)
            raise

    async def _on_failure(self, planned: plan.Plan) -> None:
        for phase in planned.phases:
            for wave in phase.waves if phase.name == "SyncFail" else ():
                await self._wave(phase, wave, wait=True)

    async def _wave(self, phase: plan.Phase, wave: plan.Wave, *, wait: bool) -> None:
        """Apply kind by kind, the objects of a kind together; then wait until all are healthy, unless it is the last wave."""
        asking.LISTENER.set(self._telling(phase.name, wave.number))
        started, before = time.monotonic(), len(self._results)
        done: list[tuple[plan.Step, records.Record]] = []
        for _, group in groupby(wave.steps, key=lambda step: (step.action, step.key.group, step.key.kind)):
            found = await asyncio.gather(*(self._step(step, phase, wave) for step in group))
            done += [one for one in found if one]
        if not self._failed(before) and wait and not self._options.dry_run:
            await self._settle(phase, wave, done)
        self._report(phase, wave)
        log.debug(
            "wave.finished", app=self._task.app_id, task=self._task.id, phase=phase.name, wave=wave.number,
            objects=len(wave.steps), duration_s=round(time.monotonic() - started, 3),
        )  # fmt: skip
        if self._failed(before):
            raise _Stopped("a wave failed")

    async def _step(self, step: plan.Step, phase: plan.Phase, wave: plan.Wave) -> tuple[plan.Step, records.Record] | None:
        """One object; a failure becomes its result and does not stop the others."""
        try:
            if step.action == "keep":
                self._note(step, phase, wave, "PruneSkipped", step.reason)
            elif step.action == "prune":
                await self._prune(step, phase, wave)
            elif not self._over(step, phase, wave):
                return step, await self._apply(step, phase, wave)
        except TimeoutError:
            self._note(step, phase, wave, _worst(step), f"not ready after {WAVE_S:.0f} s")
        except errors.PlaneError as e:
            self._note(step, phase, wave, _worst(step), str(e))
        return None

    async def _apply(self, step: plan.Step, phase: plan.Phase, wave: plan.Wave) -> records.Record:
        run = self._run(phase) if step.action == "hook" else ""
        order = apply.Order(self._work.release, step.index, step.key, self._options, hook_run=run)
        if step.action == "hook":
            return await hooks.start(self._there, self._tools.applier, order, step=step, tell=self._telling(phase.name, wave.number))
        record = self._settled(step.key, step.index)
        if record:
            self._note(step, phase, wave, "Unchanged", "")
            return record
        record = await self._tools.applier.apply(order)
        if not self._options.dry_run:
            record.wanted = records.document_digest(self._work.release.documents[step.index])
        former = self._tools.applier.adopted(step.key)
        self._note(step, phase, wave, "Synced", f"taken over from {', '.join(former)}" if former else "")
        if (step.key.group, step.key.kind) in {kinds.NAMESPACE, kinds.CRD} and not self._options.dry_run:
            await self._usable(step, record)
        return record

    def _run(self, phase: plan.Phase) -> str:
        """Identifies one run of a hook: per sync and phase."""
        return f"{self._task.generation}-{phase.name}"

    def _over(self, step: plan.Step, phase: plan.Phase, wave: plan.Wave) -> bool:
        """Whether a hook finished and was deleted before a restart; its result is reported again."""
        failed = self._tools.fence.ended(self._task.app_id, task=self._task.id).get(f"{phase.name} {step.key}")
        record = self._there.watches.get(step.key)
        if step.action != "hook" or failed is None or (record and record.run == self._run(phase) and not record.deleting):
            return False
        self._note(step, phase, wave, "HookFailed" if failed else "HookSucceeded", failed)
        return True

    async def _usable(self, step: plan.Step, record: records.Record) -> None:
        """What comes next may live in this namespace or be of this kind."""
        async with asyncio.timeout(WAVE_S):
            await self._there.waits.until(step.key, waits.decided(record.version), record)
        if (step.key.group, step.key.kind) == kinds.CRD:
            self._there.kinds.expect(self._work.release.manifests[step.index].body["spec"]["group"])

    async def _prune(self, step: plan.Step, phase: plan.Phase, wave: plan.Wave) -> None:
        record = self._there.watches.get(step.key)
        if record and not self._options.dry_run:
            propagation = writing.of_app(self._options.sync_options).prune_propagation_policy
            resource = await self._tools.applier.resource(step.key)
            await self._tools.applier.delete(step.key, resource, uid=record.live.uid, propagation=propagation)
        self._note(step, phase, wave, "Pruned", "")

    async def _settle(self, phase: plan.Phase, wave: plan.Wave, done: Iterable[tuple[plan.Step, records.Record]]) -> None:
        pruned = [step.key for step in wave.steps if step.action == "prune"]
        waiting = [self._gone(key, phase, wave) for key in pruned]
        waiting += [self._healthy(step, record, phase, wave) for step, record in done]
        await asyncio.gather(*waiting)

    async def _gone(self, key: objects.ObjectKey, phase: plan.Phase, wave: plan.Wave) -> None:
        try:
            await leaving.gone(self._there, self._tools.applier, key, tell=self._telling(phase.name, wave.number))
        except leaving.StillThere as e:
            self._note(plan.Step("prune", key), phase, wave, "SyncFailed", str(e))

    def _telling(self, phase: waves.Phase, wave: int) -> Callable[[str], None]:
        """For what is waited for in a wave: into the task's progress and, while it lasts, into the app's state."""

        def tell(sentence: str) -> None:
            held = self._there.book.get(self._task.app_id)
            if held:
                held.waiting = sentence
            if sentence:
                self._tools.progress(agent.Progress(task=self._task.id, phase=phase, wave=wave, message=sentence))
            self._tools.touch(self._task.app_id)

        return tell

    async def _healthy(self, step: plan.Step, applied: records.Record, phase: plan.Phase, wave: plan.Wave) -> None:
        now = self._there.watches.get(step.key) or applied
        try:
            async with asyncio.timeout(WAVE_S):
                found = await self._there.waits.until(step.key, waits.decided(applied.version), now)
        except TimeoutError:
            state = self._there.watches.get(step.key) or applied
            self._unhealthy = True
            self._note(step, phase, wave, _worst(step), f"not healthy after {WAVE_S:.0f} s: {state.health.status} {state.why}".rstrip())
            return
        healthy = found is not None and found.health.status == "Healthy"
        if step.action == "hook":
            message = found.health.message if found else "it was deleted before it finished"
            self._note(step, phase, wave, "HookSucceeded" if healthy else "HookFailed", message)
            if found and hooks.goes(step, succeeded=healthy):
                await self._remember(step, phase, failed="" if healthy else message or "it failed")
                await hooks.finish(self._tools.applier, step, found)
        elif not healthy:
            self._unhealthy = True
            self._note(step, phase, wave, "SyncFailed", f"{found.health.status}: {found.why}" if found else "it was deleted")

    async def _remember(self, step: plan.Step, phase: plan.Phase, *, failed: str) -> None:
        try:
            await self._tools.fence.note(self._task.app_id, task=self._task.id, hook=f"{phase.name} {step.key}", failed=failed)
        except (fence.FenceDown, kube.KubeRefused, kube.Unreachable) as e:  # only an agent that dies now would miss it
            log.warning("hook.unnoted", app=self._task.app_id, object=str(step.key), reason=str(e))

    def _note(self, step: plan.Step, phase: plan.Phase, wave: plan.Wave, result: outcome.Result, message: str) -> None:
        self._results.append(
            agent.ObjectResult(key=releases.wire_key(step.key), result=result, message=message, phase=phase.name, wave=wave.number)
        )

    def _failed(self, before: int) -> bool:
        return any(one.result in outcome.FAILED for one in self._results[before:])

    def _report(self, phase: plan.Phase, wave: plan.Wave) -> None:
        fresh, self._sent = tuple(self._results[self._sent :]), len(self._results)
        self._tools.progress(agent.Progress(task=self._task.id, phase=phase.name, wave=wave.number, results=fresh))

    def _final(self, verdict: agent.Outcome, message: str, *, needs_approval: tuple[str, ...] = ()) -> agent.Final:
        return agent.Final(
            task=self._task.id, app_id=self._task.app_id, generation=self._task.generation, outcome=verdict, started=self._started,
            finished=time.time(), message=message, needs_approval=needs_approval, results=outcome.last(self._results),
            unhealthy=self._unhealthy,
        )  # fmt: skip


def _worst(step: plan.Step) -> outcome.Result:
    return "HookFailed" if step.action == "hook" else "SyncFailed"
