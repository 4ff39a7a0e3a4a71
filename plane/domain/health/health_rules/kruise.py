"""OpenKruise: workloads, game servers and rollouts.

Sources: openkruise.io/docs, the status types of github.com/openkruise (apis/apps, kruise-game, rollouts); judged as in argo-cd v3.6.1,
resource_customizations.
"""

from plane.domain.health.health_rules import rules
from plane.domain.health.health_rules.rules import Rule, Table

_ROLLING = "spec.updateStrategy.rollingUpdate"
_UPDATED = (
    rules.equal("Healthy", "status.updatedAvailableReplicas", "status.replicas"),
    rules.field("Degraded", "status.replicas"),
)
RULES: Table = {
    ("apps.kruise.io", "AdvancedCronJob"): Rule(
        (
            rules.both(rules.flag("Suspended", "spec.paused"), rules.absent("Suspended", "status.lastScheduleTime")),
            rules.field("Progressing", "status.active"),
            rules.field("Healthy", "status.lastScheduleTime"),
            rules.absent("Degraded", "status.lastScheduleTime"),
        )
    ),
    ("apps.kruise.io", "BroadcastJob"): Rule(
        (
            rules.both(rules.field("Healthy", "status.phase", "completed"), rules.equal("Healthy", "status.succeeded", "status.desired")),
            rules.field("Degraded", "status.phase", "failed"),
            rules.both(rules.field("Suspended", "status.phase", "paused"), rules.flag("Suspended", "spec.paused")),
        )
    ),
    ("apps.kruise.io", "CloneSet"): Rule(
        (
            rules.flag("Suspended", "spec.updateStrategy.paused"),
            rules.both(
                rules.field("Suspended", "spec.updateStrategy.partition"),
                rules.equal("Suspended", "status.updatedReplicas", "status.expectedUpdatedReplicas"),
            ),
            *_UPDATED,
        )
    ),
    ("apps.kruise.io", "DaemonSet"): Rule(
        (
            rules.flag("Suspended", f"{_ROLLING}.paused"),
            rules.field("Suspended", f"{_ROLLING}.partition"),  # the rest waits for a person
            rules.both(
                rules.equal("Healthy", "status.updatedNumberScheduled", "status.desiredNumberScheduled"),
                rules.equal("Healthy", "status.numberAvailable", "status.desiredNumberScheduled"),
            ),
            rules.both(
                rules.equal("Degraded", "status.updatedNumberScheduled", "status.desiredNumberScheduled"),
                rules.equal("Degraded", "status.numberUnavailable", "status.desiredNumberScheduled"),
            ),
        )
    ),
    ("apps.kruise.io", "StatefulSet"): Rule(
        (rules.flag("Suspended", f"{_ROLLING}.paused"), rules.field("Suspended", f"{_ROLLING}.partition"), *_UPDATED)
    ),
    ("game.kruise.io", "GameServer"): Rule(
        (
            rules.both(
                rules.when("Degraded", "KruisePodReady", "False|Unknown", at="status.podStatus.conditions"),
                rules.equal("Degraded", "status.currentState", "status.desiredState"),
            ),
            rules.both(rules.field("Healthy", "status.currentState", "Ready"), rules.field("Healthy", "status.desiredState", "Ready")),
        ),
        untouched="Unknown",
    ),
    ("game.kruise.io", "GameServerSet"): Rule(
        (
            rules.flag("Suspended", f"{_ROLLING}.paused"),
            rules.field("Suspended", f"{_ROLLING}.partition"),
            rules.equal("Healthy", "status.updatedReadyReplicas", "status.replicas"),
        )
    ),
    ("rollouts.kruise.io", "Rollout"): Rule(
        (
            rules.both(
                rules.field("Suspended", "status.canaryStatus.currentStepState", "StepPaused"),
                rules.field("Suspended", "status.phase", "Progressing"),
            ),
            rules.both(
                rules.field("Healthy", "status.canaryStatus.currentStepState", "Completed"),
                rules.field("Healthy", "status.phase", "Healthy"),
            ),
            rules.both(
                rules.field("Degraded", "status.canaryStatus.currentStepState", "StepPaused"),
                rules.field("Degraded", "status.phase", "Terminating", "Disabled"),
            ),
        )
    ),
}
