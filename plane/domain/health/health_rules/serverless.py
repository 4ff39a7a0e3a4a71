"""Knative, KEDA and Tekton.

Sources: knative.dev/docs (conditions of the serving and eventing APIs and of the operator), knative serving pkg/apis/autoscaling/v1alpha1
(pa_lifecycle); keda apis/keda/v1alpha1 (condition_types) and apis/eventing/v1alpha1, http-add-on http/v1alpha1; tekton pipeline
pkg/apis/pipeline/v1 (pipelinerun_types); compared with argo-cd v3.6.1, resource_customizations.
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
    ("autoscaling.internal.knative.dev", "PodAutoscaler"): Rule(
        (rules.when("Suspended", "Active", "False", "NoTraffic"), *conditions.READY.clauses)
    ),
    ("eventing.keda.sh", "CloudEventSource"): conditions.one("Active"),
    ("eventing.keda.sh", "ClusterCloudEventSource"): conditions.one("Active"),
    ("http.keda.sh", "HTTPScaledObject"): conditions.READY,
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
    ("pipelinesascode.tekton.dev", "Repository"): conditions.PASSIVE,
    ("resolution.tekton.dev", "ResolutionRequest"): Rule(
        (rules.when("Degraded", "Succeeded", "False"), rules.when("Healthy", "Succeeded"))
    ),
    ("tekton.dev", "ClusterTask"): conditions.PASSIVE,
    ("tekton.dev", "CustomRun"): _RUN,
    ("tekton.dev", "Pipeline"): conditions.PASSIVE,
    ("tekton.dev", "PipelineRun"): _RUN,
    ("tekton.dev", "Run"): _RUN,
    ("tekton.dev", "StepAction"): conditions.PASSIVE,
    ("tekton.dev", "Task"): conditions.PASSIVE,
    ("tekton.dev", "TaskRun"): _RUN,
    ("tekton.dev", "VerificationPolicy"): conditions.PASSIVE,
    ("triggers.tekton.dev", "ClusterInterceptor"): conditions.PASSIVE,
    ("triggers.tekton.dev", "Interceptor"): conditions.PASSIVE,
    ("triggers.tekton.dev", "Trigger"): conditions.PASSIVE,
    ("triggers.tekton.dev", "ClusterTriggerBinding"): conditions.PASSIVE,
    ("triggers.tekton.dev", "EventListener"): Rule((rules.when("Degraded", "Ready", "False"), rules.when("Healthy", "Ready"))),
    ("triggers.tekton.dev", "TriggerBinding"): conditions.PASSIVE,
    ("triggers.tekton.dev", "TriggerTemplate"): conditions.PASSIVE,
}
# Every kind of Knative and of the Tekton operator says Ready: True, False or Unknown while it works.
GLOBS: Globs = (("*.knative.dev", "*", conditions.READY), ("operator.tekton.dev", "*", conditions.READY))
