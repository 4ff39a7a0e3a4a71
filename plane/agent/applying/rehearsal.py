"""The dry run of a whole plan before its first change, where that protects something: it doubles the requests."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from plane.agent.applying import apply
from plane.agent.kept import releases, writing
from plane.agent.watching import cluster
from plane.domain import errors, kinds, objects
from plane.domain.planning import plan
from plane.wire import agent

BROKEN = 500
Found = tuple[plan.Step, plan.Phase, plan.Wave, str]


class Rehearsal(msgspec.Struct, frozen=True):
    """One plan's."""

    there: cluster.Cluster
    applier: apply.Applier
    release: releases.Release
    options: agent.Options
    settled: Callable[[objects.ObjectKey, int], object]  # what it finds needs no request

    async def run(self, planned: plan.Plan) -> tuple[Found, ...]:
        """What would be refused, with the API server's sentence; empty when the plan may begin."""
        worth = _protects(planned)
        steps = [(step, phase, wave) for phase in planned.phases for wave in phase.waves for step in wave.steps if step.index >= 0]
        brought = kinds.defined(self.release.manifests)
        chosen = [one for one in steps if self._rehearsed(one[0], brought, worth=worth)]
        told = await asyncio.gather(*(self._refused(step) for step, _, _ in chosen))
        return tuple((*one, sentence) for one, sentence in zip(chosen, told, strict=True) if sentence)

    def _rehearsed(self, step: plan.Step, brought: Mapping[tuple[str, str], bool], *, worth: bool) -> bool:
        """Argo CD's exceptions: what cannot be known before something else of the plan is there, and hooks that are made anew.

        A bare Pod is one: the server refuses it while its service account or priority class is not there.
        """
        manifest = self.release.manifests[step.index]
        effective = writing.how(manifest, self.options)
        if effective.dry_run == "never" or (effective.dry_run == "auto" and not worth):
            return False
        if (step.action == "hook" and self.there.watches.get(step.key)) or self.settled(step.key, step.index):
            return False
        if (step.key.kind == "Pod" and not step.key.group) or self._brings_namespace(step.key.namespace):
            return False
        served = self.there.kinds.knows(manifest.api_version, step.key.kind)
        unknown = (step.key.group, step.key.kind) in brought or effective.skip_dry_run_on_missing_resource
        return served is not None or not unknown

    def _brings_namespace(self, name: str) -> bool:
        key = objects.ObjectKey(*kinds.NAMESPACE, "", name)
        return self.there.watches.get(key) is None and any(one.key == key for one in self.release.manifests)

    async def _refused(self, step: plan.Step) -> str:
        options = msgspec.structs.replace(self.options, dry_run=True)
        run = "rehearsed" if step.action == "hook" else ""  # a hook may have got its name from the plan
        order = apply.Order(self.release, step.index, step.key, options, hook_run=run)
        try:
            await self.applier.apply(order)
        except apply.Refused as e:
            return "" if _passing(e) else str(e)
        except errors.PlaneError as e:
            return str(e)
        return ""


def _passing(error: apply.Refused) -> bool:
    """What this very plan may mend: a webhook's server, a quota. A field that the schema does not have comes as a 500, too."""
    broken = error.status >= BROKEN and "field not declared in schema" not in str(error)
    return broken or "exceeded quota" in str(error)


def _protects(planned: plan.Plan) -> bool:
    """Whether a refusal in the middle of the plan would leave something behind that a plain retry does not mend."""
    waves = sum(len(phase.waves) for phase in planned.phases)
    return waves > 1 or any(step.action in {"hook", "prune"} for step in planned.steps())
