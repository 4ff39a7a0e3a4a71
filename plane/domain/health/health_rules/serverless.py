"""Knative, KEDA and Tekton.

Sources: knative.dev/docs (conditions of the serving and eventing APIs and of the operator), keda.sh/docs (ScaledObject, ScaledJob),
tekton.dev/docs (status of runs); compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_JOBS = Rule((rules.when("Degraded", "Ready", "False|Unknown"), rules.when("Suspended", "Paused"), rules.when("Healthy", "Ready")))
_SCALED = Rule(
    (
        rules.when("Degraded", "Ready", "False"),
        rules.when("Degraded", "Fallback"),
        rules.when("Suspended", "Paused"),
        rules.when("Healthy", "Ready"),
    )
)
_KNATIVE = Rule(
    (
        rules.when("Progressing", "Ready", "False"),
        rules.when("Progressing", "DeploymentsAvailable", "False"),
        rules.when("Progressing", "*", "Unknown"),
        rules.both(
            rules.when("Healthy", "Ready"),
            rules.when("Healthy", "InstallSucceeded"),
            rules.when("Healthy", "DependenciesInstalled"),
            rules.when("Healthy", "DeploymentsAvailable"),
        ),
    ),
    otherwise="Degraded",
)
_RUN = Rule(
    (
        rules.field("Suspended", "spec.status", "PipelineRunPending"),
        rules.when("Degraded", "Succeeded", "False"),
        rules.when("Healthy", "Succeeded"),
    )
)
RULES: Table = {
    ("keda.sh", "ClusterTriggerAuthentication"): conditions.PASSIVE,
    ("keda.sh", "ScaledJob"): _JOBS,
    ("keda.sh", "ScaledObject"): _SCALED,
    ("keda.sh", "TriggerAuthentication"): conditions.PASSIVE,
    ("operator.knative.dev", "KnativeEventing"): Rule(
        (
            rules.when("Progressing", "Ready", "False"),
            rules.when("Progressing", "*", "Unknown"),
            rules.both(rules.when("Healthy", "Ready"), rules.when("Healthy", "InstallSucceeded")),
        ),
        otherwise="Degraded",
    ),
    ("operator.knative.dev", "KnativeServing"): _KNATIVE,
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
