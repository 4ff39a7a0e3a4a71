"""Numaflow and Numaplane. What is paused goes on fast or gradually."""

from plane.domain.acting.action_rules import rules
from plane.domain.acting.action_rules.rules import Body, Rule, Table

_PHASE = ("lifecycle", "desiredPhase")
_PROMOTE = "numaplane.numaproj.io/force-promote"
_UPGRADE = "numaplane.numaproj.io/upgrade-state"
_STRATEGIES = "numaflow.numaproj.io/allowed-resume-strategies"
_RESUME = "numaflow.numaproj.io/resume-strategy"
_LOSS = "numaplane.numaproj.io/allow-data-loss"
_MARKED = "numaplane.numaproj.io/marked-for-deletion"


def _settled(body: Body) -> str:
    upgrading = rules.at(body, "metadata", "labels", _UPGRADE) in ("in-progress", "trial")
    return "" if upgrading else "no upgrade of it is under way"


def _strategy(word: str) -> rules.Block:
    """`fast` or `slow` alone, or both; slow when nothing is said."""

    def block(body: Body) -> str:
        said = rules.at(body, "spec", "metadata", "annotations", _STRATEGIES) or "slow"
        return "" if word in [part.strip() for part in str(said).split(",")] else f"it may be resumed {said} only"

    return block


def _lifecycle(*spec: str, fast: Body, gradual: Body, choice: bool) -> tuple[Rule, ...]:
    """Pause, and the two ways to go on. `choice`: the object says which of them it allows."""
    path = (*spec, *_PHASE)
    resting = rules.unless("it is not paused", *path, value="Paused")
    running = rules.put(*path, value="Running")
    return (
        Rule("pause", rules.put(*path, value="Paused"), (rules.when("it is paused already", *path, value="Paused"),)),
        Rule("unpause-fast", _both(running, fast), (resting, *((_strategy("fast"),) if choice else ()))),
        Rule("unpause-gradual", _both(running, gradual), (resting, *((_strategy("slow"),) if choice else ()))),
    )


def _both(one: Body, other: Body) -> Body:
    """Two patches as one."""
    made = dict(one)
    for name, value in other.items():
        made[name] = _both(one[name], value) if isinstance(one.get(name), dict) else value
    return made


_FORCE = Rule(
    "force-promote",
    rules.label(_PROMOTE, "true"),
    (rules.when("it is being promoted already", "metadata", "labels", _PROMOTE, value="true"), _settled),
)
RULES: Table = {
    ("numaflow.numaproj.io", "InterStepBufferService"): (_FORCE,),
    ("numaflow.numaproj.io", "MonoVertex"): (
        _FORCE,
        *_lifecycle("spec", fast={}, gradual=rules.put("spec", "replicas", value=None), choice=True),
    ),
    ("numaflow.numaproj.io", "Pipeline"): (
        Rule(
            "delete",
            rules.annotate(_MARKED, "true"),
            (rules.when("it is marked for deletion already", "metadata", "annotations", _MARKED, value="true"),),
        ),
        _FORCE,
        *_lifecycle("spec", fast=rules.label(_RESUME, "fast"), gradual=rules.label(_RESUME, "slow"), choice=True),
    ),
    ("numaplane.numaproj.io", "MonoVertexRollout"): _lifecycle(
        "spec", "monoVertex", "spec", fast={}, gradual=rules.put("spec", "monoVertex", "spec", "replicas", value=None), choice=False
    ),
    ("numaplane.numaproj.io", "PipelineRollout"): (
        Rule(
            "allow-data-loss",
            rules.annotate(_LOSS, "true"),
            (rules.unless("it is not draining for an upgrade", "status", "upgradeInProgress", value="PipelinePauseAndDrain"),),
        ),
        Rule(
            "disallow-data-loss",
            rules.annotate(_LOSS, "false"),
            (rules.unless("loss of data is not allowed", "metadata", "annotations", _LOSS, value="true"),),
        ),
        *_lifecycle(
            "spec",
            "pipeline",
            "spec",
            fast=rules.put("spec", "strategy", "pauseResume", "fastResume", value=True),
            gradual=rules.put("spec", "strategy", "pauseResume", "fastResume", value=False),
            choice=False,
        ),
    ),
}
