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


class Plan(rest.Answer, frozen=True, kw_only=True):
    """What a sync would do at this moment. `needsApproval`: what a person would be asked first; `warnings`: options without effect."""

    release: str
    commit: str
    phases: tuple[PlanPhase, ...]
    needs_approval: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
