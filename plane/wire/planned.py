"""What a sync would do, as the API answers it; `plane try plan` prints the same phases."""

from typing import Annotated, Literal

import msgspec

from plane.wire import rest


class PlanQuery(rest.Body, frozen=True, kw_only=True):
    """The sync to plan, as `Sync` has it; `resources` and `syncOptions` are words with commas between."""

    prune: bool = False
    resources: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    labels: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    strategy: Literal["hook", "apply"] = "hook"
    sync_options: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class PlanStep(rest.Answer, frozen=True, kw_only=True, omit_defaults=True):
    """One object's turn. `reason`: why it stays, or why nothing is to be done about it."""

    action: str
    group: str
    kind: str
    namespace: str
    name: str
    reason: str = ""


class PlanWave(rest.Answer, frozen=True, kw_only=True):
    """Steps that do not wait for each other."""

    wave: int
    steps: tuple[PlanStep, ...]


class PlanPhase(rest.Answer, frozen=True, kw_only=True):
    """Waves in order."""

    phase: str
    waves: tuple[PlanWave, ...]


class KeepPlan(rest.Body, frozen=True, kw_only=True):
    """Keep what a sync would do. `name`: to find it by, beside its number; the rest as `Sync` has it."""

    name: Annotated[str, msgspec.Meta(pattern=r"^([a-z]([a-z0-9-]{0,61}[a-z0-9])?)?$")] = ""
    prune: bool = False
    resources: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=800)], ...], msgspec.Meta(max_length=100)] = ()
    labels: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    strategy: Literal["hook", "apply"] = "hook"
    sync_options: Annotated[tuple[rest.Text, ...], msgspec.Meta(max_length=50)] = ()


class Plan(rest.Answer, frozen=True, kw_only=True):
    """What a sync would do at this moment. `needsApproval`: what a person would be asked first; `warnings`: options without effect."""

    release: str
    commit: str
    phases: tuple[PlanPhase, ...]
    needs_approval: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class KeptPlan(rest.Answer, frozen=True, kw_only=True):
    """A plan that somebody kept. `plan` is left out of lists."""

    number: int
    name: str
    made_at: str
    made_by: str
    release: str
    commit: str
    prune: bool = False
    resources: tuple[str, ...] = ()
    labels: str = ""
    strategy: str = "hook"
    sync_options: tuple[str, ...] = ()
    plan: Plan | None = None


class PlanDifference(rest.Answer, frozen=True, kw_only=True):
    """A turn that is not the same. `was`, `now`: what is done and why; empty where there is none."""

    change: Literal["added", "removed", "changed"]
    phase: str
    group: str
    kind: str
    namespace: str
    name: str
    was: str = ""
    now: str = ""


class PlanComparison(rest.Answer, frozen=True, kw_only=True):
    """A kept plan beside what the same sync would do at this moment. `same`: a sync of the plan would be let through."""

    kept: KeptPlan
    now: Plan
    same: bool
    differences: tuple[PlanDifference, ...] = ()
