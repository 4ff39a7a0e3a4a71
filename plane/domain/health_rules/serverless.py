"""Knative, KEDA and Tekton."""

from plane.domain.health_rules import conditions, rules
from plane.domain.health_rules.rules import Globs, Rule, Table

_SCALED = Rule((rules.when("Suspended", "Paused"), rules.when("Degraded", "Ready", "False"), rules.when("Healthy", "Ready")))
_RUN = Rule(
    (
        rules.field("Suspended", "spec.status", "PipelineRunPending"),
        rules.when("Degraded", "Succeeded", "False"),
        rules.when("Healthy", "Succeeded"),
    )
)
RULES: Table = {
    ("keda.sh", "ClusterTriggerAuthentication"): conditions.PASSIVE,
    ("keda.sh", "ScaledJob"): _SCALED,
    ("keda.sh", "ScaledObject"): _SCALED,
    ("keda.sh", "TriggerAuthentication"): conditions.PASSIVE,
    ("tekton.dev", "CustomRun"): _RUN,
    ("tekton.dev", "Pipeline"): conditions.PASSIVE,
    ("tekton.dev", "PipelineRun"): _RUN,
    ("tekton.dev", "Task"): conditions.PASSIVE,
    ("tekton.dev", "TaskRun"): _RUN,
    ("triggers.tekton.dev", "ClusterTriggerBinding"): conditions.PASSIVE,
    ("triggers.tekton.dev", "EventListener"): Rule((rules.when("Degraded", "Ready", "False"), rules.when("Healthy", "Ready"))),
    ("triggers.tekton.dev", "TriggerBinding"): conditions.PASSIVE,
    ("triggers.tekton.dev", "TriggerTemplate"): conditions.PASSIVE,
}
# Every kind of Knative and of the Tekton operator says Ready: True, False or Unknown while it works.
GLOBS: Globs = (("*.knative.dev", "*", conditions.READY), ("operator.tekton.dev", "*", conditions.READY))
